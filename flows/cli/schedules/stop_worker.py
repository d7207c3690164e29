"""The command `stop-worker`: pause the pool, wait for what is at work, stop, let the pool go on."""

import signal
import sys
from datetime import timedelta
from pathlib import Path

from flows.cli.each_source import SIGNALLED, check_prefect
from flows.cli.output import Output, log_to_stderr
from flows.run.context import open_context
from flows.run.settings import read_settings
from schemas.errors import ConfigError


def stop_worker_command(
    workspace: Path, pool: str | None, longest: timedelta, *, keep_paused: bool, as_json: bool
) -> int:
    """Stops this machine's workers of the pool once their runs have ended; 0.

    Where it is cut short, or the runs take too long, the pool goes on as before, and its workers
    too.

    Raises:
        ConfigError: no server is named, or it has no such pool.
        PrefectServerError: a run is still at work after so long, or a worker does not end.
    """
    from flows.orchestration.deploy.prefect_file import pool_of
    from flows.orchestration.night import our_deployments
    from flows.orchestration.prefect_api import api_url, open_prefect_api
    from flows.orchestration.workers import Drain, stop_workers, wait_until_idle, workers_here

    output = Output(as_json=as_json)
    log_to_stderr(verbose=as_json)
    settings = read_settings(workspace)
    name = pool or pool_of(settings.workspace)
    check_prefect(api_url())
    with open_context(settings, with_lumos=False) as context, open_prefect_api() as api:
        found = api.pool(name)
        if found is None:
            raise ConfigError(f"the Prefect server has no work pool {name}: name it with --pool")
        ours = [one.id for one in our_deployments(api, str(settings.workspace))]
        drain = Drain(api, context.ledger, ours, context.now, context.sleep, output.note)
        is_kept = found.is_paused
        api.set_pool_paused(name, is_paused=True)
        output.note(f"work pool {name}: paused")
        signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(SIGNALLED + number))
        try:
            wait_until_idle(drain, name, longest)
            pids = workers_here(name)
            stop_workers(drain, pids)
            is_kept = is_kept or keep_paused
        finally:
            if not is_kept:
                api.set_pool_paused(name, is_paused=False)
    output.line(_line(pids))
    goes_on = f"paused: prefect work-pool resume {name} lets it go on" if is_kept else "goes on"
    output.line(f"work pool {name}: {goes_on}")
    output.document({"pool": name, "stopped": pids, "is_paused": is_kept})
    return 0


def _line(pids: list[int]) -> str:
    if not pids:
        return "no worker of the pool runs here; nothing of it is at work on this machine"
    return f"stopped, with nothing at work: process {', '.join(map(str, pids))}"
