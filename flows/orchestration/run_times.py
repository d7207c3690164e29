"""For when a flow run stands, and whether that is done already: by the ledger."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from prefect import State
from prefect.runtime import deployment, flow_run
from prefect.states import Completed

from flows.run.context import RunContext
from flows.schedule.timetable import Duty, served_last


def run_name(flow: str) -> Callable[[], str]:
    """How the flow's runs are called: the flow, the source and when the run was due, UTC."""

    def name() -> str:
        source = flow_run.parameters.get("source")
        parts = [flow, *([str(source)] if source else []), f"{due_at():%Y-%m-%dT%H:%MZ}"]
        return "-".join(parts)

    return name


def due_at() -> datetime:
    """When this run was due, UTC; of one that was begun by hand, when it was."""
    scheduled: datetime | None = flow_run.scheduled_start_time
    return (scheduled or datetime.now(UTC)).astimezone(UTC)


def nothing_to_do(duty: Duty, context: RunContext) -> State[Any] | None:
    """How the run ends where it is not needed; None where it is.

    A deployment's run is not needed where the ledger has a run that began since this one was due
    and was accepted, or is held for a person: after a time without workers, all runs that were due
    in it begin one after the other. One that a person lets go on, or tries again, is needed.
    """
    if not deployment.id or (flow_run.run_count or 0) > 1:
        return None
    due = due_at()
    early_s = (due - context.now()).total_seconds()
    if early_s > 0:
        context.sleep(early_s)  # a worker begins a moment early
    served = served_last(context.ledger, duty)
    if served is None or served.started_at < due:
        return None
    return Completed(
        name="Skipped", message=f"nothing to do: run {served.run_id} has done it since {due:%H:%M}"
    )
