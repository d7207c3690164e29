"""The queries of a source: what they are called, read and described."""
