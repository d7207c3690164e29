"""Keyed hashes: what stands for an id where it may be read by others than those it is meant for."""

import hashlib
import hmac
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import StateError, raise_as

_KEY_FILE = "sharing.key"
_KEY_BYTES = 32


def sharing_key(state: Path) -> bytes:
    """The workspace's own key for hashes, made once, 0600: one id, one hash, in every plan.

    One that is not whole is made anew: ids under a key that anyone can guess are no secret.

    Raises:
        StateError: it can neither be read nor made.
    """
    path = state / _KEY_FILE

    def read_key() -> bytes:
        if not path.exists() or len(path.read_bytes()) != _KEY_BYTES:
            _make_key(path)
        return path.read_bytes()

    return raise_as(
        read_key,
        {
            OSError: lambda error: StateError(
                f"{path}: the key for hashed ids cannot be used: {error.strerror}"
            )
        },
    )


def _make_key(path: Path) -> None:
    """Makes the file whole or not at all; the temporary one beside it is 0600 from the start."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def hashed(key: bytes, text: str) -> str:
    """What stands for `text`: the first 12 hex digits of an HMAC-SHA-256."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Names:
    """How a page names accounts, entitlements and what else is a value of a row.

    Attributes:
        key: the workspace's key for hashes.
        has_ids: whether they stand there in clear.
    """

    key: bytes
    has_ids: bool

    def of(self, text: str | None) -> str:
        """The text, or its hash; a dash for none."""
        if not text:
            return "-"
        return text if self.has_ids else hashed(self.key, text)
