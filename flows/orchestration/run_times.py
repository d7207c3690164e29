"""For when a flow run stands, and whether that is done already: by the ledger."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from prefect import State
from prefect.runtime import deployment, flow_run
from prefect.states import Completed

from flows.run.context import RunContext
from flows.schedule.timetable import Duty, served_last


@dataclass(frozen=True, slots=True)
class ThisRun:
    """A flow run, as it sees itself.

    Attributes:
        due_at: when it was due, UTC; of one that was begun by hand, when it was.
        is_deployed: whether it is of a deployment.
        run_count: how often it was begun: 1, and more of one that was let go on or tried again.
    """

    due_at: datetime
    is_deployed: bool
    run_count: int


def this_run() -> ThisRun:
    """The flow run that asks."""
    scheduled: datetime | None = flow_run.scheduled_start_time
    due_at = (scheduled or datetime.now(UTC)).astimezone(UTC)
    return ThisRun(due_at, bool(deployment.id), flow_run.run_count or 0)


def run_name(flow: str) -> Callable[[], str]:
    """How the flow's runs are called: the flow, the source and when the run was due, UTC."""

    def name() -> str:
        source, since = (flow_run.parameters.get(key) for key in ("source", "since"))
        if since:
            return f"backfill-{source}-{since}"
        parts = [flow, *([str(source)] if source else []), f"{this_run().due_at:%Y-%m-%dT%H:%MZ}"]
        return "-".join(parts)

    return name


def nothing_to_do(duty: Duty, context: RunContext, run: ThisRun) -> State[Any] | None:
    """How the run ends where it is not needed; None where it is.

    A deployment's run is not needed where the ledger has a run that began since this one was due
    and was accepted, or is held for a person: after a time without workers, all runs that were due
    in it begin one after the other. One that a person lets go on, or tries again, is needed.
    """
    if not run.is_deployed or run.run_count > 1:
        return None
    early_s = (run.due_at - context.now()).total_seconds()
    if early_s > 0:
        context.sleep(early_s)  # a worker begins a moment early
    served = served_last(context.ledger, duty)
    if served is None or served.started_at < run.due_at:
        return None
    return Completed(
        name="Skipped",
        message=f"nothing to do: run {served.run_id} has done it since {run.due_at:%H:%M} UTC",
    )
