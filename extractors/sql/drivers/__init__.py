"""The ways rows come, a driver each."""
