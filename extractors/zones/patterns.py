"""Patterns of keys in a zone that has no file system of its own: `*`, `?`, `[…]` and `**`."""

import glob
import re
from fnmatch import fnmatchcase


def fixed_folder(pattern: str) -> str:
    """The folder that every match lies in, without a slash at its end; empty for the top."""
    parts = pattern.split("/")[:-1]
    for number, part in enumerate(parts):
        if glob.has_magic(part):
            return "/".join(parts[:number])
    return "/".join(parts)


def fixed_prefix(pattern: str) -> str:
    """What every match begins with: all that stands before the first sign of a pattern."""
    return re.split(r"[*?\[]", pattern, maxsplit=1)[0]


def is_flat(pattern: str) -> bool:
    """Whether every match lies in the fixed folder itself."""
    return fixed_folder(pattern) == pattern.rpartition("/")[0]


def fits(key: str, pattern: str) -> bool:
    """Whether the pattern means the key; `*` stays in a folder, `**` is any number of folders.

    As in a shell, a name that begins with a dot is meant only by a pattern that does.
    """
    return _fits(key.split("/"), pattern.split("/"))


def _fits(parts: list[str], pattern: list[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_fits(parts[number:], pattern[1:]) for number in range(len(parts) + 1))
    if not parts or (parts[0].startswith(".") and not pattern[0].startswith(".")):
        return False
    return fnmatchcase(parts[0], pattern[0]) and _fits(parts[1:], pattern[1:])
