"""The folder exports are dropped into: which file is meant, and that it stays the same file."""

import glob
import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from schemas.errors import ConfigError, SourceIncompleteError, SourceUnavailableError


@dataclass(frozen=True, slots=True)
class Export:
    """One file as it stood when it was found.

    Attributes:
        table: the table it holds.
        path: where it is, absolute.
        name: its path for messages: as the source file writes it, relative to the workspace.
        size_bytes: its size on disk.
        modified_ns: its modification time, nanoseconds since 1970.
        identity: device and inode.
    """

    table: str
    path: Path
    name: str
    size_bytes: int
    modified_ns: int
    identity: tuple[int, int]

    @property
    def modified_at(self) -> datetime:
        """When it was last written, UTC."""
        return datetime.fromtimestamp(self.modified_ns / 1e9, UTC)


def find_export(
    table: str, pattern: str, workspace: Path, companions: tuple[str, ...] = ()
) -> Export:
    """The file that `pattern` means: the path itself, or the newest match, then the last by name.

    `companions` are the templates of markers and manifests: a wide pattern matches these as well,
    and they are no exports.

    Raises:
        ConfigError: a path that leads out of the workspace, or that is no regular file.
        SourceUnavailableError: no such file, no match, or no permission.
    """
    inside = path_inside(pattern, table)
    literal = workspace / inside
    if not glob.has_magic(inside) or os.path.lexists(literal):
        return _stat_export(table, literal, inside)
    matches = set(glob.glob(inside, root_dir=workspace, recursive=True))  # noqa: PTH207 - absolute, too
    matches -= {
        os.path.normpath(template.replace("{path}", m)) for template in companions for m in matches
    }
    exports = [
        _stat_export(table, workspace / m, m) for m in sorted(matches) if (workspace / m).is_file()
    ]
    if not exports:
        raise SourceUnavailableError(f"{table}: no file matches {pattern}: check the path")
    return max(exports, key=lambda export: (export.modified_ns, export.name))


def path_inside(written: str, key: str) -> str:
    """The path without `..` and `.`; a relative one stays below the workspace.

    Raises:
        ConfigError: it climbs out of the workspace, or it is a URL.
    """
    if "://" in written:
        raise ConfigError(f"{key}: {written}: only files are read; fetch the export first")
    normal = os.path.normpath(written)
    if Path(normal).parts[:1] == (os.pardir,):
        raise ConfigError(f"{key}: {written} leads out of the workspace: write an absolute path")
    return normal


def check_unchanged(export: Export) -> None:
    """Nothing: the export is the file it was when it was found.

    Raises:
        SourceUnavailableError: it is gone.
        SourceIncompleteError: it was written to or replaced.
    """
    if refreshed(export) != export:
        raise SourceIncompleteError(
            f"{export.name}: changed while it was read: run again when the export is finished, "
            "or state complete: so that it is waited for"
        )


def refreshed(export: Export) -> Export:
    """The export as it stands now.

    Raises:
        SourceUnavailableError: it is gone.
    """
    return _stat_export(export.table, export.path, export.name)


def _stat_export(table: str, path: Path, name: str) -> Export:
    problem = None
    try:
        found = path.stat()
    except FileNotFoundError:
        problem = "no such file: check the path, or that the export ran"
    except OSError as error:
        problem = f"cannot be looked at: {error.strerror}"
    if problem:
        raise SourceUnavailableError(f"{name}: {problem}")
    if stat.S_ISDIR(found.st_mode):
        raise ConfigError(f"{name} is a directory: name a file, or a pattern such as {name}/*.csv")
    if not stat.S_ISREG(found.st_mode):
        raise ConfigError(f"{name} is not a regular file: name a file")
    identity = (found.st_dev, found.st_ino)
    return Export(table, path.absolute(), name, found.st_size, found.st_mtime_ns, identity)
