"""A file of a drop zone as it was found, and what an accepted run remembers of one it read."""

from dataclasses import dataclass
from datetime import UTC, date, datetime


@dataclass(frozen=True, slots=True)
class ExportFile:
    """One file of a drop zone; equal as long as nobody wrote to it or replaced it.

    Attributes:
        key: where it is in its zone.
        name: its path or URL for messages, with no secret in it; it names the same place.
        size_bytes: its size; -1 where nobody says it.
        modified_ns: its modification time, nanoseconds since 1970; -1 where nobody says it.
        identity: what else tells it from another file there: device and inode, an ETag, a version.
    """

    key: str
    name: str
    size_bytes: int
    modified_ns: int
    identity: str

    @property
    def is_dated(self) -> bool:
        """Whether it is known when it was last written."""
        return self.modified_ns >= 0

    @property
    def modified_at(self) -> datetime:
        """When it was last written, UTC."""
        return datetime.fromtimestamp(self.modified_ns / 1e9, UTC)


@dataclass(frozen=True, slots=True)
class ReadExport:
    """An export as it was read: what an accepted run remembers, for the next to be no older.

    Attributes:
        table: the table it holds.
        name: its path or URL.
        named_day: the last date in its name; None without one.
        size_bytes: its size; -1 where nobody says it.
        modified_ns: its modification time, nanoseconds since 1970; -1 where nobody says it.
        sha256: of its bytes as they lie there, hex.
        encoding: the encoding it was written in, `ascii` where no byte is beyond it; None where it
            is no text, or was not looked at.
        has_line_end: whether its last line has an end; None where it is no text.
        earlier: the `sha256` of exports of the table that were accepted before it, oldest first.
        is_again: whether it has the bytes of one that was accepted before the last one; not kept.
    """

    table: str
    name: str
    named_day: date | None
    size_bytes: int
    modified_ns: int
    sha256: str
    encoding: str | None = None
    has_line_end: bool | None = None
    earlier: tuple[str, ...] = ()
    is_again: bool = False

    @property
    def modified_at(self) -> datetime | None:
        """When it was last written, UTC; None where nobody says it."""
        return None if self.modified_ns < 0 else datetime.fromtimestamp(self.modified_ns / 1e9, UTC)
