"""Request bodies from a snapshot: the same snapshot gives the same bytes."""
