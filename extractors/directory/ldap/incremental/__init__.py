"""`delta` on a directory: what changed since the last accepted run."""
