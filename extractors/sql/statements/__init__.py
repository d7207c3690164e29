"""A statement: its placeholders, its words, and whether it only reads."""
