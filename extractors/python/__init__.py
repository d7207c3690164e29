"""Sources that a function of one's own reads: its module, what it gets, what it returns."""
