"""Directories read over LDAP."""
