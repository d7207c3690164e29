"""What a dead run left: its upload is brought to its end before anything new begins."""

from functools import partial

from flows.run.attempt import recover
from flows.run.context import RunContext
from flows.run.locks import AppLocks
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
from schemas.run import Run, RunScope
from schemas.source_file.file import Source

NOT_FOUND = 404


def recover_interrupted(
    source: Source, app_id: str | None, context: RunContext, locks: AppLocks
) -> tuple[str, ...]:
    """Brings to their end the runs that died with an upload into the app under way; their ids.

    Raises:
        JobTimeoutError: a job still runs; nothing else may be uploaded meanwhile.
        LumosUnavailableError: Lumos could not be reached.
    """

    def finish(run: Run) -> Run:
        _check_not_overtaken(run, context)
        snapshot = partial(context.archive.saved_snapshot, run.source, run.run_id)
        return publish(source, run, snapshot, context, locks)

    open_runs = context.ledger.open_runs(app_id) if app_id is not None else []
    return recover(RunScope(source.name, app_id), open_runs, context, finish, goes_on)


def _check_not_overtaken(run: Run, context: RunContext) -> None:
    """Raises unless the plan is still against what the app holds, or its upload is under way.

    Raises:
        JobFailedError: another run was accepted since it was planned.
    """
    accepted = context.ledger.accepted_into(run.app_id or "")
    is_overtaken = run.base_run_id != (accepted.run_id if accepted else None)
    if is_overtaken and not run.job_ids:
        raise JobFailedError(f"run {run.run_id} was overtaken by a later one before it was sent")


def goes_on(run: Run, error: IngestError) -> bool:
    """Whether the upload may still be under way, or may be sent again: the same bytes."""
    if run.state == "submitted":
        is_forgotten = isinstance(error, LumosRefusedError) and error.status == NOT_FOUND
        is_over = isinstance(error, JobFailedError | ReadBackError | StateError)
        return not is_over and not is_forgotten
    return isinstance(error, LumosUnavailableError | BusyError)
