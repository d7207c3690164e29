"""The sandbox's own database: apps, accounts, jobs and activity in SQLite.

Everything is read and written through `Store.current`, which first applies the jobs
that have ended by the clock. Requests come in threads of their own: one at a time has the
connection, and it is closed between two of them.
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

from sandbox.errors import stopped
from sandbox.state.jobs import settle_jobs
from sandbox.state.moment import Moment, PageIndex
from sandbox.state.tables import SCHEMA

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
        self._index = PageIndex()
        self._connection = sqlite3.connect("" if db is None else db, check_same_thread=False)
        self.close = weakref.finalize(self, _close, self._lock, self._connection)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA synchronous=off")
        if db is not None:
            self._connection.execute("PRAGMA journal_mode=wal")
        self._connection.executescript(SCHEMA)
        self._connection.create_function("new_id", 0, lambda: str(uuid4()))

    @contextmanager
    def current(self) -> Iterator[Moment]:
        """Hold the database as it is now, with every ended job applied; commit at the end.

        Raises:
            RefusedError: the store was closed (503).
        """
        with self._lock:
            if not self.close.alive:
                raise stopped()
            now = self.clock()
            with self._connection:
                settle_jobs(self._connection, now, snapshot=self.uploads == "snapshot")
            with self._connection:
                yield Moment(self._connection, now, self._index)


def _close(lock: threading.Lock, connection: sqlite3.Connection) -> None:
    """Close the connection once nobody is at work on it.

    Closed beneath a statement of another thread, it takes the whole process down.
    """
    with lock:
        connection.close()
