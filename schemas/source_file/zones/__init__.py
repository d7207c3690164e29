"""Where exports lie, as a source file says it: their URLs, and who logs in there."""
