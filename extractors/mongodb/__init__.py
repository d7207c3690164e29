"""A MongoDB's own accounts and roles."""
