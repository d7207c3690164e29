"""Where the runs of a test happen: a folder, a clock, and a process that may end at any step."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
import polars as pl
import sqlalchemy as sa
from pydantic import SecretStr

from flows.run.context import RunContext
from loaders.archive.archive import Archive
from loaders.ledger.engine import to_engine
from loaders.ledger.ledger import Ledger
from loaders.ledger.tables import leases, metadata
from loaders.lumos.client import LumosApi
from loaders.lumos.retries import Retry
from schemas.errors import StateError
from schemas.settings import Settings

BEGIN = datetime(2020, 7, 1, tzinfo=UTC)
URL = "https://lumos.example"
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where a file need not be on a disk to be whole: hundreds of runs would wait for it."""


class CrashError(BaseException):
    """The process ends here. No handler of ours catches it, as none catches a kill."""


class LawBrokenError(BaseException):
    """What must never happen did. No handler of ours catches it."""


def must(is_so: object, law: str) -> None:
    """Ends a test whose world has seen a law broken.

    Raises:
        LawBrokenError: it is not so.
    """
    if not is_so:
        raise LawBrokenError(law)


class WatchedLedger(Ledger):
    """A ledger at which the process may end before and after each transaction."""

    def __init__(self, engine: sa.Engine, tick: Callable[[str], None]) -> None:
        super().__init__(engine)
        self._tick = tick

    def in_transaction(self, work: Callable[[sa.Connection], Any]) -> Any:
        self._tick("before a transaction")
        found = super().in_transaction(work)
        self._tick("after a transaction")
        return found


@dataclass
class MemoryPlace:
    """An archive's frames in memory; the process may end before and after each is kept."""

    tick: Callable[[str], None]
    frames: dict[tuple[str, ...], pl.DataFrame] = field(default_factory=dict)

    def write(self, parts: tuple[str, ...], frame: pl.DataFrame) -> None:
        self.tick("before a frame is kept")
        self.frames[parts] = frame
        self.tick("after a frame was kept")

    def read(
        self, parts: tuple[str, ...], pick: Callable[[pl.LazyFrame], pl.LazyFrame]
    ) -> pl.DataFrame:
        if parts not in self.frames:
            raise StateError(f"the archive has no {'/'.join(parts)}")
        return pick(self.frames[parts].lazy()).collect()

    def folders(self, name: str) -> list[str]:
        return sorted({parts[1] for parts in self.frames if parts[0] == name})

    def remove(self, parts: tuple[str, ...]) -> None:
        for kept in [one for one in self.frames if one[: len(parts)] == parts]:
            del self.frames[kept]


@dataclass
class Machine:
    """A workspace, its clock, its ledger and its archive, from one process to the next.

    Attributes:
        folder: the workspace.
        now: the clock.
        attempts: how often a request is made that Lumos cannot answer.
        steps: the points at which a process might have ended, so far.
        crash_in: how many more of them there are before it ends; None never.
        crash_at: the point at which it ends, by its name; "" never.
        watch: told the name of every point that is reached.
    """

    folder: Path
    now: datetime = BEGIN
    attempts: int = 1
    steps: int = 0
    crash_in: int | None = None
    crash_at: str = ""
    watch: Callable[[str], None] = lambda _: None

    def __post_init__(self) -> None:
        self.place = MemoryPlace(self.tick)
        self.stages: list[tuple[str, int, int]] = []
        self.url = f"sqlite:///{self.folder / 'ledger.db'}"
        # One for all processes: it keeps what it has compiled, which is a third of a run's time.
        self.engine = to_engine(self.url)
        metadata.create_all(self.engine)

    def close(self) -> None:
        """Closes the ledger."""
        self.engine.dispose()

    @property
    def ledger(self) -> Ledger:
        """The ledger, for who looks on: no process ends here."""
        return Ledger(self.engine)

    def tick(self, what: str) -> None:
        """A point at which the process may end; once it has, nothing more is done."""
        self.steps += 1
        self.watch(what)
        if what == self.crash_at:
            self.crash_in = 0
        if self.crash_in is not None:
            self.crash_in -= 1
            if self.crash_in < 0:
                raise CrashError(what)

    def sleep(self, seconds: float) -> None:
        """Moves the clock."""
        self.now += timedelta(seconds=seconds)

    @contextmanager
    def open(self, answer: Callable[[httpx.Request], httpx.Response]) -> Iterator[RunContext]:
        """What a run works with; what it writes down are points at which it may end."""
        api = LumosApi(
            URL,
            SecretStr("t"),
            transport=httpx.MockTransport(answer),
            retry=Retry(attempts=self.attempts),
            sleep=self.sleep,
        )
        settings = Settings(
            URL, SecretStr("t"), self.folder, self.url, "memory", timedelta(days=90), self.folder
        )
        ledger = WatchedLedger(self.engine, self.tick)
        with api:
            yield RunContext(
                settings,
                ledger,
                Archive(self.place),
                api,
                now=lambda: self.now,
                sleep=self.sleep,
                progress=lambda *stage: self.stages.append(stage),
            )

    def loses_its_lease(self) -> None:
        """Another process takes every lease, as it may once they have run out."""
        taken = leases.update().values(token="another's")
        self.ledger.in_transaction(lambda connection: connection.execute(taken))

    def crashes(self, work: Callable[[], object], point: int | str) -> bool:
        """Whether the process ends at a point, while it does `work`; its leases run out after."""
        self.crash_in, self.crash_at = (point, "") if isinstance(point, int) else (None, point)
        try:
            work()
        except CrashError:
            return True
        finally:
            self.crash_in, self.crash_at = None, ""
            self.now += timedelta(minutes=3)
        return False


_World = TypeVar("_World", bound=Machine)


@contextmanager
def in_memory(kind: Callable[[Path], _World]) -> Iterator[_World]:
    """A world of that kind whose files are on no disk."""
    usual = tempfile.tempdir
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        world = kind(Path(folder))
        tempfile.tempdir = folder  # copies of exports, too
        try:
            yield world
        finally:
            tempfile.tempdir = usual
            world.close()
