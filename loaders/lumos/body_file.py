"""Request bodies as private files: made once, hashed, and sent from disk as often as it takes."""

import os
from collections.abc import Iterable
from pathlib import Path

from schemas.errors import StateError


def write_body(path: Path, parts: Iterable[bytes | memoryview]) -> int:
    """Writes `parts` to a new file, 0600; how many bytes they are.

    Raises:
        StateError: the file cannot be written (a full disk, say).
    """
    reason, size = None, 0
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for part in parts:
                size += file.write(part)
    except OSError as error:
        reason = error.strerror
    if reason:
        raise StateError(f"{path.parent}: the upload's body cannot be written: {reason}")
    return size
