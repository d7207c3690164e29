"""Who holds what, from wherever a source says it."""
