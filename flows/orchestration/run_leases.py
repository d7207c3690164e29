"""Which flow runs have a process: each holds a lease in the ledger for as long as it works.

A server keeps a run as Running, or Submitting, for ever where its process was killed, or its worker
stopped: nothing there acts on it. The ledger knows, and whoever looks after the runs ends it there.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from prefect.runtime import flow_run

from flows.orchestration.prefect_api import WORKING_STATES, FlowRun, PrefectApi
from loaders.ledger.leases import Holding, app_lease, forget, holdings
from loaders.ledger.ledger import Ledger

GRACE = timedelta(minutes=3)
"""How long a run may take from Pending, or Running, to its lease: its process starts meanwhile."""

_PREFIX = "flow run "


@contextmanager
def run_lease(ledger: Ledger, now: Callable[[], datetime]) -> Iterator[None]:
    """Holds the lease of the flow run that this is, for as long as the block lasts.

    Raises:
        BusyError: another process is at work on this very run.
    """
    run_id = flow_run.id
    if not run_id:
        yield
        return
    with app_lease(ledger, f"{_PREFIX}{run_id}", now=now):
        yield


def run_holdings(ledger: Ledger, now: datetime) -> Mapping[str, Holding]:
    """The leases of flow runs, by the run's id; also those that a killed process left behind."""
    return {
        holding.key.removeprefix(_PREFIX): holding for holding in holdings(ledger, _PREFIX, now)
    }


def end_dead_runs(
    ledger: Ledger,
    api: PrefectApi,
    deployments: list[str],
    now: datetime,
    grace: timedelta = GRACE,
) -> list[FlowRun]:
    """Ends the runs that the server takes for being at work and that no process works on.

    Those of the deployments, and those of commands that were killed. It may be done at any time, by
    any number of processes at once.

    Returns:
        The runs that were ended.
    """
    held = run_holdings(ledger, now)
    left_behind = {run_id: one for run_id, one in held.items() if not one.is_alive}
    ended: dict[str, FlowRun] = {}
    known = [run_id for run_id in left_behind if _is_id(run_id)]
    open_runs = api.runs(ids=known, states=WORKING_STATES) if known else []
    if deployments:
        open_runs += api.runs(deployments=deployments, states=WORKING_STATES)
    for run in open_runs:
        holding = held.get(run.id)
        is_alive = holding is not None and holding.is_alive
        # One that had a lease is dead without it; of others, it may be yet to come.
        is_young = holding is None and now - run.state_at <= grace
        if is_alive or is_young or run.id in ended:
            continue
        api.end_run(run.id, "its process is gone: ended by lumos-ingest, whose ledger tells so")
        ended[run.id] = run
    for holding in left_behind.values():
        forget(ledger, holding)
    return list(ended.values())


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
