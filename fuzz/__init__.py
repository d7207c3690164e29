"""Fuzzing, bounded and outside CI: whatever comes in ends in rows or in one of our own errors."""
