"""The Prefect flow `nightly`: every source once a day, each as a run of its own deployment."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from prefect import flow, get_run_logger

from flows.orchestration.cancelled import stopped_when_cancelled
from flows.orchestration.night import (
    Patience,
    ask_once,
    at_work,
    deployments_of,
    our_deployments,
)
from flows.orchestration.prefect_api import Deployment, PrefectApi, open_prefect_api
from flows.orchestration.run_leases import end_dead_runs, run_lease
from flows.orchestration.run_times import run_name, this_run
from flows.run.context import open_context
from flows.run.crash_report import without_text
from flows.run.settings import read_settings
from flows.run.workspace import read_sources
from flows.schedule.timetable import TRIES, Duty
from loaders.ledger.asked import asked_count
from loaders.ledger.ledger import Ledger
from schemas.errors import ConfigError, GuardError, IngestError, PrefectServerError, raise_as
from schemas.source_file.columns import check_zone

_log = logging.getLogger(__name__)

_LOOK_S = 10.0
_LOOK_S_A_SOURCE = 0.05
"""So much longer between two looks for each source that is waited for: a night of a thousand takes
longer, and the server is asked no more often about each."""
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Night:
    """What one night has to bring.

    Attributes:
        begins_at: a source whose run began at this moment or later has its night, UTC.
        deployments: of the sources that are meant.
        gives_up_at: when it is told what is missing, UTC.
        patience: how long is waited for a run, and after one that failed.
    """

    begins_at: datetime
    deployments: dict[Duty, Deployment]
    gives_up_at: datetime
    patience: Patience


@dataclass(slots=True)
class NightEnd:
    """What came of a night: sources by name."""

    accepted: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)


@flow(name="nightly", flow_run_name=run_name("nightly"), persist_result=False, retries=0)
def nightly(
    workspace: str = ".",
    label: str | None = None,
    day: str | None = None,
    timezone: str = "UTC",
    grace_seconds: float = 180,
    retry_minutes: float = 15,
    give_up_hours: float = 6,
) -> None:
    """Syncs every source that was not synced on that day; right only when all of them are.

    Each is a run of its own deployment, on whatever worker takes it, and is tried three times. Run
    again, it goes on where it was: the ledger says which sources have their day.

    Args:
        workspace: the folder with `sources/`, on the machine that runs this.
        label: only the sources whose files have this label.
        day: the day, `2026-12-01`; that on which this run was due if not given.
        timezone: on whose clocks the day begins.
        grace_seconds: how long a run may take to begin.
        retry_minutes: how long after a failure a source is tried again.
        give_up_hours: how long after this run was due it is told what is missing.

    Raises:
        IngestError: a source has no accepted run of that day; which, and why.
    """
    without_text(
        partial(
            _nightly,
            workspace,
            label,
            _begin_of(day, timezone),
            Patience(timedelta(seconds=grace_seconds), timedelta(minutes=retry_minutes)),
            timedelta(hours=give_up_hours),
        )
    )


def _begin_of(day: str | None, timezone: str) -> datetime:
    """The day's first moment on the clocks of the zone, UTC.

    Raises:
        ConfigError: no such day, or no such zone.
    """
    zone = raise_as(
        lambda: ZoneInfo(check_zone(timezone)),
        {ValueError: lambda error: ConfigError(f"timezone: {error}")},
    )
    chosen = raise_as(
        lambda: date.fromisoformat(day) if day else this_run().due_at.astimezone(zone).date(),
        {ValueError: lambda _: ConfigError(f"day: {day!r} is no day: write it as 2026-12-01")},
    )
    return datetime(chosen.year, chosen.month, chosen.day, tzinfo=zone).astimezone(UTC)


def _nightly(
    workspace: str,
    label: str | None,
    begins_at: datetime,
    patience: Patience,
    give_up_after: timedelta,
) -> None:
    settings = read_settings(Path(workspace))
    log = get_run_logger()
    sources, broken = read_sources(settings.workspace)
    meant = [one.name for one in sources if label is None or label in one.file.labels]
    if not meant and not broken:
        raise ConfigError(f"no source file has the label {label}")
    with (
        open_context(settings, with_lumos=False) as opened,
        run_lease(opened.ledger, opened.now),
        stopped_when_cancelled(opened) as context,
        open_prefect_api() as api,
    ):
        known = deployments_of(our_deployments(api, workspace))
        chosen = {duty: known[duty] for name in meant if (duty := Duty(name, "sync")) in known}
        begun_at = context.now()
        night = Night(begins_at, chosen, begun_at + give_up_after, patience)
        log.info("%d sources", len(meant))
        end = run_night(night, context.ledger, api, context.now, context.sleep)
    missing = {
        "held for a person": end.held,
        "failed": end.failed,
        "not done in time": end.late,
        "without a deployment (lumos-ingest deploy)": [
            name for name in meant if Duty(name, "sync") not in known
        ],
        "with a wrong source file": sorted(broken),
    }
    _raise_for(missing, len(end.accepted), len(meant) + len(broken))
    log.info("all %d sources have their accepted run", len(meant))


def run_night(
    night: Night,
    ledger: Ledger,
    api: PrefectApi,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> NightEnd:
    """Asks for a run of each source until each has its accepted one, or all its tries.

    What counts is the ledger: a run that was accepted since the night began, whoever asked for it.
    A run that is at work, or waits for a worker, is waited for, and so is a server that is away.
    """
    end = NightEnd()
    waiting = dict(sorted(night.deployments.items(), key=lambda one: one[0]))
    last_end = 0
    while waiting:
        last_end = _note_served(night, ledger, waiting, end, last_end)
        try:
            end.failed += _ask_for(night, ledger, api, waiting, now())
        except PrefectServerError as error:
            _log.warning("%s; it is asked again", error)
        if waiting and now() >= night.gives_up_at:
            end.late += [duty.source for duty in waiting]
            return end
        if waiting:
            sleep(_LOOK_S + _LOOK_S_A_SOURCE * len(waiting))
    return end


def _ask_for(
    night: Night,
    ledger: Ledger,
    api: PrefectApi,
    waiting: dict[Duty, Deployment],
    now: datetime,
) -> list[str]:
    """Asks for a run of what has none; takes out, and returns, the sources that had all tries.

    Raises:
        PrefectServerError: the server does not answer, or refuses.
    """
    failed = []
    ids = [deployment.id for deployment in waiting.values()]
    end_dead_runs(ledger, api, ids, now, night.patience.grace)
    working = at_work(api, waiting.values(), now)
    for duty, deployment in list(waiting.items()):
        if deployment.id in working:
            continue
        name = ask_once(ledger, api, duty, deployment, night.begins_at, now, night.patience, TRIES)
        count = asked_count(ledger, duty.source, duty.kind, night.begins_at)
        if name is None and count >= TRIES:
            failed.append(duty.source)
            del waiting[duty]
    return failed


def _note_served(
    night: Night, ledger: Ledger, waiting: dict[Duty, Deployment], end: NightEnd, after: int
) -> int:
    """Takes out what has its night; the number of the last end that was looked at.

    One query, however many sources there are, which reads each end once.
    """
    ended = ledger.ended_since("sync", night.begins_at, after)
    for run in reversed(ended):  # what was held and let through since then is accepted
        duty = Duty(run.source, "sync")
        if duty not in waiting or run.state not in {"done", "unchanged", "held"}:
            continue
        del waiting[duty]
        (end.held if run.state == "held" else end.accepted).append(run.source)
    return (ended[-1].end_number or after) if ended else after


def _raise_for(missing: dict[str, list[str]], accepted_count: int, count: int) -> None:
    """Raises where a source has no accepted run.

    Raises:
        GuardError: all that is missing is held for a person.
        IngestError: something else is missing.
    """
    parts = [
        f"{why}: {', '.join(names[:_MOST_NAMED])}"
        + (f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else "")
        for why, names in missing.items()
        if names
    ]
    if not parts:
        return
    line = f"{accepted_count} of {count} sources have their accepted run; {'; '.join(parts)}"
    is_held_alone = (
        sum(1 for names in missing.values() if names) == 1 and missing["held for a person"]
    )
    raise GuardError(line) if is_held_alone else IngestError(line)
