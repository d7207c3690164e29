"""The ledger: runs, jobs, batches, watermarks and leases, in SQLite or PostgreSQL."""
