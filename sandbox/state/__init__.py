"""What the sandbox keeps, in SQLite: apps, accounts, jobs."""
