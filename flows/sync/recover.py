"""What a dead run left: its upload is brought to its end before anything new begins."""

from functools import partial

from flows.run.context import RunContext
from flows.run.locks import AppLocks
from flows.run.retention import GIVE_UP_AFTER, _log
from flows.sync.publish import publish
from schemas.errors import (
    BusyError,
    IngestError,
    JobFailedError,
    LumosRefusedError,
    LumosUnavailableError,
    ReadBackError,
    StateError,
)
from schemas.run import OPEN_STATES, Run
from schemas.source_file.file import Source
from schemas.source_file.quantities import duration_text

NOT_FOUND = 404
"""How long after its start a run is waited for: a job that never ends must not block the app."""


def recover_interrupted(
    source: Source, app_id: str, context: RunContext, locks: AppLocks
) -> tuple[str, ...]:
    """Brings to their end the runs that died with an upload into the app under way; their ids.

    Raises:
        JobTimeoutError: a job still runs; nothing else may be uploaded meanwhile.
        LumosUnavailableError: Lumos could not be reached.
    """
    settled = []
    for run in context.ledger.open_runs(app_id):
        _log.warning("%s: run %s was cut off; settling it first", source.name, run.run_id)
        context.progress(f"settling run {run.run_id}", 0, 0)
        try:
            _check_still_meant(run, context)
            snapshot = partial(context.archive.saved_snapshot, run.source, run.run_id)
            publish(source, run, snapshot, context, locks)
        except IngestError as error:
            if not record_failure(context, run.run_id, error):
                raise
            # A fresh snapshot follows at once, and the guards go by what Lumos holds then.
            _log.warning("%s: run %s ended badly: %s", source.name, run.run_id, error)
        settled.append(run.run_id)
    return tuple(settled)


def _check_still_meant(run: Run, context: RunContext) -> None:
    """A plan that was overtaken, or a job that never ends, is not gone on with.

    Raises:
        JobFailedError: it is one of these.
    """
    accepted = context.ledger.accepted_into(run.app_id or "")
    is_overtaken = run.base_run_id != (accepted.run_id if accepted else None)
    if is_overtaken and not run.job_ids:
        raise JobFailedError(f"run {run.run_id} was overtaken by a later one before it was sent")
    if context.now() - run.started_at > GIVE_UP_AFTER:
        raise JobFailedError(
            f"run {run.run_id}, job {run.job_ids[-1] if run.job_ids else 'none'}: no end after "
            f"{duration_text(GIVE_UP_AFTER)}; given up"
        )


def record_failure(context: RunContext, run_id: str, error: IngestError) -> bool:
    """Writes down why a run stopped; whether that ends it.

    An upload that may be under way is not over: the next run goes on waiting for its job, or sends
    the same bytes again. What another process has settled meanwhile is left as it is.
    """
    run = context.ledger.run(run_id)
    if run is None or run.state not in ("reading", *OPEN_STATES):
        return True
    if _goes_on(run, error):
        context.ledger.update_run(run_id, error=str(error))
        return False
    context.ledger.update_run(run_id, state="failed", ended_at=context.now(), error=str(error))
    return True


def _goes_on(run: Run, error: IngestError) -> bool:
    if run.state == "submitted":
        is_forgotten = isinstance(error, LumosRefusedError) and error.status == NOT_FOUND
        return (
            not isinstance(error, JobFailedError | ReadBackError | StateError) and not is_forgotten
        )
    return run.state == "planned" and isinstance(error, LumosUnavailableError | BusyError)
