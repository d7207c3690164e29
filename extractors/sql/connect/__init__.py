"""Logging in to a database: by address, driver, certificate and secret."""
