"""Programs that a run starts, and that end with it, however it ends."""
