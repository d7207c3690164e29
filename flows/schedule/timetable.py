"""Which sources are due now: by their files' schedules, and by what the ledger has of them."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from flows.schedule.due import due_after, due_by
from loaders.ledger.ledger import Ledger
from schemas.run import Run
from schemas.source_file.blocks import Schedule
from schemas.source_file.file import Source

_log = logging.getLogger(__name__)

TRIES = 3
"""How often a source is tried for one time that it was due."""

RETRY_AFTER = timedelta(minutes=15)

DutyKind = Literal["sync", "activity"]


@dataclass(frozen=True, slots=True, order=True)
class Duty:
    """What a schedule asks for: a source's accounts, or its activity."""

    source: str
    kind: DutyKind


@dataclass(slots=True)
class _Entry:
    """How one duty stands.

    Attributes:
        schedule: the file's.
        due_at: the instant it is about next, UTC.
        next_at: when it is begun, UTC: `due_at`, or later where it failed and is tried again.
        tries: how often it was begun for `due_at`.
        is_running: whether it is at work.
    """

    schedule: Schedule
    due_at: datetime
    next_at: datetime
    tries: int = 0
    is_running: bool = False


@dataclass(slots=True)
class Timetable:
    """The schedules of a workspace against the clock.

    What was due while nobody looked is due once, at once. The ledger says what was done: another
    process, or another machine, may have done it.
    """

    ledger: Ledger
    entries: dict[Duty, _Entry] = field(default_factory=dict)

    def update(self, sources: list[Source], now: datetime) -> list[Duty]:
        """Takes up what the files say now; the duties that are new, changed or gone."""
        schedules = schedules_of(sources)
        changed = []
        for duty, schedule in schedules.items():
            known = self.entries.get(duty)
            if known is not None and known.schedule == schedule:
                continue
            changed.append(duty)
            due_at = self._missed(duty, schedule, now) or due_after(schedule, now)
            entry = _Entry(schedule, due_at, due_at)
            entry.is_running = known is not None and known.is_running
            self.entries[duty] = entry
        for duty in [duty for duty in self.entries if duty not in schedules]:
            changed.append(duty)
            del self.entries[duty]
        return changed

    def due(self, now: datetime) -> list[Duty]:
        """What is to begin now and is not at work, the longest due first."""
        waiting = [
            (entry.next_at, duty)
            for duty, entry in self.entries.items()
            if entry.next_at <= now and not entry.is_running
        ]
        return [duty for _, duty in sorted(waiting)]

    def begin(self, duty: Duty, now: datetime) -> bool:
        """Whether the duty is still to be done: not where another process did it meanwhile."""
        entry = self.entries[duty]
        due_at = due_by(entry.schedule, now)
        if due_at > entry.due_at:
            entry.due_at, entry.tries = due_at, 0  # what was missed meanwhile is one
        served = served_last(self.ledger, duty)
        if served is not None and served.started_at >= entry.due_at:
            self._rest(entry, now)
            return False
        entry.is_running = True
        entry.tries += 1
        return True

    def end(self, duty: Duty, now: datetime, *, may_retry: bool) -> datetime | None:
        """Notes that the duty's run ended; when it begins next, UTC.

        A run that failed for a reason that may pass is tried again, `TRIES` times in all.
        """
        entry = self.entries.get(duty)
        if entry is None:
            return None
        entry.is_running = False
        if may_retry and entry.tries < TRIES:
            entry.next_at = now + RETRY_AFTER
        else:
            self._rest(entry, now)
        return entry.next_at

    def next_at(self) -> datetime | None:
        """When the next one is to begin, UTC; None where none is."""
        moments = [entry.next_at for entry in self.entries.values() if not entry.is_running]
        return min(moments, default=None)

    def _rest(self, entry: _Entry, now: datetime) -> None:
        # What came due while the run was at work is due at once: from `due_at`, not from now.
        missed = due_by(entry.schedule, now)
        entry.due_at = missed if missed > entry.due_at else due_after(entry.schedule, now)
        entry.next_at, entry.tries = entry.due_at, 0

    def _missed(self, duty: Duty, schedule: Schedule, now: datetime) -> datetime | None:
        """The last time that it was due, where that was not served; None where it was.

        A source that no run was ever of waits for its time.
        """
        due_at = due_by(schedule, now)
        served = served_last(self.ledger, duty)
        if served is not None:
            is_missed = served.started_at < due_at
        else:
            is_missed = bool(self.ledger.runs(duty.source, 1))
        return due_at if is_missed else None


def schedules_of(sources: list[Source]) -> Mapping[Duty, Schedule]:
    """The schedules in the sources' files, by what they ask for."""
    schedules: dict[Duty, Schedule] = {}
    for source in sources:
        if source.file.schedule is not None:
            schedules[Duty(source.name, "sync")] = source.file.schedule
        activity = source.file.activity
        if activity is not None and activity.schedule is not None:
            schedules[Duty(source.name, "activity")] = activity.schedule
    return schedules


def served_last(ledger: Ledger, duty: Duty) -> Run | None:
    """The newest run that did what the duty asks for; a held one did: a person has it now."""
    return ledger.newest_run(duty.source, duty.kind, ("done", "unchanged", "held"))
