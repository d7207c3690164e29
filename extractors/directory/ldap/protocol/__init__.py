"""LDAP itself: connections, searches page by page, and entries from their bytes."""
