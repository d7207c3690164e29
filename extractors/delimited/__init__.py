"""CSV and its like: rows of text out of delimited exports."""
