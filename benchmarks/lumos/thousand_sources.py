"""A night of a thousand sources over 1, 4 and 16 workers: what a source costs, beside a hundred.

`python -m benchmarks.lumos.thousand_sources [--sources N …] [--workers N …] [--history NIGHTS]`:
the real ledger in a private PostgreSQL that has NIGHTS nights of each source already, a Lumos and
a clock in memory, the archive in a folder. Each worker is a process; as a flow run does, it opens
the ledger anew for each source, asks whether the source is done, takes its leases and syncs it. A
job takes 20 seconds of the worker's own clock, so `night` is how long the workers would be at it,
and `wall` how long they took without the waiting. Statements and connections are those of the
ledger; CPU is that of the workers and that of the server. Then a pass of the watchdog, and a night
of `nightly`.
"""

import argparse
import logging
import os
import resource
import shutil
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

import httpx
import psycopg
import sqlalchemy as sa
from pydantic import SecretStr

from flows.orchestration.night import Patience, ask_again, deployments_of
from flows.orchestration.nightly_flow import Night, run_night
from flows.run.context import RunContext
from flows.schedule.timetable import Duty, served_last
from flows.sync.order import sync_source
from loaders.archive.archive import open_archive
from loaders.ledger.leases import app_lease
from loaders.ledger.ledger import Ledger, open_ledger
from loaders.lumos.client import LumosApi
from schemas.settings import Settings
from schemas.source_file.file import Source, to_source
from tests.postgresql_server import PostgresqlServer, running_postgresql
from tests.unit.flows.orchestration.prefect_in_memory import InMemoryPrefect
from tests.unit.flows.sync.world import Lumos

URL = "https://lumos.example"
FIRST_NIGHT = datetime(2026, 6, 1, 2, tzinfo=UTC)
DAY = timedelta(days=1)
JOB_S = 20
ACCOUNTS = 20

_COUNTED: Counter[str] = Counter()


def count_statements() -> None:
    """Counts, from now on, what this process asks of ledgers, and the connections it makes."""

    def counted(name: str) -> Callable[..., None]:
        return lambda *_: _COUNTED.update([name])

    sa.event.listen(sa.Engine, "before_cursor_execute", counted("statements"))
    sa.event.listen(sa.pool.Pool, "connect", counted("connections"))


@dataclass
class Worker:
    """A worker: its clock, and what is the same for all of its runs."""

    folder: Path
    ledger_url: str
    now: datetime = FIRST_NIGHT

    def sleep(self, seconds: float) -> None:
        """Moves the clock."""
        self.now += timedelta(seconds=seconds)

    def run(self, name: str) -> None:
        """A run of the source, from nothing to accepted."""
        due_at, source = self.now, self._source(name)
        lumos = Lumos({f"app-{name}": name}, {f"app-{name}": {}}, job_time=timedelta(seconds=JOB_S))
        with (
            self._context(lumos) as context,
            app_lease(context.ledger, f"flow run {uuid4()}", now=context.now),
        ):
            served = served_last(context.ledger, Duty(name, "sync"))
            if served is None or served.started_at < due_at:
                sync_source(source, context)

    def _source(self, name: str) -> Source:
        path = self.folder / f"{name}.csv"
        rows = [f"{n},{name}-{n}@example.com,ACTIVE,Role {n % 5}" for n in range(ACCOUNTS)]
        text = "\n".join(["integration_specific_id,email,user_status,roles", *rows]) + "\n"
        path.write_text(text, "utf-8")
        os.utime(path, (self.now.timestamp(), self.now.timestamp()))
        file = (
            f"app: {{id: app-{name}}}\n"
            f"source: {{kind: csv, accounts: {name}.csv, max_age: null}}\n"
            "entitlements: [{type: Role, column: roles}]\n"
        )
        return to_source(file, name, f"sources/{name}.yaml")

    @contextmanager
    def _context(self, lumos: Lumos) -> Iterator[RunContext]:
        token = SecretStr("t")
        transport = httpx.MockTransport(lambda request: lumos.answer(request, self.now))
        archive = str(self.folder / "archive")
        settings = Settings(
            URL, token, self.folder, self.ledger_url, archive, timedelta(days=90), self.folder
        )
        with (
            open_ledger(self.ledger_url) as ledger,
            LumosApi(URL, token, transport=transport, sleep=self.sleep) as api,
        ):
            yield RunContext(
                settings, ledger, open_archive(archive), api, now=lambda: self.now, sleep=self.sleep
            )


def work(pipe: Connection) -> None:
    """A worker's process: does the runs that come, and tells what each took."""
    count_statements()
    worker: Worker | None = None
    pipe.send("ready")
    while (message := pipe.recv()) is not None:
        if isinstance(message, Worker):
            worker, begun = message, _cpu_s()
            _COUNTED.clear()
        elif worker is not None and message:
            worker.run(message)
            pipe.send(None)
        elif worker is not None:
            pipe.send((worker.now, _COUNTED, _cpu_s() - begun))


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@dataclass
class Figures:
    """What a night, or a pass, took, in seconds; counts for all sources together."""

    wall_s: float
    night: timedelta = timedelta(0)
    counted: Counter[str] = field(default_factory=Counter)
    cpu_s: float = 0.0
    server_s: float = 0.0

    def line(self, what: str, sources: int) -> str:
        """A row of the table."""
        each = 1000 / sources
        return (
            f"| {sources} | {what} | {self.wall_s:.1f} | {self.night.total_seconds() / 60:.0f} min"
            f" | {self.counted['statements'] / sources:.1f}"
            f" | {self.counted['connections'] / sources:.2f}"
            f" | {self.cpu_s * each:.1f} | {_or_blank(self.server_s * each)} |"
        )


def _or_blank(number: float) -> str:
    return f"{number:.1f}" if number else ""


class Workers:
    """Processes that are there from the first night on; a night is given to the first of them."""

    def __init__(self, count: int) -> None:
        context = get_context("spawn")
        self._pipes: list[Connection] = []
        self._processes = []
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=work, args=(theirs,), daemon=True)
            process.start()
            self._pipes.append(ours)
            self._processes.append(process)
        for pipe in self._pipes:
            pipe.recv()

    def end(self) -> None:
        """Lets them end."""
        for pipe, process in zip(self._pipes, self._processes, strict=True):
            pipe.send(None)
            process.join()

    def night(self, count: int, worker: Worker, sources: list[str]) -> Figures:
        """A night in which each of so many workers takes the next source when it is free."""
        pipes = self._pipes[:count]
        waiting, busy = deque(sources), list(pipes)
        for pipe in pipes:
            pipe.send(worker)
            pipe.send(waiting.popleft())
        began = time.perf_counter()
        while busy:
            for pipe in [one for one in wait(busy) if isinstance(one, Connection)]:
                pipe.recv()
                if waiting:
                    pipe.send(waiting.popleft())
                else:
                    busy.remove(pipe)
        figures = Figures(time.perf_counter() - began)
        for pipe in pipes:
            pipe.send("")
            ended_at, counted, cpu_s = pipe.recv()
            figures.night = max(figures.night, ended_at - worker.now)
            figures.counted += counted
            figures.cpu_s += cpu_s
        return figures


# The ledger, with what it has of the nights before.

_HISTORY = """
INSERT INTO ledger_runs (run_id, source, state, actor, started_at, ended_at, app_id, counts, plan,
                         job_ids, kind, end_number, api_url, content_hash)
SELECT 'before-' || night || '-' || number, 's' || number, 'unchanged', 'me@host',
       %(first)s - night * interval '1 day', %(first)s - night * interval '1 day',
       'app-s' || number, '{}', '{}', '[]', 'sync',
       (%(nights)s - night) * %(sources)s + number + 1, %(url)s, 'x'
FROM generate_series(%(nights)s, 1, -1) night, generate_series(0, %(sources)s - 1) number
"""
_ACCEPTED = """
UPDATE ledger_runs before SET state = 'done', counts = first.counts, plan = first.plan
FROM ledger_runs first
WHERE first.source = before.source AND first.state = 'done' AND before.state = 'unchanged'
"""


def write_history(url: str, sources: int, nights: int) -> None:
    """Has the ledger know so many nights of each source; they become accepted ones later."""
    open_ledger(url).close()
    given = {"first": FIRST_NIGHT, "nights": nights, "sources": sources, "url": URL}
    with psycopg.connect(url) as connection:
        connection.execute(_HISTORY, given)
        last = nights * sources
        connection.execute("UPDATE ledger_order SET last_number = %s", [last])


def accept_history(url: str) -> None:
    """Makes the nights before those of accepted runs; the database knows its tables then."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_ACCEPTED)
        connection.execute("VACUUM ANALYZE")


# Who looks after the night.


def to_prefect(sources: list[str]) -> InMemoryPrefect:
    """A Prefect server in memory with a deployment of each source, due every night."""
    prefect = InMemoryPrefect()
    for name in sources:
        schedule = {"cron": "0 2 * * *", "timezone": "UTC"}
        prefect.create_deployment({
            "flow_id": "flow of sync", "name": name, "parameters": {"source": name},
            "schedules": [{"schedule": schedule, "slug": "sync"}],
        })  # fmt: skip
    return prefect


def watched(ledger: Ledger, sources: list[str], night_at: datetime) -> Figures:
    """A pass of the watchdog when all of them are done."""
    prefect = to_prefect(sources)
    deployments = deployments_of(prefect.deployments(["sync"]))
    _COUNTED.clear()
    began, cpu_s = time.perf_counter(), _cpu_s()
    asked = ask_again(ledger, prefect, deployments, night_at + timedelta(hours=12), Patience())  # type: ignore[arg-type]
    if asked:
        raise SystemExit(f"{len(asked)} sources were not done")
    return Figures(time.perf_counter() - began, counted=+_COUNTED, cpu_s=_cpu_s() - cpu_s)


def fanned_out(ledger: Ledger, sources: list[str], night_at: datetime, workers: int) -> Figures:
    """A `nightly` over them; what its runs write down is not counted."""
    prefect = to_prefect(sources)
    deployments = deployments_of(prefect.deployments(["sync"]))
    now, left_s = night_at, 0.0

    def sleep(seconds: float) -> None:
        nonlocal now, left_s
        before = Counter(_COUNTED)
        now, left_s = now + timedelta(seconds=seconds), left_s + seconds
        for run in [one for one in prefect.flow_runs if one.state_type == "SCHEDULED"]:
            if left_s < JOB_S / workers:
                break
            left_s -= JOB_S / workers
            source = str(run.deployment_id).removeprefix("sync/")
            made = ledger.start_run(source, "me@host", now, f"app-{source}", api_url=URL)
            ledger.update_run(made.run_id, state="done", ended_at=now)
            prefect.end(run.id, "COMPLETED")
        _COUNTED.clear()
        _COUNTED.update(before)

    _COUNTED.clear()
    night = Night(night_at, deployments, night_at + DAY, Patience())
    began, cpu_s = time.perf_counter(), _cpu_s()
    end = run_night(night, ledger, prefect, lambda: now, sleep)  # type: ignore[arg-type]
    if len(end.accepted) != len(sources):
        raise SystemExit(f"{len(end.accepted)} of {len(sources)} are accepted")
    return Figures(time.perf_counter() - began, now - night_at, +_COUNTED, _cpu_s() - cpu_s)


def server_cpu_s(server: PostgresqlServer) -> float:
    """What the server's ended connections have used so far."""
    assert server.process is not None
    text = Path(f"/proc/{server.process.pid}/stat").read_text()
    fields = text.rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def measure(
    server: PostgresqlServer, everyone: Workers, widths: list[int], count: int, history: int
) -> Iterator[str]:
    """A row for each width, then for those who look after the night."""
    name = f"sources_{count}"
    with psycopg.connect(f"{server.url}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    url = f"{server.url}/{name}"
    sources = [f"s{number}" for number in range(count)]
    write_history(url, count, history)
    folder = Path(mkdtemp(prefix="thousand-"))
    try:
        everyone.night(max(widths), Worker(folder, url), sources)
        accept_history(url)
        for number, width in enumerate(widths, 1):
            before = server_cpu_s(server)
            worker = Worker(folder, url, FIRST_NIGHT + number * DAY)
            figures = everyone.night(width, worker, sources)
            figures.server_s = server_cpu_s(server) - before
            yield figures.line(f"{width} workers", count)
    finally:
        shutil.rmtree(folder)
    last_night = FIRST_NIGHT + len(widths) * DAY
    with open_ledger(url) as ledger:
        yield watched(ledger, sources, last_night).line("watchdog, a pass", count)
        yield fanned_out(ledger, sources, last_night + DAY, max(widths)).line("nightly", count)


def main() -> None:
    """Measures, in turns, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--history", type=int, default=90)
    options = parser.parse_args()
    logging.getLogger("flows").setLevel(logging.ERROR)
    count_statements()
    print("| sources | | wall s | night | statements | connections | CPU ms | server's CPU ms |")
    print("| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    everyone = Workers(max(options.workers))
    with running_postgresql() as server:
        for count in options.sources:
            for line in measure(server, everyone, options.workers, count, options.history):
                print(line, flush=True)
    everyone.end()


if __name__ == "__main__":
    main()
