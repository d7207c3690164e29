"""Directories from an LDIF export."""
