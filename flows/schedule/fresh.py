"""Whether each source was accepted lately, by the ledger: no server is asked."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flows.schedule.timetable import DutyKind
from loaders.ledger.ledger import Ledger
from schemas.source_file.blocks import Schedule
from schemas.source_file.file import Source


@dataclass(frozen=True, slots=True)
class Freshness:
    """When a source was accepted last.

    Attributes:
        source: the source.
        kind: its accounts, or its activity.
        accepted_at: the beginning of the last run that was accepted, UTC; None where none was.
        is_fresh: whether that is not too long ago.
    """

    source: Source
    kind: DutyKind
    accepted_at: datetime | None
    is_fresh: bool


def freshness(
    sources: list[Source], ledger: Ledger, now: datetime, longest: timedelta
) -> list[Freshness]:
    """How fresh each source is, and its activity where that has a schedule of its own.

    What says nothing new and was not sent is fresh, too. By the run's beginning: what it sent was
    read no earlier.
    """
    found = []
    for source in sources:
        for kind, schedule in _duties(source):
            at = accepted_at(ledger, source.name, kind)
            is_fresh = at is not None and _age(at, now, schedule) <= longest
            found.append(Freshness(source, kind, at, is_fresh))
    return found


def accepted_at(ledger: Ledger, name: str, kind: DutyKind) -> datetime | None:
    """When the source's last accepted run began, UTC; None where none was accepted."""
    run = ledger.newest_run(name, kind, ("done", "unchanged"))
    return run.started_at if run else None


def _duties(source: Source) -> Iterator[tuple[DutyKind, Schedule | None]]:
    yield "sync", source.file.schedule
    activity = source.file.activity
    if activity is not None and activity.schedule is not None:
        yield "activity", activity.schedule


def _age(at: datetime, now: datetime, schedule: Schedule | None) -> timedelta:
    """How long ago it was; by the schedule's clocks where these say less.

    An hour that comes twice in autumn may have one run: of an hourly schedule, Prefect 3.9.1 makes
    none in the second.
    """
    if schedule is None:
        return now - at
    zone = ZoneInfo(schedule.timezone)
    by_clock = now.astimezone(zone).replace(tzinfo=None) - at.astimezone(zone).replace(tzinfo=None)
    return min(now - at, by_clock)
