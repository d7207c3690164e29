"""Pages of runs and an index over all sources, by ledger and archive alone."""
