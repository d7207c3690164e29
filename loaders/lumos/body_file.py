"""Request bodies as private files: made once, hashed, and sent from disk as often as it takes."""

import os
from collections.abc import Iterable
from pathlib import Path

from schemas.errors import StateError, raise_as


def write_body(path: Path, parts: Iterable[bytes | memoryview]) -> int:
    """Writes `parts` to a new file, 0600; how many bytes they are.

    Raises:
        StateError: the file cannot be written (a full disk, say).
    """

    def write() -> int:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            return sum(file.write(part) for part in parts)

    return raise_as(
        write,
        {
            OSError: lambda error: StateError(
                f"{path.parent}: the upload's body cannot be written: {error.strerror}"
            )
        },
    )
