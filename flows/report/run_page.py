"""The page of a run: all that ledger and archive know of it, ready to be shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from flows.report.changes import ChangesShown, changes_of
from flows.report.guards import GuardsShown, guards_of
from flows.report.hashes import Names
from flows.report.headline import Headline, Tone, to_headline, to_standing
from flows.report.reading import Reading, reading_of, size_text
from flows.run.context import RunContext
from flows.run.summary import time_text
from loaders.ledger.decisions import decisions_on
from schemas.plan import Changes
from schemas.run import Run
from schemas.source_file.quantities import duration_text
from schemas.statuses import CAN_LOG_IN, UPLOAD_STATUSES

RUNS_SHOWN = 30
"""Runs in the chart of a source's size."""

_TONES: dict[str, Tone] = {"done": "good", "unchanged": "good", "held": "warn", "failed": "bad"}
_CHART_HEIGHT = 100.0
_LOWEST = 1.5
"""How high a column is at least, so that it can be seen."""

_TABLES = ("accounts", "entitlements", "associations")
_KINDS = ("before", "after", "added", "changed", "removed")


@dataclass(frozen=True, slots=True)
class TableChange:
    """A table's changes, and how long their bars are, in percent."""

    table: str
    counts: Changes
    added_percent: float
    removed_percent: float


@dataclass(frozen=True, slots=True)
class StatusCount:
    """How many accounts have a status now, and had before; None where that is not known."""

    status: str
    tone: Tone
    now: int
    before: int | None
    percent: float


@dataclass(frozen=True, slots=True)
class SizePoint:
    """A run in the chart of the source's size; its column in units of the chart."""

    run_id: str
    when: str
    state: str
    tone: Tone
    size: int | None
    height: float
    is_this: bool


@dataclass(frozen=True, slots=True)
class StageBar:
    """What a stage took, and how long its bars are, in percent."""

    stage: str
    time: str
    time_percent: float
    memory: str
    memory_percent: float


@dataclass(frozen=True, slots=True)
class Said:
    """A decision on the run, as the page shows it."""

    decision: str
    who: str
    when: str
    until: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunPage:
    """A run, ready to be shown.

    Attributes:
        run: the run.
        headline: what happened, why, and what to type.
        facts: what else there is to know of it, each with its name.
        tiles: the numbers that matter most, each with its name and tone.
        tables: what the plan changes, by table; none where there is no plan.
        becomes: what becomes of accounts: words, count, tone, and how long the bar is, in percent.
        statuses: the accounts by status.
        flips: how many accounts go from one status to another.
        fields: how many accounts differ in each field.
        sizes: the source's last runs, oldest first.
        sizes_of: what they count.
        guards: the guards.
        changes: what changes, account by account; or why that is not told.
        reading: what was read.
        decisions: what people decided.
        stages: what each stage took; None where that was not noted.
        took: how long the run took; "" while it goes on.
        has_ids: whether ids stand there in clear.
        workspace: the folder in which what the page names is typed.
        made_at: when the page was made.
    """

    run: Run
    headline: Headline
    facts: tuple[tuple[str, str], ...]
    tiles: tuple[tuple[str, int, Tone], ...]
    tables: tuple[TableChange, ...]
    becomes: tuple[tuple[str, int, Tone, float], ...]
    statuses: tuple[StatusCount, ...]
    flips: tuple[tuple[str, int], ...]
    fields: tuple[tuple[str, int], ...]
    sizes: tuple[SizePoint, ...]
    sizes_of: str
    guards: GuardsShown
    changes: ChangesShown | str
    reading: Reading
    decisions: tuple[Said, ...]
    stages: tuple[StageBar, ...] | None
    took: str
    has_ids: bool
    workspace: str
    made_at: str

    @property
    def moved(self) -> ChangesShown | None:
        """What changes, account by account; None where that is not told."""
        return self.changes if isinstance(self.changes, ChangesShown) else None


def to_run_page(run: Run, context: RunContext, names: Names) -> RunPage:
    """All that ledger and archive know of the run.

    Raises:
        StateError: the ledger cannot be read.
    """
    others = context.ledger.runs(run.source)
    decisions = decisions_on(context.ledger, run.run_id)
    standing = to_standing(run, others, decisions, context.now())
    base = context.ledger.run(run.base_run_id) if run.base_run_id else None
    changes = changes_of(run, context, names)
    sizes, sizes_of = _sizes(run, others)
    return RunPage(
        run=run,
        headline=to_headline(standing),
        facts=tuple(_facts(run)),
        tiles=tuple(_tiles(run, changes)),
        tables=tuple(_tables(run)),
        becomes=_becomes(run, changes),
        statuses=tuple(_statuses(run, base)),
        flips=_numbers(run, "status_flips"),
        fields=_numbers(run, "changed_fields"),
        sizes=sizes,
        sizes_of=sizes_of,
        guards=guards_of(run),
        changes=changes,
        reading=reading_of(run, context, names),
        decisions=tuple(
            Said(
                one.decision,
                one.actor,
                time_text(one.decided_at),
                time_text(one.lapses_at) if one.lapses_at else "",
                one.reason if names.has_ids else "",
            )
            for one in decisions
        ),
        stages=_stages(run),
        took=_seconds((run.ended_at - run.started_at).total_seconds()) if run.ended_at else "",
        has_ids=names.has_ids,
        workspace=str(context.settings.workspace),
        made_at=time_text(context.now()),
    )


def _facts(run: Run) -> list[tuple[str, str]]:
    counts = run.counts
    sent = f"{size_text(counts['bytes'])} in {counts['requests']}" if "bytes" in counts else ""
    began = time_text(run.started_at)
    facts = [
        ("Started", f"{began}, by {run.actor}"),
        ("Ended", time_text(run.ended_at) if run.ended_at else ""),
        ("Time asked for", _span(run)),
        ("Lumos", (run.api_url or "").partition("://")[2]),
        ("App", run.app_id or ""),
        ("Compared with", f"run {run.base_run_id}" if run.base_run_id else ""),
        ("Carries out", f"run {run.approves_run_id}" if run.approves_run_id else ""),
        ("Upload", f"{sent} request{'s' if counts.get('requests') != 1 else ''}" if sent else ""),
        ("Job" if len(run.job_ids) == 1 else "Jobs", _few(run.job_ids)),
        ("Content", f"SHA-256 {run.content_hash[:16]}…" if run.content_hash else ""),
        ("Next from", time_text(run.next_watermark_at) if run.next_watermark_at else ""),
    ]
    return [(name, text) for name, text in facts if text]


def _span(run: Run) -> str:
    if run.kind == "sync" or not (run.since or run.until):
        return ""
    since = time_text(run.since) if run.since else "the beginning"
    return f"from {since} to {time_text(run.until) if run.until else 'now'}"


_JOBS_SHOWN = 3


def _few(job_ids: Sequence[str]) -> str:
    shown = ", ".join(job_ids[-_JOBS_SHOWN:])
    more = len(job_ids) - _JOBS_SHOWN
    return f"{shown} and {more} before" if more > 0 else shown


def _tiles(run: Run, changes: ChangesShown | str) -> list[tuple[str, int, Tone]]:
    counts = run.counts
    if run.kind != "sync":
        names = ("sent", "repeated", "rejected")
        tones: tuple[Tone, ...] = ("good", "calm", "bad")
        return [
            (
                name,
                counts.get(f"activity_{name}", 0),
                tone if counts.get(f"activity_{name}") else "calm",
            )
            for name, tone in zip(names, tones, strict=True)
        ]
    if "accounts_total" not in counts:
        return []
    tiles: list[tuple[str, int, Tone]] = [
        ("accounts now", counts["accounts_total"], "calm"),
        ("added", counts.get("accounts_added", 0), "good"),
        ("changed", counts.get("accounts_changed", 0), "calm"),
        ("removed", counts.get("accounts_removed", 0), "bad"),
        ("can log in no more", counts.get("accounts_deactivated", 0), "warn"),
        ("permissions given", counts.get("associations_added", 0), "good"),
        ("permissions taken", counts.get("associations_removed", 0), "bad"),
    ]
    if isinstance(changes, ChangesShown):
        tiles.insert(4, ("can log in again", changes.opened, "warn"))
    return [(name, count, tone if count else "calm") for name, count, tone in tiles]


def _tables(run: Run) -> list[TableChange]:
    counted = [(table, run.plan.get(table)) for table in _TABLES]
    lines = [
        (table, {k: int(v) for k, v in one.items()})
        for table, one in counted
        if isinstance(one, dict)
    ]
    changes = [
        (table, Changes(**{kind: one.get(kind, 0) for kind in _KINDS})) for table, one in lines
    ]
    largest = max([1, *(max(one.added, one.removed) for _, one in changes)])
    return [
        TableChange(
            table,
            one,
            round(100 * one.added / largest, 2),
            round(100 * one.removed / largest, 2),
        )
        for table, one in changes
    ]


def _becomes(run: Run, changes: ChangesShown | str) -> tuple[tuple[str, int, Tone, float], ...]:
    counts = run.counts
    if not isinstance(run.plan.get("accounts"), dict):
        return ()
    opened = changes.opened if isinstance(changes, ChangesShown) else 0
    lines: list[tuple[str, int, Tone]] = [
        ("removed", counts.get("accounts_removed", 0), "bad"),
        ("can log in no more", counts.get("accounts_deactivated", 0), "warn"),
        ("can log in again", opened, "warn"),
        ("added", counts.get("accounts_added", 0), "good"),
        ("changed in any field", counts.get("accounts_changed", 0), "calm"),
    ]
    largest = max([1, *(count for _, count, _ in lines)])
    return tuple(
        (words, count, tone, round(100 * count / largest, 2)) for words, count, tone in lines
    )


def _numbers(run: Run, key: str) -> tuple[tuple[str, int], ...]:
    noted = run.plan.get(key)
    return (
        tuple((str(name), int(count)) for name, count in noted.items())
        if isinstance(noted, dict)
        else ()
    )


def _statuses(run: Run, base: Run | None) -> list[StatusCount]:
    now = dict(_numbers(run, "by_status"))
    before = dict(_numbers(base, "by_status")) if base is not None else None
    total = max(sum(now.values()), 1)
    known = [one for one in UPLOAD_STATUSES if one in now or one in (before or {})]
    return [
        StatusCount(
            status,
            _tone_of(status),
            now.get(status, 0),
            None if before is None else before.get(status, 0),
            round(100 * now.get(status, 0) / total, 2),
        )
        for status in sorted(known, key=lambda one: -now.get(one, 0))
    ]


def _tone_of(status: str) -> Tone:
    if status in CAN_LOG_IN:
        return "good"
    return "warn" if status == "SUSPENDED" else "calm"


def _sizes(run: Run, others: list[Run]) -> tuple[tuple[SizePoint, ...], str]:
    """The source's last runs of that kind up to this one, oldest first; what they count."""
    is_sync = run.kind == "sync"
    key = "accounts_total" if is_sync else "activity_sent"
    began = [one.run_id for one in others].index(run.run_id)
    chosen = [one for one in others[began:] if one.kind == run.kind][:RUNS_SHOWN][::-1]
    largest = max([*(one.counts.get(key, 0) for one in chosen), 1])
    points = tuple(
        SizePoint(
            one.run_id,
            time_text(one.started_at),
            one.state,
            _TONES.get(one.state, "calm"),
            one.counts.get(key),
            round(max(_CHART_HEIGHT * one.counts.get(key, 0) / largest, _LOWEST), 2),
            one.run_id == run.run_id,
        )
        for one in chosen
    )
    return points, "accounts" if is_sync else "records sent"


def _stages(run: Run) -> tuple[StageBar, ...] | None:
    if run.stages is None:
        return None
    longest = max([*(one.seconds for one in run.stages), 0.001])
    largest = max([*(one.peak_bytes for one in run.stages), 1])
    return tuple(
        StageBar(
            one.stage,
            _seconds(one.seconds),
            round(100 * one.seconds / longest, 2),
            size_text(one.peak_bytes),
            round(100 * one.peak_bytes / largest, 2),
        )
        for one in run.stages
    )


_MINUTE_S = 60


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds < _MINUTE_S else duration_text(timedelta(seconds=seconds))
