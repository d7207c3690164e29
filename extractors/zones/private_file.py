"""A file that only its owner may read, made without following links."""

import os
from pathlib import Path
from typing import IO


def open_private(path: Path) -> IO[bytes]:
    """A new file for writing that only its owner can read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
