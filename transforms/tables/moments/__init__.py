"""Times: from text to UTC, with the names of months and zones."""
