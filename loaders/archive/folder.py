"""An archive in a local folder: for its owner alone, and never half written."""

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import polars as pl

from schemas.errors import StateError, raise_as

_Done = TypeVar("_Done")


@dataclass(frozen=True, slots=True)
class ArchiveFolder:
    """Frames as Parquet files below `root`, each folder 0700, each file 0600.

    Beside each file stands its checksum, as sha256sum(1) writes it: Parquet as polars writes it has
    none of its own, and four damaged files in ten are read without an error, with other values.
    """

    root: Path

    def write(self, parts: tuple[str, ...], frame: pl.DataFrame) -> None:
        """Writes the frame: whole and on the disk, or not at all.

        Raises:
            StateError: it cannot be written.
        """
        path = self.root.joinpath(*parts)

        def write() -> None:
            _make_folders(self.root, parts[:-1])
            _write_private(path, lambda part: frame.write_parquet(part, compression="zstd"))
            line = f"{_checksum(path)}  {path.name}\n"
            _write_private(_checksum_path(path), lambda part: part.write_text(line, "utf-8"))
            _flush(path.parent)

        _attempt(write, f"the archive cannot write {path}")

    def read(
        self, parts: tuple[str, ...], pick: Callable[[pl.LazyFrame], pl.LazyFrame]
    ) -> pl.DataFrame:
        """What `pick` says of the frame.

        Raises:
            StateError: it is not there, is damaged, or cannot be read.
        """
        path = self.root.joinpath(*parts)

        def read() -> pl.DataFrame | None:
            if _checksum_path(path).read_text("utf-8").split()[:1] != [_checksum(path)]:
                return None
            return pick(pl.scan_parquet(path, glob=False, hive_partitioning=False)).collect()

        frame = _attempt(read, f"the archive cannot read {path}")
        if frame is None:
            raise StateError(f"the archive's {path} is damaged: it has not the checksum it had")
        return frame

    def folders(self, name: str) -> list[str]:
        """The folders' names in the folder `name`, in order.

        Raises:
            StateError: the folder cannot be read.
        """
        folder = self.root / name

        def listed() -> list[str]:
            if not folder.is_dir():
                return []
            return sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())

        return _attempt(listed, f"the archive cannot read {folder}")

    def remove(self, parts: tuple[str, ...]) -> None:
        """Removes a folder with all that is in it.

        Raises:
            StateError: it cannot be removed.
        """
        folder = self.root.joinpath(*parts)
        _attempt(lambda: shutil.rmtree(folder), f"the archive cannot remove {folder}")


def _attempt(work: Callable[[], _Done], failure: str) -> _Done:
    """What `work` returns; polars's errors are not chained, as they may quote what they read."""
    return raise_as(
        work,
        {
            pl.exceptions.PolarsError: lambda error: StateError(
                f"{failure}: {_system_reason(error) or 'polars cannot take it'}"
            ),
            OSError: lambda error: StateError(
                f"{failure}: {error.strerror or _system_reason(error) or 'input or output failed'}"
            ),
            UnicodeDecodeError: lambda _: StateError(f"{failure}: its checksum is damaged"),
        },
    )


def _system_reason(error: Exception) -> str:
    """The system's own reason in an error of polars, which carries it as text; else empty."""
    number = re.search(r"os error (\d+)", str(error))
    return os.strerror(int(number[1])) if number else ""


def _checksum_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _checksum(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _write_private(path: Path, write: Callable[[Path], object]) -> None:
    """Lets `write` fill a file 0600, and put it on the disk under its name once it is whole."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(handle, 0o600)
            write(part)
            os.fsync(handle)
        finally:
            os.close(handle)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _make_folders(root: Path, names: tuple[str, ...]) -> None:
    """Makes `root` and the folders below it, 0700 whatever the umask."""
    for depth in range(len(names) + 1):
        folder = root.joinpath(*names[:depth])
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
            _flush(folder.parent)


def _flush(folder: Path) -> None:
    """Wait until the folder's entries are on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
