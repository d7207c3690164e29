"""What a snapshot changes, and whether that is plausible."""
