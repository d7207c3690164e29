"""The sandbox's own database: apps, accounts, jobs and activity in SQLite.

Everything is read and written through `Store.current`, which first applies the jobs
that have ended by the clock.
"""

import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from uuid import uuid4

from sandbox.jobs import settle_jobs
from sandbox.moment import Moment
from sandbox.tables import SCHEMA

UploadsMode = Literal["snapshot", "merge"]


class Store:
    """One database and the rules by which uploads change it."""

    def __init__(
        self,
        db: Path | None,
        *,
        uploads: UploadsMode,
        job_seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open `db`, or a private temporary database that is gone with the store."""
        self.uploads: UploadsMode = uploads
        self.job_seconds = job_seconds
        self.clock = clock
        self._lock = threading.Lock()
        self._connection = sqlite3.connect("" if db is None else db, check_same_thread=False)
        self.close = weakref.finalize(self, self._connection.close)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA synchronous=off")
        if db is not None:
            self._connection.execute("PRAGMA journal_mode=wal")
        self._connection.executescript(SCHEMA)
        self._connection.create_function("new_id", 0, lambda: str(uuid4()))

    @contextmanager
    def current(self) -> Iterator[Moment]:
        """Hold the database as it is now, with every ended job applied; commit at the end."""
        with self._lock:
            now = self.clock()
            with self._connection:
                settle_jobs(self._connection, now, snapshot=self.uploads == "snapshot")
            with self._connection:
                yield Moment(self._connection, now)

    @property
    def version(self) -> int:
        """A number that moves whenever the database changes."""
        return self._connection.total_changes
