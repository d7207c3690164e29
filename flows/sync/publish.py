"""Publishing a snapshot, in a run that may be killed at any line: intent, upload, job, accept.

The snapshot and its hash are stored before the first POST, each job id right after its POST.
Whatever a dead run left, the next one brings to its end first, from the archive: the same snapshot
gives the same bytes.
"""

import logging
from collections.abc import Callable
from functools import partial

from flows.run.context import RunContext, lumos_of
from flows.run.locks import AppLocks
from flows.sync.request_files import Bodies, content_hash, request_folder, write_bodies
from loaders.ledger.decisions import check_approved
from loaders.lumos.accounts import compare_with_app, submit_accounts
from loaders.lumos.client import LumosApi
from loaders.lumos.jobs import wait_for_job
from schemas.errors import ReadBackError, StateError
from schemas.run import OPEN_STATES, Run, RunState
from schemas.snapshot import Snapshot
from schemas.source_file.file import Source

_log = logging.getLogger(__name__)

READ_BACKS = 3
"""How often accounts are read back: a job may end a moment before its effect shows."""


READING: tuple[RunState, ...] = ("reading",)
"""The state of a run that has sent nothing: a process that wakes late ends no other's."""


def accepted_snapshot(base: Run | None, context: RunContext) -> Snapshot | None:
    """The snapshot that `base` left in the app; None on a first run.

    Raises:
        StateError: the archive does not have it as it was.
    """
    return context.archive.saved_snapshot(base.source, base.run_id) if base else None


def save_held(run: Run, snapshot: Snapshot, reason: str, context: RunContext) -> Run:
    """Keeps a plan that a guard stopped, so that a person can let just that one through."""
    context.archive.save_snapshot(run.source, run.run_id, snapshot)
    return context.ledger.update_run(
        run.run_id,
        expect=READING,
        state="held",
        ended_at=context.now(),
        content_hash=content_hash(snapshot),
        error=reason,
    )


def publish(
    source: Source, run: Run, snapshot: Callable[[], Snapshot], context: RunContext, locks: AppLocks
) -> Run:
    """Uploads a snapshot as `run`, or goes on where an earlier attempt stopped; the accepted run.

    `snapshot` is called where it is needed: a job that is under way is waited for before anything
    else can go wrong.

    Raises:
        LumosError: not reached, refused, failed, still running at the deadline, or not what was
            sent.
        BusyError: the lease was lost.
        GuardError: a person has taken back the approval that it goes by.
        StateError: the disk is full, or the stored snapshot is not what was planned.
    """
    api = lumos_of(context)
    if run.request_count is None or len(run.job_ids) < run.request_count:
        run = _submit_all(source, run, snapshot(), api, context, locks)
    _wait(source, run.job_ids[-1], api, context)
    locks.check()
    if source.file.upload.verify:
        _verify(source, run, snapshot(), api, context, locks)
    accepted = context.ledger.update_run(
        run.run_id, expect=("submitted",), state="done", ended_at=context.now(), error=None
    )
    _log.info("%s: accepted as run %s, job %s", source.name, run.run_id, run.job_ids[-1])
    return accepted


def _submit_all(
    source: Source,
    run: Run,
    snapshot: Snapshot,
    api: LumosApi,
    context: RunContext,
    locks: AppLocks,
) -> Run:
    """Stores the intent, then sends what has not been sent, one request after the other."""
    with request_folder(context.settings.state) as folder:
        bodies = write_bodies(source, run, snapshot, folder, context)
        locks.check()
        if run.content_hash is None:
            run = _save_intent(run, snapshot, bodies, context)
        elif run.content_hash != bodies.content_hash:
            raise StateError(
                f"the archived snapshot of run {run.run_id} is not the one that was planned"
            )
        for number, body in enumerate(bodies.paths):
            if number < len(run.job_ids):
                continue
            if run.job_ids:
                _wait(source, run.job_ids[-1], api, context)
            context.progress("uploading", number, len(bodies.paths))
            job_id = submit_accounts(api, body, check=locks.check)
            run = context.ledger.update_run(
                run.run_id,
                expect=OPEN_STATES,
                state="submitted",
                job_ids=(*run.job_ids, job_id),
            )
            _log.info("%s: %d bytes sent, job %s", source.name, body.stat().st_size, job_id)
    return run


def _save_intent(run: Run, snapshot: Snapshot, bodies: Bodies, context: RunContext) -> Run:
    """Stores what is about to be sent: the snapshot first, then the run that names it.

    Raises:
        GuardError: a person has taken back the approval that it goes by.
    """
    context.archive.save_snapshot(run.source, run.run_id, snapshot)
    approved = run.approves_run_id
    return context.ledger.update_run(
        run.run_id,
        expect=READING,
        along=partial(check_approved, run_id=approved) if approved else None,
        state="planned",
        content_hash=bodies.content_hash,
        request_count=len(bodies.paths),
        accounts_per_request=bodies.accounts_each,
        counts={**run.counts, "requests": len(bodies.paths), "bytes": bodies.byte_count},
    )


def _wait(source: Source, job_id: str, api: LumosApi, context: RunContext) -> None:
    context.progress(f"waiting for job {job_id}", 0, 0)
    wait_for_job(api, job_id, source.file.upload.poll, sleep=context.sleep)


def _verify(
    source: Source,
    run: Run,
    snapshot: Snapshot,
    api: LumosApi,
    context: RunContext,
    locks: AppLocks,
) -> None:
    """Reads the accounts back; a difference goes into the private archive and fails the run.

    Raises:
        ReadBackError: the app does not hold what was sent.
        BusyError: the lease was lost.
    """
    problem = _read_back(run, snapshot, api, context, locks)
    for _ in range(READ_BACKS - 1):
        if problem is None:
            return
        context.sleep(source.file.upload.poll.every.total_seconds())
        problem = _read_back(run, snapshot, api, context, locks)
    if problem is not None:
        raise problem


def _read_back(
    run: Run, snapshot: Snapshot, api: LumosApi, context: RunContext, locks: AppLocks
) -> ReadBackError | None:
    """Why the app does not hold what was sent; None where it does."""
    app_id = str(run.app_id)

    def progress(done: int, total: int) -> None:
        context.progress("reading back", done, total)

    sent = snapshot.accounts.select(
        unique_identifier="integration_specific_id", status="user_status"
    )
    try:
        differences = compare_with_app(api, app_id, sent, on_page=progress)
    except ReadBackError as error:
        return error
    # Else what was read may be of another's upload.
    locks.check()
    if not differences.height:
        return None
    context.archive.save_frame(run.source, run.run_id, "differences", differences)
    counts = differences["difference"].value_counts(sort=True).rows()
    summary = ", ".join(f"{count} {difference}" for difference, count in counts)
    return ReadBackError(
        f"app {app_id} does not hold what job {run.job_ids[-1]} was sent: {summary}; "
        f"the list is in the archive under {run.source}/{run.run_id}"
    )
