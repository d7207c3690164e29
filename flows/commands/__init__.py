"""The commands as they are typed: declared here, done in a module of `flows` each.

Heavy imports stand inside the commands, so that `--help` and a wrong option answer at once.
"""
