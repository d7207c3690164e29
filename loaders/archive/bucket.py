"""An archive in an object store: S3, Google Cloud Storage, Azure, through obstore."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

import obstore
import polars as pl
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import ObjectStore, from_url

from schemas.errors import ConfigError, StateError, raise_as

_Done = TypeVar("_Done")


@dataclass(frozen=True, slots=True)
class ArchiveBucket:
    """Frames as Parquet objects; `name` is the archive's URL for messages.

    Each object has its checksum with it: see `loaders.archive.folder.ArchiveFolder`.
    """

    store: ObjectStore
    name: str

    def write(self, parts: tuple[str, ...], frame: pl.DataFrame) -> None:
        """Writes the frame; an object store shows an object whole or not at all.

        Raises:
            StateError: it cannot be written.
        """
        path = "/".join(parts)
        # In memory, not in a temporary file: what a killed process leaves would lie in the open.
        content = io.BytesIO()
        frame.write_parquet(content, compression="zstd")
        line = f"{_checksum(content)}  {parts[-1]}\n".encode()
        content.seek(0)
        self._attempt(lambda: obstore.put(self.store, path, content), f"cannot write {path}")
        self._attempt(
            lambda: obstore.put(self.store, f"{path}.sha256", line), f"cannot write {path}"
        )

    def read(
        self, parts: tuple[str, ...], pick: Callable[[pl.LazyFrame], pl.LazyFrame]
    ) -> pl.DataFrame:
        """What `pick` says of the frame.

        Raises:
            StateError: it is not there, or cannot be read.
        """
        path = "/".join(parts)
        content = io.BytesIO(self._content(path))
        if self._content(f"{path}.sha256").split()[:1] != [_checksum(content).encode()]:
            raise StateError(
                f"the archive {self.name} holds {path} damaged: it has not the checksum it had"
            )
        content.seek(0)
        return pick(pl.scan_parquet(content)).collect()

    def folders(self, name: str) -> list[str]:
        """The names that objects below `name` begin with, in order.

        Raises:
            StateError: the store cannot be read.
        """
        listed = self._attempt(
            lambda: obstore.list_with_delimiter(self.store, f"{name}/"), f"cannot list {name}"
        )
        return sorted(prefix.rstrip("/").rpartition("/")[2] for prefix in listed["common_prefixes"])

    def remove(self, parts: tuple[str, ...]) -> None:
        """Removes every object below a name.

        Raises:
            StateError: one of them cannot be removed.
        """
        folder = "/".join(parts)

        def remove() -> None:
            for chunk in obstore.list(self.store, f"{folder}/"):
                obstore.delete(self.store, [item["path"] for item in chunk])

        self._attempt(remove, f"cannot remove {folder}")

    def _content(self, path: str) -> bytes:
        return self._attempt(
            lambda: obstore.get(self.store, path).bytes().to_bytes(), f"cannot read {path}"
        )

    def _attempt(self, work: Callable[[], _Done], failure: str) -> _Done:
        """What `work` returns; the store's own text can hold an address with a key in it."""

        def error_of(reason: str) -> Callable[[Exception], StateError]:
            return lambda _: StateError(f"the archive {self.name} {failure}: {reason}")

        refused = error_of("it refuses the credentials it was given")
        unreachable = error_of(
            "it cannot be reached, or refuses the request: check its URL and credentials"
        )
        return raise_as(
            work,
            {
                FileNotFoundError: error_of("it is not there"),
                PermissionDeniedError: refused,
                UnauthenticatedError: refused,
                BaseError: unreachable,
                OSError: unreachable,
            },
        )


def _checksum(content: io.BytesIO) -> str:
    return hashlib.sha256(content.getbuffer()).hexdigest()


def open_bucket(url: str) -> ArchiveBucket:
    """The archive in the object store at `url`; its credentials come from the environment.

    Raises:
        ConfigError: no store has such a URL.
    """

    def no_store(_: Exception) -> ConfigError:
        return ConfigError("LUMOS_INGEST_ARCHIVE is neither a folder nor an object-store URL")

    store, parts = raise_as(
        lambda: (from_url(url), urlsplit(url)), {BaseError: no_store, ValueError: no_store}
    )
    return ArchiveBucket(store, f"{parts.scheme}://{parts.hostname or ''}{parts.path}")
