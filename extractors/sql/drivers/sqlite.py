"""SQLite by Python's own driver, from a file that is opened for reading only."""

import sqlite3
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from extractors.sql.drivers.cursor import Begun, CursorSession, local_clock
from extractors.sql.session.timeouts import deadline


def connect_sqlite(path: Path, wait_s: float) -> sqlite3.Connection:
    """Opens the file for reading only; `wait_s` is how long another's lock is waited for."""
    return sqlite3.connect(
        f"file:{quote(str(path))}?mode=ro",
        uri=True,
        timeout=wait_s,
        isolation_level=None,
        check_same_thread=False,  # interrupt() comes from the watch
    )


@dataclass(eq=False, kw_only=True)
class SqliteSession(CursorSession):
    """A SQLite file."""

    without_rows: ClassVar[str] = " LIMIT 0"

    def _begin(self) -> Begun:
        self.run("PRAGMA query_only = ON", "BEGIN", "SELECT 1 FROM sqlite_master")
        return "opened read-only, one transaction", ()

    def bindable(self, value: object) -> object:
        """Returns a time as the text that SQLite's own functions write."""
        return clock_text(value, self.zone) if isinstance(value, datetime) else value

    def deadline(self) -> AbstractContextManager[None]:
        """Interrupts what takes longer than `timeout_s`: SQLite has no limit of its own."""
        return deadline(self.timeout_s, self.connection.interrupt)


def clock_text(moment: datetime, zone: str | None) -> str:
    """Writes a moment as SQLite's functions do: `2026-01-02 03:04:05`, by the clock of `zone`."""
    return local_clock(moment, zone).isoformat(" ", "seconds")
