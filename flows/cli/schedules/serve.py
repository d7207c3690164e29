"""The command `serve`: every scheduled source on its schedule, in this process."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from flows.cli.activity import send_one
from flows.cli.each_source import (
    SIGNALLED,
    RunOne,
    check_prefect,
    run_alone,
    stopped,
)
from flows.cli.output import Output, log_to_stderr
from flows.cli.sync import sync_one
from flows.cli.telemetry import write_metrics_file
from flows.notices.notify import tell_broken
from flows.run.context import RunContext, open_context
from flows.run.settings import read_settings
from flows.run.side_by_side import Slots, stopped_by_signals
from flows.run.workspace import read_sources, source_paths
from flows.schedule.serve import Serving, serve
from flows.schedule.timetable import Duty, Timetable, schedules_of
from flows.sync.origin import THE_SOURCE, SyncOptions
from schemas.errors import (
    ConfigError,
    ContractError,
    GuardError,
    IngestError,
    PrefectServerError,
)
from schemas.source_file.blocks import Schedule
from schemas.source_file.file import Source

_WORK: Mapping[str, RunOne] = {
    "sync": partial(sync_one, SyncOptions(allow_removals=False, origin=THE_SOURCE)),
    "activity": send_one,
}
_NO_USE_TO_RETRY = (ConfigError, ContractError, GuardError)
_TOLD_EVERY_S = 3600.0
"""How often a file that stays wrong is looked at for telling; the ledger knows what is news."""


def serve_command(
    workspace: Path, *, jobs: int, metrics_port: int | None = None, as_json: bool
) -> int:
    """Runs what is due until a signal comes; 128 and that signal's number.

    Raises:
        ConfigError: no source has a schedule; a setting is wrong; the port is taken.
        StateError: the ledger or the archive cannot be used.
    """
    output = Output(as_json=as_json)
    log_to_stderr(verbose=as_json)
    settings = read_settings(workspace)
    check_prefect(os.environ.get("PREFECT_API_URL"))
    slots = Slots(jobs)
    with (
        stopped_by_signals(slots) as came,
        open_context(settings, sleep=slots.sleep) as context,
        _metrics(metrics_port, context, output),
    ):
        files = _Files(context, output)
        _end_dead_runs(context, output)
        begun_at = context.now()
        timetable = Timetable(context.ledger)
        serving = Serving(
            files.changed,
            partial(_run, context, slots, output),
            lambda duties: _show_changed(timetable, output, context.now(), duties),
            partial(_ended, timetable, context, output),
            context.now,
        )
        at_work, has_stuck = serve(serving, timetable, slots)
        for name in dict.fromkeys(duty.source for duty in at_work):
            stopped(files.good[name], begun_at, context, output)
        output.note("lumos-ingest: serve: stopped; started again, it makes up for what was missed")
        code = SIGNALLED + came[0] if came else 0
        if has_stuck:
            os._exit(code)  # a thread within a library notices nothing
    return code


def _end_dead_runs(context: RunContext, output: Output) -> None:
    """Ends, at the Prefect server that is named, if any, the runs of processes that were killed."""
    if not os.environ.get("PREFECT_API_URL"):
        return
    from flows.orchestration.prefect_api import open_prefect_api
    from flows.orchestration.run_leases import end_dead_runs

    try:
        with open_prefect_api() as api:
            ended = end_dead_runs(context.ledger, api, [], context.now())
    except PrefectServerError as error:
        output.error(f"serve: {error}")
        return
    for run in ended:
        output.note(f"lumos-ingest: {run.name}: was cut off, and is ended at the Prefect server")


class _Files:
    """The source files, read again where one of them changed."""

    def __init__(self, context: RunContext, output: Output) -> None:
        self._context = context
        self._workspace = context.settings.workspace
        self._output = output
        self._seen: dict[Path, tuple[int, int]] | None = None
        self._broken: dict[str, ConfigError] = {}
        self._told_at = 0.0
        self.good: dict[str, Source] = {}

    def changed(self) -> list[Source] | None:
        """The good sources, where a file is new, changed or gone since the last call.

        Who looks after the workspace is told of each that is wrong: its source has no night.

        Raises:
            ConfigError: at the first call: there are none, or none has a schedule.
        """
        is_first = self._seen is None
        seen = self._stats()
        if seen == self._seen:
            if time.monotonic() - self._told_at > _TOLD_EVERY_S:
                self._tell()
            return None
        self._seen = seen
        sources, broken = read_sources(self._workspace) if seen else ([], {})
        known = set(map(str, self._broken.values()))
        for line in sorted({str(error) for error in broken.values()} - known):
            self._output.error(line)
        self._broken = broken
        self._tell()
        if is_first and not schedules_of(sources):
            raise ConfigError(
                f"{self._workspace / 'sources'}: no source has a schedule: write "
                'schedule: {cron: "0 2 * * *", timezone: UTC} into its file'
            )
        self.good |= {source.name: source for source in sources}
        return sources

    def _tell(self) -> None:
        self._told_at = time.monotonic()
        for name, error in self._broken.items():
            tell_broken(name, error, self._context)

    def _stats(self) -> dict[Path, tuple[int, int]]:
        paths = source_paths(self._workspace) if self._seen is None else _paths(self._workspace)
        stats = {}
        for path in paths:
            try:
                stat = path.stat()
            except FileNotFoundError:  # replaced just now
                continue
            stats[path] = (stat.st_mtime_ns, stat.st_size)
        return stats


def _paths(workspace: Path) -> list[Path]:
    """The source files; none where all of them are gone, which ends nothing."""
    try:
        return source_paths(workspace)
    except ConfigError:
        return []


def _run(context: RunContext, slots: Slots, output: Output, source: Source, duty: Duty) -> bool:
    """Does what is due; whether a failure of it may be tried again."""
    may_retry = False

    def work(source: Source, context: RunContext, output: Output) -> tuple[int, dict[str, object]]:
        nonlocal may_retry
        try:
            return _WORK[duty.kind](source, context, output)
        except IngestError as error:
            may_retry = not isinstance(error, _NO_USE_TO_RETRY)
            raise

    def progress(_stage: str, _done: int, _total: int) -> None:
        slots.check()

    with output.together():
        _, document = run_alone(source, replace(context, progress=progress), output, work)
        output.json_line(document)
    return may_retry


def _show_changed(timetable: Timetable, output: Output, now: datetime, duties: list[Duty]) -> None:
    rows = []
    for duty in sorted(duties):
        entry = timetable.entries.get(duty)
        if entry is None:
            rows.append((duty.source, duty.kind, "", "no longer"))
            continue
        is_missed = entry.next_at <= now
        when = "now: it was missed" if is_missed else _local(entry.schedule, entry.next_at)
        rows.append((duty.source, duty.kind, entry.schedule.cron, when))
    output.table("schedules", ("source", "what", "cron", "next"), rows)


@contextmanager
def _metrics(port: int | None, context: RunContext, output: Output) -> Iterator[None]:
    """The block in which the metrics are served, where a port is given."""
    if port is None:
        yield
        return
    from flows.monitoring.exposition import LOOPBACK, served_metrics

    with served_metrics(port, context) as served:
        output.note(f"lumos-ingest: serve: metrics are at http://{LOOPBACK}:{served}/metrics")
        yield


def _ended(
    timetable: Timetable, context: RunContext, output: Output, duty: Duty, next_at: datetime | None
) -> None:
    _show_next(timetable, output, duty, next_at)
    write_metrics_file(context)


def _show_next(timetable: Timetable, output: Output, duty: Duty, next_at: datetime | None) -> None:
    entry = timetable.entries.get(duty)
    if entry is not None and next_at is not None:
        what = "tried again" if entry.tries else "due"
        text = f"{duty.source}: {duty.kind} is {what} at {_local(entry.schedule, next_at)}"
        output.line(text)


def _local(schedule: Schedule, moment: datetime) -> str:
    """The moment on the clocks of the schedule's zone."""
    local = moment.astimezone(ZoneInfo(schedule.timezone))
    return f"{local:%Y-%m-%d %H:%M %Z}"
