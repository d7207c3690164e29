"""Exports as text: which file is it, is it whole, and what is in it."""
