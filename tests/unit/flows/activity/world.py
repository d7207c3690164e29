"""A log, a clock and a Lumos in memory: activity runs in this process, with crashes on demand."""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import sqlalchemy as sa
from pydantic import SecretStr

from flows.run.context import RunContext
from loaders.archive.archive import Archive
from loaders.archive.folder import ArchiveFolder
from loaders.ledger.engine import to_engine
from loaders.ledger.ledger import Ledger, open_ledger
from loaders.lumos.client import LumosApi
from loaders.lumos.retries import Retry
from schemas.settings import Settings
from schemas.source_file.file import Source, to_source

BEGIN = datetime(2020, 7, 1, tzinfo=UTC)
URL = "https://lumos.example"

Record = tuple[str, str, str]
"""An account, an event type, a moment."""


class CrashError(BaseException):
    """The process ends here. No handler of ours catches it, as none catches a kill."""


class WatchedLedger(Ledger):
    """A ledger at which the process may end before and after each transaction."""

    def __init__(self, url: str, tick: Callable[[str], None]) -> None:
        super().__init__(to_engine(url))
        self._tick = tick

    def in_transaction(self, work: Callable[[sa.Connection], Any]) -> Any:
        self._tick("before a transaction")
        found = super().in_transaction(work)
        self._tick("after a transaction")
        return found


class WatchedFolder:
    """An archive's folder at which the process may end before and after each frame."""

    def __init__(self, root: Path, tick: Callable[[str], None]) -> None:
        self._folder = ArchiveFolder(root)
        self._tick = tick
        self.read, self.folders, self.remove = (
            self._folder.read,
            self._folder.folders,
            self._folder.remove,
        )

    def write(self, parts: tuple[str, ...], frame: pl.DataFrame) -> None:
        self._tick("before a frame is kept")
        self._folder.write(parts, frame)
        self._tick("after a frame was kept")


@dataclass
class World:
    """Lumos, a log and a clock.

    Attributes:
        folder: the workspace.
        keep: the source file's `keep`.
        now: the clock.
        lines: the log.
        batches: the records of every batch that was taken, in order.
        bodies: the same as bytes.
        asked: the job of every question about a state, in order.
        crash_in: how many more steps there are before the process ends; None never.
        crash_at: the step before which it ends, by its name; "" never.
    """

    folder: Path
    keep: str = "all"
    now: datetime = BEGIN
    lines: list[Record] = field(default_factory=list)
    batches: list[list[Record]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    crash_in: int | None = None
    crash_at: str = ""

    @property
    def source(self) -> Source:
        """The source `log`."""
        text = (
            "app: {id: app-1}\nsource: {kind: csv, accounts: a.csv}\n"
            f"activity: {{keep: {self.keep}, overlap: 1h, records_per_request: 2,"
            " source: {kind: csv, activity: log.csv, max_age: null}}\n"
        )
        return to_source(text, "log", "sources/log.yaml")

    def log(self, account: str, at: datetime, what: str = "LOGIN") -> Record:
        """Adds a line to the log."""
        record = (account, what, f"{at:%Y-%m-%dT%H:%M:%SZ}")
        self.lines.append(record)
        return record

    def write_log(self) -> None:
        rows = ["account_id,event_type,timestamp", *(",".join(line) for line in self.lines)]
        (self.folder / "log.csv").write_text("\n".join(rows) + "\n", "utf-8")

    def tick(self, what: str) -> None:
        """A point at which the process may end."""
        if what == self.crash_at:
            raise CrashError(what)
        if self.crash_in is not None:
            self.crash_in -= 1
            if self.crash_in < 0:
                raise CrashError(what)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Lumos: takes a batch whole, or is never told of it; a job is done when it is asked."""
        path = request.url.path
        if path == "/apps/app-1":
            return httpx.Response(200, json={"id": "app-1", "name": "X"})
        if request.method == "POST":
            self.tick("before a batch is taken")
            assert not self.is_done(request.content), "a batch that is done is sent again"
            self.bodies.append(request.content)
            self.batches.append([_to_record(one) for one in json.loads(request.content)["records"]])
            self.tick("after a batch was taken")
            return httpx.Response(200, json={"job": {"job_id": f"job-{len(self.batches)}"}})
        job_id = path.rpartition("/")[2]
        self.tick(f"before the state of {job_id} is told")
        self.asked.append(job_id)
        return httpx.Response(200, json={"job_id": job_id, "state": "DONE"})

    @contextmanager
    def context(self) -> Iterator[RunContext]:
        """What a run works with; what it writes down are points at which it may end."""
        api = LumosApi(
            URL,
            SecretStr("t"),
            transport=httpx.MockTransport(self.answer),
            retry=Retry(attempts=1),
            sleep=lambda _: None,
        )
        state = self.folder / "state"
        state.mkdir(exist_ok=True)
        url = f"sqlite:///{self.ledger_path}"
        archive = Archive(WatchedFolder(state / "archive", self.tick))
        settings = Settings(
            URL, SecretStr("t"), state, url, str(state), timedelta(days=90), self.folder
        )
        if not self.ledger_path.exists():
            open_ledger(url).close()
        with WatchedLedger(url, self.tick) as ledger, api:
            yield RunContext(settings, ledger, archive, api, now=lambda: self.now, sleep=self.sleep)

    @property
    def ledger_path(self) -> Path:
        """The ledger's file."""
        return self.folder / "state" / "ledger.db"

    def is_done(self, body: bytes) -> bool:
        """Whether the ledger has a batch of these bytes as done."""
        digest = hashlib.sha256(body).hexdigest()
        query = "SELECT count(*) FROM ledger_batches WHERE content_hash = ? AND done_at IS NOT NULL"
        with closing(sqlite3.connect(self.ledger_path)) as connection:
            return bool(connection.execute(query, (digest,)).fetchone()[0])

    def sleep(self, seconds: float) -> None:
        """Moves the clock."""
        self.now += timedelta(seconds=seconds)


def _to_record(sent: dict[str, Any]) -> Record:
    return sent["account"]["external_id"], sent["event"]["type"], sent["timestamp"]
