"""Whole commands beside a Lumos: start-up, syncs, reading back."""
