"""The ledger's migrations, applied whenever a ledger is opened."""
