"""Paths that a source file names: confined to its workspace."""

import os
from pathlib import Path

from schemas.errors import ConfigError


def path_inside(written: str, key: str) -> str:
    """Returns the path without `..` and `.`; a relative one stays below the workspace.

    Raises:
        ConfigError: it climbs out of the workspace.
    """
    normal = os.path.normpath(written)
    if Path(normal).parts[:1] == (os.pardir,):
        raise ConfigError(f"{written} leads out of the workspace: write an absolute path", key=key)
    return normal
