"""A file of a drop zone as it stood when it was found: what a read hands on to the archiving."""

from dataclasses import dataclass
from datetime import UTC, datetime


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
