"""SCIM 2.0: users and groups of a service, page by page, whole or an error."""
