"""What is owed of what the schedules said, by the ledger: asked for again, so often at most."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from flows.orchestration.prefect_api import OPEN_STATES, Deployment, PrefectApi
from flows.schedule.due import due_by
from flows.schedule.timetable import RETRY_AFTER, TRIES, Duty, DutyKind, served_last
from loaders.ledger.asked import next_ask
from loaders.ledger.ledger import Ledger
from schemas.run import Run, RunState
from schemas.source_file.blocks import Schedule

_log = logging.getLogger(__name__)

KINDS: Mapping[str, DutyKind] = {"sync": "sync", "activity": "activity"}
FLOW_NAMES = (*KINDS, "nightly", "watchdog")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited.

    Attributes:
        grace: for a run that is due to begin.
        retry: after a run that failed, until it is tried again.
    """

    grace: timedelta = timedelta(minutes=3)
    retry: timedelta = RETRY_AFTER


def our_deployments(api: PrefectApi, workspace: str) -> list[Deployment]:
    """The deployments of the flows of lumos-ingest that work in that folder."""
    return [
        one for one in api.deployments(FLOW_NAMES) if one.parameters.get("workspace") == workspace
    ]


def deployments_of(ours: Iterable[Deployment]) -> dict[Duty, Deployment]:
    """Those of sources, by what they do."""
    found: dict[Duty, Deployment] = {}
    for one in ours:
        source = one.parameters.get("source")
        if source and one.flow in KINDS:
            duty = Duty(str(source), KINDS[one.flow])
            # Of two, which a rename may leave for a while, the one whose schedule makes runs.
            if duty not in found or one.active_schedules:
                found[duty] = one
    return found


def ask_again(
    ledger: Ledger,
    api: PrefectApi,
    deployments: Mapping[Duty, Deployment],
    now: datetime,
    patience: Patience,
) -> list[str]:
    """Asks for a run in place of each that was due and came to nothing; the names of those runs.

    It goes by the schedules that the server has, since it is those that were to make runs. A run
    that is there and not over is waited for. Safe to do at any time, by any number at once.
    """
    asked = []
    working = at_work(api, deployments.values(), now)
    for duty, deployment in sorted(deployments.items(), key=lambda one: one[0]):
        due_at = due_last(deployment, now)
        if due_at is None or now - due_at < patience.grace:
            continue
        if due_at < deployment.created_at and not ledger.runs(duty.source, 1):
            continue  # a source that never ran waits for its time
        if is_served(ledger, duty, due_at) or deployment.id in working:
            continue
        name = ask_once(ledger, api, duty, deployment, due_at, now, patience, TRIES - 1)
        asked += [name] if name else []
    return asked


def ask_nightly_again(
    ledger: Ledger,
    api: PrefectApi,
    ours: Iterable[Deployment],
    now: datetime,
    patience: Patience,
) -> list[str]:
    """Asks for a nightly in place of one that was due and was lost, or cut off; their names.

    One that ran to its end, right or wrong, has said what it has to say.
    """
    asked = []
    for one in ours:
        due = due_last(one, now)
        if one.flow != "nightly" or due is None or due < one.created_at:
            continue
        if now - due < patience.grace or at_work(api, [one], now):
            continue
        runs = api.runs(deployments=[one.id], due=(due, now))
        if any(run.state_type not in {"CRASHED", "SCHEDULED"} for run in runs):
            continue
        number = next_ask(
            ledger, one.name, "nightly", due, now, at_most=TRIES - 1, patience=patience.grace
        )
        if number is not None:
            name = f"nightly-{due:%Y-%m-%dT%H:%MZ}-{number}"
            key = f"{one.id} {due.isoformat()} {number}"
            api.ask_for_run(one.id, name=name, key=key, due_at=due)
            asked.append(name)
    return asked


def ask_once(  # noqa: PLR0913, PLR0917 - what it asks, whom, and when
    ledger: Ledger,
    api: PrefectApi,
    duty: Duty,
    deployment: Deployment,
    due_at: datetime,
    now: datetime,
    patience: Patience,
    at_most: int,
) -> str | None:
    """Asks for the next run in place of the one due then; its name, None where it is not time.

    Args:
        ledger: decides.
        api: is asked.
        duty: what is to be done.
        deployment: its.
        due_at: when it was due, UTC.
        now: the time, UTC.
        patience: how long is waited after a failure.
        at_most: how many are asked for in all.
    """
    failed = newest_since(ledger, duty, due_at)
    if failed is not None and failed.ended_at and now - failed.ended_at < patience.retry:
        return None
    number = next_ask(
        ledger, duty.source, duty.kind, due_at, now, at_most=at_most, patience=patience.grace
    )
    if number is None:
        return None
    name = f"{duty.kind}-{duty.source}-{due_at:%Y-%m-%dT%H:%MZ}-{number}"
    key = f"{deployment.id} {duty.source} {due_at.isoformat()} {number}"
    run = api.ask_for_run(deployment.id, name=name, key=key, due_at=now)
    _log.warning("%s: %s of %s: asked for run %s", duty.source, duty.kind, due_at, run.name)
    return name


def is_served(ledger: Ledger, duty: Duty, due_at: datetime) -> bool:
    """Whether a run that began at that moment or later did it; a held one did."""
    served = served_last(ledger, duty)
    return served is not None and served.started_at >= due_at


def newest_since(ledger: Ledger, duty: Duty, moment: datetime) -> Run | None:
    """The duty's newest run that began at that moment or later, of those that failed."""
    failed: tuple[RunState, ...] = ("failed",)
    run = ledger.newest_run(duty.source, duty.kind, failed)
    return run if run is not None and run.started_at >= moment else None


def at_work(api: PrefectApi, deployments: Iterable[Deployment], now: datetime) -> set[str]:
    """The ids of the deployments that have a run which is not over, and was due by now."""
    ids = [one.id for one in deployments]
    runs = api.runs(deployments=ids, states=OPEN_STATES) if ids else []
    due = (run for run in runs if run.due_at is None or run.due_at <= now)
    return {run.deployment_id for run in due if run.deployment_id is not None}


def due_last(deployment: Deployment, now: datetime) -> datetime | None:
    """When the deployment was due last, by its schedules that make runs; None where none does."""
    moments = []
    for one in deployment.active_schedules:
        schedule = _to_schedule(one.cron, one.timezone)
        if schedule is not None:
            moments.append(due_by(schedule, now))
    return max(moments, default=None)


def _to_schedule(cron: str | None, timezone: str) -> Schedule | None:
    """The schedule; None where it is none of ours, such as an interval made by hand."""
    if cron is None:
        return None
    try:
        return Schedule(cron=cron, timezone=timezone)
    except ValueError:
        return None
