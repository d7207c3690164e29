"""The command line: what is typed, and what is printed.

Heavy imports stand inside the commands, so that `--help` and a wrong option answer at once.
"""
