"""Databases: queries read whole, in one read-only transaction, through any driver."""
