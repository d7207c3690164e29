"""What a database says, as errors of ours that quote no row."""
