"""Activity records from raw rows, and their request bodies."""
