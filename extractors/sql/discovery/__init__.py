"""Discovery: a database's own accounts, roles and privileges as accounts and entitlements."""
