"""The index: how every source of a workspace stands, by ledger and source files alone."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flows.report.guards import to_line
from flows.report.headline import Advice, Tone, again, choices, failed_last
from flows.run.context import RunContext
from flows.run.summary import time_text
from flows.run.workspace import read_sources
from flows.schedule.due import due_after, due_by
from loaders.ledger.decisions import DecidedRun, waiting_run
from schemas.errors import ConfigError
from schemas.run import Run, RunState
from schemas.source_file.file import Source
from schemas.source_file.quantities import duration_text

_NOT_ACCEPTED: tuple[RunState, ...] = ("reading", "planned", "submitted", "failed", "held")

GRACE = timedelta(hours=2)
"""How long after it was due a source may be unaccepted: its run may wait for its job."""


@dataclass(frozen=True, slots=True)
class SourceLine:
    """How a source stands.

    Attributes:
        name: the source's.
        tone: how good that is.
        state: `fine`, `held`, `failing`, `stale`, `broken` or `new`.
        sentence: what a person should know.
        accepted: the run that was accepted last; None before the first.
        age: how long ago that was; "" before the first.
        accounts: how many accounts it left; None before the first.
        due_at: when it is due next, UTC; None without a schedule.
        pages: its runs that have a page: the one that was accepted last, and what came of it since.
        advice: what to type; none where there is nothing to do.
    """

    name: str
    tone: Tone
    state: str
    sentence: str
    accepted: Run | None = None
    age: str = ""
    accounts: int | None = None
    due_at: datetime | None = None
    pages: tuple[Run, ...] = ()
    advice: tuple[Advice, ...] = ()


@dataclass(frozen=True, slots=True)
class SourcesPage:
    """How every source stands, the worst first.

    Attributes:
        lines: a line a source.
        tally: how many are in each state.
        workspace: the folder.
        made_at: when the page was made.
        links: the page of each run that has one, by the run's id.
        has_ids: whether ids stand in clear in the pages it leads to.
    """

    lines: tuple[SourceLine, ...]
    tally: tuple[tuple[str, int, Tone], ...]
    workspace: str
    made_at: str
    links: dict[str, str] = field(default_factory=dict)
    has_ids: bool = False


_STATES: dict[str, Tone] = {
    "broken": "bad",
    "failing": "bad",
    "held": "warn",
    "stale": "warn",
    "new": "calm",
    "fine": "good",
}
"""How a source may stand, the worst first."""


def to_sources_page(context: RunContext) -> SourcesPage:
    """How every source of the workspace stands.

    Raises:
        ConfigError: it has no sources.
        StateError: the ledger cannot be read.
    """
    sources, broken = read_sources(context.settings.workspace)
    lines = [_source_line(source, context) for source in sources]
    lines += [_broken_line(name, problem, context) for name, problem in broken.items()]
    places = {state: place for place, state in enumerate(_STATES)}
    lines.sort(key=lambda line: (places[line.state], line.name))
    counts = {state: sum(line.state == state for line in lines) for state in _STATES}
    return SourcesPage(
        tuple(lines),
        tuple((state, count, _STATES[state]) for state, count in counts.items() if count),
        str(context.settings.workspace),
        time_text(context.now()),
    )


def _source_line(source: Source, context: RunContext) -> SourceLine:
    """How one source stands, with the pages of its runs."""
    name, ledger, now = source.name, context.ledger, context.now()
    accepted = ledger.newest_run(name, "sync", ("done", "unchanged"))
    waiting = waiting_run(ledger, name)
    schedule = source.file.schedule
    verdict = _verdict(source, accepted, waiting, context)
    return SourceLine(
        name,
        _STATES[verdict.state],
        verdict.state,
        verdict.sentence,
        accepted,
        duration_text(now - accepted.started_at) if accepted else "",
        accepted.counts.get("accounts_total") if accepted else None,
        due_after(schedule, now) if schedule else None,
        _pages(
            accepted,
            ledger.newest_run(name, "sync", _NOT_ACCEPTED),
            waiting,
            ledger.newest_run(name, "activity", ("done", "unchanged", *_NOT_ACCEPTED)),
        ),
        verdict.advice,
    )


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What a source is like, and what to do about it: as in `SourceLine`."""

    state: str
    sentence: str = ""
    advice: tuple[Advice, ...] = ()


def _verdict(
    source: Source, accepted: Run | None, waiting: DecidedRun | None, context: RunContext
) -> _Verdict:
    """How the source stands; of what is wrong, what is most urgent."""
    name, schedule = source.name, source.file.schedule
    was_due = due_by(schedule, context.now()) if schedule else None
    if failed := failed_last(context.ledger, name, "sync"):
        return _failing(failed, waiting)
    if waiting is not None and not _is_rejected(waiting):
        return _held(waiting, context.now())
    if failed := failed_last(context.ledger, name, "activity"):
        return _failing(failed, None)
    if was_due is not None and _is_stale(accepted, was_due, context.now()):
        sentence = f"Nothing was accepted since it was due, {time_text(was_due)}."
        return _Verdict("stale", sentence, (Advice("Sync it", f"lumos-ingest sync {name}"),))
    if accepted is None:
        advice = Advice("See what a sync would do", f"lumos-ingest preview {name}")
        return _Verdict("new", "No run was accepted yet.", (advice,))
    return _Verdict("fine")


def _broken_line(name: str, problem: ConfigError, context: RunContext) -> SourceLine:
    accepted = context.ledger.newest_run(name, "sync", ("done", "unchanged"))
    return SourceLine(
        name,
        "bad",
        "broken",
        str(problem),
        accepted,
        duration_text(context.now() - accepted.started_at) if accepted else "",
        accepted.counts.get("accounts_total") if accepted else None,
        pages=(accepted,) if accepted else (),
        advice=(Advice("Once it is mended, look again", f"lumos-ingest check {name}"),),
    )


def _failing(failed: list[Run], waiting: DecidedRun | None) -> _Verdict:
    newest = failed[0]
    of = "" if newest.kind == "sync" else f" of {newest.kind}"
    runs = f"The last run{of}" if len(failed) == 1 else f"The last {len(failed)} runs{of}"
    sentence = f"{runs} failed: {newest.error or 'without a word'}"
    if waiting is not None and waiting.decision is None:
        sentence += f" Run {waiting.run.run_id} is held besides, and waits for a person."
    return _Verdict(
        "failing",
        sentence,
        (
            Advice("See what is in place and what is not", f"lumos-ingest check {newest.source}"),
            Advice("Once that is mended, again", again(newest)),
        ),
    )


def _is_rejected(waiting: DecidedRun) -> bool:
    return waiting.decision is not None and waiting.decision.decision == "reject"


def _held(waiting: DecidedRun, now: datetime) -> _Verdict:
    run, decision = waiting.run, waiting.decision
    reasons = "; ".join(to_line(seen) for seen in run.breaches) or run.error or ""
    if decision is not None and not decision.has_lapsed(now):
        sentence = f"Approved by {decision.actor}, and not carried out yet: {reasons}"
        return _Verdict("held", sentence, (Advice("Carry it out", again(run)),))
    sentence = f"Held for a person since {time_text(run.ended_at)}: {reasons}"
    return _Verdict("held", sentence, tuple(choices(run)))


def _is_stale(accepted: Run | None, was_due: datetime, now: datetime) -> bool:
    """Whether it was due a while ago, and nothing that began since was accepted."""
    is_late = now - was_due > GRACE
    return is_late and accepted is not None and accepted.started_at < was_due


def _pages(
    accepted: Run | None, newest: Run | None, waiting: DecidedRun | None, activity: Run | None
) -> tuple[Run, ...]:
    """The runs a person may want to see: the last accepted, what came after it, the activity."""

    def chosen() -> Iterator[Run]:
        if newest is not None and (accepted is None or newest.started_at > accepted.started_at):
            yield newest
        if waiting is not None:
            yield waiting.run
        if accepted is not None:
            yield accepted
        if activity is not None:
            yield activity

    return tuple({run.run_id: run for run in chosen()}.values())
