"""`delta` on a database: what changed since the last accepted run."""
