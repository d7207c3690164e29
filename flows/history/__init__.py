"""What became of an account from run to run, by ledger and archive alone."""
