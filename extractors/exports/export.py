"""An export and the drop zone it lies in: what every kind of zone can do."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from extractors.zones.zone import Zone
from schemas.errors import SourceUnavailableError
from schemas.export_file import ExportFile

_TOLD = 3


@dataclass(frozen=True, slots=True)
class Export:
    """One table's file as it stood when it was found.

    Attributes:
        table: the table it holds.
        file: the file.
        zone: where it lies.
        others: the files that match as well and were passed over, by name, newest first.
    """

    table: str
    file: ExportFile
    zone: Zone = field(compare=False, repr=False)
    others: tuple[str, ...] = field(default=(), compare=False)

    @property
    def name(self) -> str:
        """Its path or URL for messages."""
        return self.file.name

    @property
    def told_of_others(self) -> str:
        """The first files that were passed over, and how many more, for messages."""
        first = ", ".join(self.others[:_TOLD])
        more = len(self.others) - _TOLD
        return f"{first} and {more:,} more" if more > 0 else first

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
    """Makes a folder of our own for the time of a read.

    An error of the system, the caller's included, is one line.

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
