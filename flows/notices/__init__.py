"""Telling a person what became of a source: when, in which words, and over which channels."""
