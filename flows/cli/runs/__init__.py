"""What happened, what waits for a person, and what that person decides."""
