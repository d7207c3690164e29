"""An export and the drop zone it lies in: what every kind of zone can do."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from schemas.errors import SourceUnavailableError
from schemas.export_file import ExportFile


class Zone(Protocol):
    """A place where exports are dropped. A key is a path in it; it never leads out of the zone.

    What cannot be reached, or refuses, is a SourceUnavailableError of one line.
    """

    def matches(self, pattern: str) -> list[ExportFile]:
        """The file of that key; else, of a pattern, the files that fit, as the listing tells."""
        ...

    def look_at(self, key: str) -> ExportFile | None:
        """The file as it stands now; None where none is there."""
        ...

    def fetch(self, file: ExportFile, folder: Path) -> Path:
        """Where its bytes are: the file itself, or a private copy of the whole in `folder`."""
        ...

    def read(self, key: str) -> bytes | None:
        """What a small file holds; None where none is there."""
        ...

    def move(self, file: ExportFile, folder: str) -> None:
        """Moves the file into a folder of the zone, which is made; never over another file."""
        ...

    def close(self) -> None:
        """Ends the connection, where there is one."""
        ...


@dataclass(frozen=True, slots=True)
class Export:
    """One table's file as it stood when it was found.

    Attributes:
        table: the table it holds.
        file: the file.
        zone: where it lies.
    """

    table: str
    file: ExportFile
    zone: Zone = field(compare=False, repr=False)

    @property
    def name(self) -> str:
        """Its path or URL for messages."""
        return self.file.name

    @property
    def size_bytes(self) -> int:
        """Its size as it lies there, compressed or not."""
        return self.file.size_bytes

    @property
    def modified_ns(self) -> int:
        """Its modification time, nanoseconds since 1970."""
        return self.file.modified_ns

    @property
    def modified_at(self) -> datetime:
        """When it was last written, UTC."""
        return self.file.modified_at


@contextmanager
def private_folder(export: Export) -> Iterator[Path]:
    """A folder of our own for the time of a read; what the system refuses is said in one line.

    Raises:
        SourceUnavailableError: the export, or the folder, cannot be read or written.
    """
    problem = None
    try:
        with TemporaryDirectory(prefix="lumos-ingest-") as folder:
            yield Path(folder)
    except OSError as error:
        problem = error.strerror or "the system refused it"
    if problem:
        raise SourceUnavailableError(f"{export.name}: cannot be read: {problem}")
