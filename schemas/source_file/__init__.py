"""A source file: its blocks and keys, and where in the file a problem stands."""
