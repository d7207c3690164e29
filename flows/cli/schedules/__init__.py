"""What runs when, and what is late: `serve`, `deploy`, `stop-worker`, `check --fresh`."""
