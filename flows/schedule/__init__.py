"""When a source is due, and what runs it then."""
