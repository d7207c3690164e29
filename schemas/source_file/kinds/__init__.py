"""The kinds of source, each with the keys of its own."""
