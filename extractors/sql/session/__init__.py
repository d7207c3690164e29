"""One login within its read-only transaction, and the text of its values."""
