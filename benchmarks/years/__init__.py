"""Ordinary years and lies: how nights end under the default guards."""
