"""What is not there: whether a directory would have shown it."""
