"""Directories that are asked over LDAP."""
