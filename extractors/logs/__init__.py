"""Logs of activity: files of many forms, read some rows at a time."""
