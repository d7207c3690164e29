"""What a dead run left: its upload is brought to its end before anything new begins."""

import logging

from flows.publishing import publish
from flows.workspace import Tools
from loaders.leases import Lease
from schemas.errors import (
    BusyError,
    IngestError,
    JobFailedError,
    LumosRefusedError,
    LumosUnavailableError,
    ReadBackError,
    StateError,
)
from schemas.run import Run
from schemas.source_file import Source

_log = logging.getLogger(__name__)

NOT_FOUND = 404


def settle(source: Source, tools: Tools, lease: Lease) -> tuple[str, ...]:
    """Brings to their end the runs that died with an upload under way or about to be; their ids.

    Raises:
        JobTimeoutError: a job still runs; nothing else may be uploaded meanwhile.
        LumosUnavailableError: Lumos could not be reached.
    """
    settled = []
    for run in tools.ledger.open_runs(source.name):
        _log.warning("%s: run %s was cut off; settling it first", source.name, run.run_id)
        tools.progress(f"settling run {run.run_id}", 0, 0)
        try:
            snapshot = tools.archive.saved_snapshot(run.source, run.run_id)
            publish(source, run, snapshot, tools, lease)
        except IngestError as error:
            if not end_badly(tools, run.run_id, error):
                raise
            # A fresh snapshot follows at once and takes the place of this one, whatever became of
            # it.
            _log.warning("%s: run %s ended badly: %s", source.name, run.run_id, error)
        settled.append(run.run_id)
    return tuple(settled)


def end_badly(tools: Tools, run_id: str, error: IngestError) -> bool:
    """Writes down why a run stopped; whether that ends it.

    An upload that may be under way is not over: the next run goes on waiting for its job, or sends
    the same bytes again.
    """
    run = tools.ledger.run(run_id)
    if run is None or _goes_on(run, error):
        tools.ledger.update_run(run_id, error=str(error))
        return False
    tools.ledger.update_run(run_id, state="failed", ended_at=tools.now(), error=str(error))
    return True


def _goes_on(run: Run, error: IngestError) -> bool:
    if run.state == "submitted":
        is_forgotten = isinstance(error, LumosRefusedError) and error.status == NOT_FOUND
        return (
            not isinstance(error, JobFailedError | ReadBackError | StateError) and not is_forgotten
        )
    return run.state == "planned" and isinstance(error, LumosUnavailableError | BusyError)
