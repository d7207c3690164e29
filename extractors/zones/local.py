"""A folder of this machine that exports are dropped into: the workspace, or an absolute path."""

import errno
import glob
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ConfigError, SourceUnavailableError, raise_as
from schemas.export_file import ExportFile

_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


@dataclass(frozen=True, slots=True)
class LocalZone:
    """Files by their path: relative to the workspace, or absolute."""

    workspace: Path

    def matches(self, pattern: str) -> list[ExportFile]:
        """Returns the file of that path; else the files that fit."""
        if not glob.has_magic(pattern) or os.path.lexists(self.workspace / pattern):
            file = self.look_at(pattern)
            return [file] if file else []
        names = set(glob.glob(pattern, root_dir=self.workspace, recursive=True))  # noqa: PTH207 - absolute, too
        files = (self.look_at(name) for name in names if (self.workspace / name).is_file())
        return [file for file in files if file]

    def look_at(self, key: str) -> ExportFile | None:
        """Returns the file as it stands now; None where none is there.

        Raises:
            ConfigError: a directory, a pipe, a device.
            SourceUnavailableError: the system refuses a look at it.
        """
        status = raise_as(
            lambda: _stat(self.workspace / key),
            {
                OSError: lambda error: SourceUnavailableError(
                    f"{key}: cannot be looked at: {error.strerror}"
                )
            },
        )
        if status is None:
            return None
        if stat.S_ISDIR(status.st_mode):
            raise ConfigError(
                f"{key} is a directory: name a file, or a pattern such as {key}/*.csv"
            )
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError(f"{key} is not a regular file: name a file")
        identity = f"{status.st_dev}:{status.st_ino}"
        return ExportFile(key, key, status.st_size, status.st_mtime_ns, identity)

    def fetch(self, file: ExportFile, _folder: Path) -> Path:
        """Returns where it is: nothing is copied."""
        return self.workspace / file.key

    def read(self, key: str) -> bytes | None:
        """Returns the content of a small file; None where none can be read."""
        try:
            return (self.workspace / key).read_bytes()
        except OSError:
            return None

    def move(self, file: ExportFile, folder: str) -> None:
        """Moves the file into the folder; never over another file.

        Raises:
            SourceUnavailableError: a file of that name is there, or the system refuses.
        """
        path, target = self.workspace / file.key, self.workspace / folder / Path(file.key).name

        def work() -> None:
            target.parent.mkdir(parents=True, exist_ok=True)
            move_file(path, target)

        where = f"{file.name}: cannot be moved to {folder}"
        raise_as(
            work,
            {
                FileExistsError: lambda _: SourceUnavailableError(
                    f"{where}: a file of that name is there"
                ),
                OSError: lambda error: SourceUnavailableError(f"{where}: {error.strerror}"),
            },
        )

    def close(self) -> None:
        """Does nothing: there is no connection."""


def _stat(path: Path) -> os.stat_result | None:
    """Returns the status of the file; None where none is there."""
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def move_file(
    path: Path, target: Path, link: Callable[[Path, Path], None] = Path.hardlink_to
) -> None:
    """Moves by a link and its original's removal: unlike a rename, it never replaces a file.

    A move that was cut off between the two is ended. Where the file system has no links, it is a
    rename to a name that was free a moment before.

    Raises:
        OSError: another file is there, or the system refuses.
    """
    try:
        link(target, path)
    except FileExistsError:
        if not target.samefile(path):
            raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        path.rename(target)
        return
    path.unlink()
