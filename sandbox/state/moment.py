"""The database at one moment, and how moments are written in it."""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """The database at one moment, inside one transaction."""

    connection: sqlite3.Connection
    now: float

    @property
    def version(self) -> int:
        """A number that moves whenever the database changes."""
        return self.connection.total_changes


def to_instant(at: float) -> str:
    """Return seconds since the epoch as the database writes them."""
    return to_text(datetime.fromtimestamp(at, UTC))


def to_text(at: datetime) -> str:
    """Return a UTC timestamp of fixed width, so that its order is that of the text.

    A timestamp without a zone is taken as UTC.
    """
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at.isoformat(timespec="microseconds")
