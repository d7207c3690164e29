"""Batches of activity in a run that may be killed at any line: intent, POST, job, done.

The records and the hash of each batch are stored before the first POST, each job's id right after
its POST. A later run sends what is left from the archive: the same records give the same bytes.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

import polars as pl

from flows.activity.job import ActivityJob
from flows.run.context import RunContext, lumos_of
from flows.run.locks import AppLocks
from loaders.ledger.activity import save_batches, save_done, save_job, saved_batches
from loaders.lumos.activity import submit_activity
from loaders.lumos.jobs import ACTIVITY as ACTIVITY_JOB
from loaders.lumos.jobs import wait_for_job
from schemas.batches import Batch
from schemas.errors import StateError
from schemas.run import OPEN_STATES, Run
from transforms.activity.bodies import to_bodies, to_body

_log = logging.getLogger(__name__)

RECORDS = "records"
"""The archive's name for what a run sends."""


def plan_batches(job: ActivityJob, run: Run, records: pl.DataFrame, context: RunContext) -> Run:
    """Stores what is about to be sent: the records, the batches, then the run that names them."""
    activity = job.activity
    context.archive.save_frame(run.source, run.run_id, RECORDS, records)
    whole = hashlib.sha256()
    made = []
    cut = to_bodies(records, activity.records_per_request, activity.bytes_per_request)
    for position, (start, count, body) in enumerate(cut):
        whole.update(body)
        made.append(Batch(position, start, count, hashlib.sha256(body).hexdigest()))
    save_batches(context.ledger, run.run_id, made)
    return context.ledger.update_run(
        run.run_id,
        expect=("reading",),
        state="planned",
        content_hash=whole.hexdigest(),
        counts={**run.counts, "activity_batches": len(made)},
    )


def send_batches(job: ActivityJob, run: Run, context: RunContext, locks: AppLocks) -> Run:
    """Sends every batch that is not done; the run with its jobs.

    Raises:
        LumosError: not reached, refused, or still at work at the deadline.
        BusyError: the lease was lost.
        StateError: the stored records are not what was planned.
    """
    batches = saved_batches(context.ledger, run.run_id)
    left = [batch for batch in batches if batch.done_at is None]
    run = context.ledger.update_run(run.run_id, expect=OPEN_STATES, state="submitted")
    records = context.archive.saved_frame(run.source, run.run_id, RECORDS) if left else None

    def send(batch: Batch) -> None:
        if records is not None:
            _send(job, run, batch, records.slice(batch.start, batch.record_count), context, locks)

    done = len(batches) - len(left)
    for count in _each(send, left, job.activity.parallel):
        context.progress("sending activity", done + count, len(batches))
    jobs = [batch.job_id for batch in saved_batches(context.ledger, run.run_id)]
    return context.ledger.update_run(run.run_id, job_ids=tuple(job for job in jobs if job))


def _each(send: Callable[[Batch], None], batches: list[Batch], parallel: int) -> Iterator[int]:
    """Counts the batches as they are done, at most `parallel` at once, until one fails."""
    if parallel == 1:
        for count, batch in enumerate(batches, 1):
            send(batch)
            yield count
        return
    pool = ThreadPoolExecutor(parallel)
    try:
        for count, future in enumerate(as_completed([pool.submit(send, b) for b in batches]), 1):
            future.result()
            yield count
    finally:
        pool.shutdown(cancel_futures=True)


def _send(
    job: ActivityJob,
    run: Run,
    batch: Batch,
    records: pl.DataFrame,
    context: RunContext,
    locks: AppLocks,
) -> None:
    api = lumos_of(context)
    job_id = batch.job_id
    if job_id is None:
        body = to_body(records)
        if hashlib.sha256(body).hexdigest() != batch.content_hash:
            raise StateError(
                f"the archived records of run {run.run_id} are not those that were planned"
            )
        job_id = submit_activity(api, body, check=locks.check)
        save_job(context.ledger, run.run_id, batch.position, job_id)
    wait_for_job(api, job_id, job.activity.poll, kind=ACTIVITY_JOB, sleep=context.sleep)
    save_done(context.ledger, run.run_id, batch.position, context.now())
