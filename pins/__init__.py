"""What is pinned: how old it is, and whether advisories that somebody brings speak of it."""
