"""The Prefect flow `watchdog`: ends runs whose process is gone, and asks for what is owed.

It has no concurrency limit, for a run of it that hangs would keep every later one away; what it
does may be done at any time, by any number at once.
"""

from datetime import timedelta
from functools import partial
from pathlib import Path

from prefect import flow, get_run_logger

from flows.orchestration.night import (
    Patience,
    ask_again,
    ask_nightly_again,
    deployments_of,
    our_deployments,
)
from flows.orchestration.prefect_api import open_prefect_api
from flows.orchestration.run_leases import end_dead_runs, run_lease
from flows.orchestration.run_times import run_name
from flows.run.context import open_context
from flows.run.crash_report import without_text
from flows.run.settings import read_settings


@flow(name="watchdog", flow_run_name=run_name("watchdog"), persist_result=False, retries=0)
def watchdog(workspace: str = ".", grace_seconds: float = 180, retry_minutes: float = 15) -> None:
    """Looks after the runs of a workspace's deployments, by the ledger.

    Args:
        workspace: the folder with `sources/`, on the machine that runs this.
        grace_seconds: how long a run may take to begin.
        retry_minutes: how long after a failure a source is tried again.

    Raises:
        IngestError: the ledger or the server cannot be used.
    """
    patience = Patience(timedelta(seconds=grace_seconds), timedelta(minutes=retry_minutes))
    without_text(partial(_watch, workspace, patience))


def _watch(workspace: str, patience: Patience) -> None:
    settings = read_settings(Path(workspace))
    log = get_run_logger()
    with (
        open_context(settings, with_lumos=False) as context,
        run_lease(context.ledger, context.now),
        open_prefect_api() as api,
    ):
        ours = our_deployments(api, workspace)
        ids = [one.id for one in ours]
        for run in end_dead_runs(context.ledger, api, ids, context.now(), patience.grace):
            log.warning("%s was %s, and no process works on it: ended", run.name, run.state_name)
        now = context.now()
        asked = ask_again(context.ledger, api, deployments_of(ours), now, patience)
        asked += ask_nightly_again(context.ledger, api, ours, now, patience)
        for name in asked:
            log.warning("asked for %s: what was due came to nothing", name)
