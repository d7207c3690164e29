"""One module a kind of source: rows out, as text, whole or an error."""
