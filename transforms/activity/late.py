"""Files of a log that came too late: written since the watermark, all rows from before it."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl


@dataclass(frozen=True, slots=True)
class FileTimes:
    """What is known of one file's rows.

    Attributes:
        row_count: those that were read.
        newest: the newest time of a row, UTC; None without one.
        written_at: when the file was last written, UTC; None where nobody says it.
    """

    row_count: int = 0
    newest: datetime | None = None
    written_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LateFile:
    """A file whose every row is from before the time asked for, though it was written in it.

    Attributes:
        name: its path or URL.
        row_count: its rows.
    """

    name: str
    row_count: int


def with_rows(times: FileTimes, timestamps: pl.Series, written_at: datetime | None) -> FileTimes:
    """Returns what is known of a file with these rows (`UTC_TIME`, null where it has none) too."""
    newest = timestamps.max()
    known = [one for one in (newest, times.newest) if isinstance(one, datetime)]
    return FileTimes(times.row_count + timestamps.len(), max(known) if known else None, written_at)


def late_files(files: dict[str, FileTimes], since: datetime | None) -> tuple[LateFile, ...]:
    """Returns the files that came too late for a read from `since` on.

    One that is read again each night is none: it holds the record that the watermark stands at.
    """
    return tuple(
        LateFile(name, times.row_count)
        for name, times in files.items()
        if since is not None
        and times.written_at is not None
        and times.written_at >= since
        and times.newest is not None
        and times.newest < since
    )
