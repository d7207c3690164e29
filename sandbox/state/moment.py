"""The database at one moment: its version, the pages of its lists, how moments are written."""

import sqlite3
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """The database at one moment, inside one transaction."""

    connection: sqlite3.Connection
    now: float
    index: "PageIndex"

    @property
    def version(self) -> int:
        """A number that moves whenever the database changes."""
        return self.connection.total_changes


class PageIndex:
    """The numbers of the rows that lists consist of, kept for as long as the database stays.

    A page is then found by its rows' numbers, however far back it is; to count and to skip the
    rows before it takes as long as all of them.
    """

    _MOST_LISTS = 16

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._version = -1
        self._lists: dict[tuple[object, ...], array[int]] = {}

    def numbers(self, moment: Moment, select: str, values: Mapping[str, object]) -> "array[int]":
        """Return what a SELECT of one column of numbers finds now, in its order."""
        if moment.version != self._version or len(self._lists) >= self._MOST_LISTS:
            self._version, self._lists = moment.version, {}
        key = (select, *values.items())
        if key not in self._lists:
            found = moment.connection.execute(select, values)
            self._lists[key] = array("q", (number for (number,) in found))
        return self._lists[key]


def to_instant(at: float) -> str:
    """Return seconds since the epoch as the database writes them."""
    return to_text(datetime.fromtimestamp(at, UTC))


def to_text(at: datetime) -> str:
    """Return a UTC timestamp of fixed width, so that its order is that of the text.

    A timestamp without a zone is taken as UTC.
    """
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at.isoformat(timespec="microseconds")
