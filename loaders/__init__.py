"""Loaders: talk to what we write to, the Lumos API, and our own ledger and archive."""
