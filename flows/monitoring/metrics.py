"""What a workspace's ledger says, as metrics: by source, kind and table; of nobody.

Names are as Prometheus has them ("Metric and label naming", 2026): a base unit, `_total` for what
only grows, `_timestamp_seconds` for a moment.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from importlib.metadata import version

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from flows.run.context import RunContext
from flows.run.workspace import read_sources
from flows.schedule.due import due_after
from flows.schedule.timetable import schedules_of
from loaders.ledger.decisions import waiting_run
from loaders.ledger.ledger import Ledger
from loaders.ledger.tallies import run_tallies
from schemas.errors import ConfigError, StateError
from schemas.run import Run, RunKind, RunState
from schemas.source_file.file import Source

PREFIX = "lumos_ingest_"

_ENDS: tuple[RunState, ...] = ("done", "unchanged", "held", "failed")
_ACCEPTED: tuple[RunState, ...] = ("done", "unchanged")
_OF_RUN = ("source", "kind")
_FATES = ("read", "accepted", "merged", "rejected", "dropped", "kept")
_CHANGES = ("added", "changed", "removed")
_TABLES = ("accounts", "entitlements", "resources", "associations")


class LedgerMetrics(Collector):
    """The metrics of a workspace, read from its ledger at each collection."""

    def __init__(self, context: RunContext) -> None:
        self._context = context

    def collect(self) -> Iterable[Metric]:
        """The metrics as they are now; where the ledger cannot be read, that alone."""
        yield _gauge(
            "build_info", "The version of lumos-ingest.", ("version",), [_version_sample()]
        )
        try:
            of_ledger = [*_ledger_metrics(self._context.ledger)]
        except StateError:
            of_ledger = []
        is_up = float(bool(of_ledger))
        yield _gauge("ledger_up", "1 where the ledger can be read, else 0.", (), [((), is_up)])
        yield from of_ledger
        yield from _file_metrics(self._context)


Sample = tuple[Sequence[str], float]
"""The labels' values, and the metric's."""


def _version_sample() -> Sample:
    return (version("lumos-ingest"),), 1.0


def _gauge(
    name: str, text: str, labels: Sequence[str], samples: Iterable[Sample]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"{PREFIX}{name}", text, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def _ledger_metrics(ledger: Ledger) -> Iterator[Metric]:
    tallies = run_tallies(ledger)
    counter = CounterMetricFamily(
        f"{PREFIX}runs", "Runs that ended, by how they ended.", labels=(*_OF_RUN, "state")
    )
    for tally in tallies:
        counter.add_metric((tally.source, tally.kind, tally.state), tally.count)
    yield counter
    kinds = dict.fromkeys((tally.source, tally.kind) for tally in tallies)
    last = [run for key in kinds if (run := ledger.newest_run(*key, _ENDS)) is not None]
    accepted = [run for key in kinds if (run := ledger.newest_run(*key, _ACCEPTED)) is not None]
    yield from _last_run_metrics(last)
    yield _gauge(
        "last_accepted_timestamp_seconds",
        "When the last run that was accepted began.",
        _OF_RUN,
        [(_key(run), run.started_at.timestamp()) for run in accepted],
    )
    yield from _table_metrics(last, accepted)
    yield _gauge(
        "plan_waiting",
        "1 where a held plan waits for a person, else 0.",
        ("source",),
        [
            ((source,), float(_waits(ledger, source)))
            for source in dict.fromkeys(run.source for run in last if run.kind == "sync")
        ],
    )


def _key(run: Run) -> tuple[str, RunKind]:
    return run.source, run.kind


def _waits(ledger: Ledger, source: str) -> bool:
    waiting = waiting_run(ledger, source)
    return waiting is not None and waiting.decision is None


def _last_run_metrics(last: list[Run]) -> Iterator[Metric]:
    yield _gauge(
        "last_run_timestamp_seconds",
        "When the last run that ended, ended.",
        _OF_RUN,
        [(_key(run), _ended_at(run).timestamp()) for run in last],
    )
    yield _gauge(
        "last_run_duration_seconds",
        "How long the last run that ended took.",
        _OF_RUN,
        [(_key(run), (_ended_at(run) - run.started_at).total_seconds()) for run in last],
    )
    yield _gauge(
        "last_run_state",
        "1 for the state in which the last run ended, 0 for the others.",
        (*_OF_RUN, "state"),
        [((*_key(run), state), float(run.state == state)) for run in last for state in _ENDS],
    )


def _ended_at(run: Run) -> datetime:
    return run.ended_at or run.started_at


def _table_metrics(last: list[Run], accepted: list[Run]) -> Iterator[Metric]:
    syncs = [run for run in last if run.kind == "sync"]
    yield _gauge(
        "last_run_rows",
        "Rows of the last sync, by what became of them.",
        ("source", "table", "fate"),
        _counted(syncs, _FATES),
    )
    yield _gauge(
        "last_run_changes",
        "What the plan of the last sync changes.",
        ("source", "table", "change"),
        _counted(syncs, _CHANGES),
    )
    yield _gauge(
        "records",
        "Records of the snapshot that was accepted last.",
        ("source", "table"),
        [
            ((run.source, table), run.counts[f"{table}_total"])
            for run in accepted
            for table in _TABLES
            if run.kind == "sync" and f"{table}_total" in run.counts
        ],
    )
    yield _gauge(
        "last_run_activity_records",
        "Activity records that the last run sent.",
        _OF_RUN,
        [(_key(run), run.counts["activity_sent"]) for run in last if "activity_sent" in run.counts],
    )


def _counted(runs: list[Run], names: Sequence[str]) -> list[Sample]:
    return [
        ((run.source, table, name), run.counts[f"{table}_{name}"])
        for run in runs
        for table in _TABLES
        for name in names
        if f"{table}_{name}" in run.counts
    ]


def _file_metrics(context: RunContext) -> Iterator[Metric]:
    """Of the source files: which are right, and when what they schedule is due."""
    try:
        sources, broken = read_sources(context.settings.workspace)
    except ConfigError:
        return
    names = {**{source.name: 1.0 for source in sources}, **dict.fromkeys(broken, 0.0)}
    yield _gauge(
        "source_file_valid",
        "1 where the source's file is right, else 0.",
        ("source",),
        [((name,), value) for name, value in sorted(names.items())],
    )
    yield _due_metric(sources, context.now())


def _due_metric(sources: list[Source], now: datetime) -> Metric:
    return _gauge(
        "next_due_timestamp_seconds",
        "When the schedule of the source's file is due next.",
        _OF_RUN,
        [
            ((duty.source, duty.kind), due_after(schedule, now).timestamp())
            for duty, schedule in schedules_of(sources).items()
        ],
    )
