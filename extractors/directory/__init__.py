"""Directories: accounts, groups and members from entries. No server and no file here."""
