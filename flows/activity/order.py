"""The order of sending activity, as plain functions: settle, extract, publish. No Prefect here."""

import logging
from dataclasses import dataclass
from functools import partial

from flows.activity.batches import plan_batches, send_batches
from flows.activity.collect import check_rejects, gather, warnings_of
from flows.activity.job import ActivityJob, to_errand
from flows.activity.watermark import move_on, sent_before, span_since, without
from flows.run.context import RunContext, Step, actor, at_once
from flows.run.locks import AppLocks, app_locks
from flows.run.retention import GIVE_UP_AFTER, prune
from schemas.errors import (
    BusyError,
    IngestError,
    JobFailedError,
    JobTimeoutError,
    LumosUnavailableError,
)
from schemas.run import OPEN_STATES, Run
from schemas.source_file.file import Source
from schemas.source_file.quantities import duration_text
from transforms.activity.records import Gathered

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sending:
    """What came of one errand.

    Attributes:
        run: done, or `unchanged` where nothing was new.
        settled: the runs that were brought to their end before.
        warnings: what a person should know.
    """

    run: Run
    settled: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def send_activity(source: Source, context: RunContext, *, step: Step = at_once) -> Sending:
    """Sends the source's activity since its watermark, and moves the watermark on.

    Raises:
        IngestError: the run failed; where it had begun, the ledger has the same line.
    """
    return run_job(to_errand(source, context), context, step=step)


def run_job(job: ActivityJob, context: RunContext, *, step: Step = at_once) -> Sending:
    """Does the errand, under a lease.

    What a dead run left is brought to its end first, from the archive; of a window of a backfill
    that is all.

    Raises:
        IngestError: the run failed; where it had begun, the ledger has the same line.
    """
    with app_locks(context) as locks:
        locks.take(job.key)
        settled = _recover(job, context, locks)
        context.ledger.abandon_reading(job.scope, context.now())
        ended = context.ledger.runs_of(job.scope, ("done", "unchanged"))
        if job.kind == "backfill" and ended and (settled or not job.is_again):
            return Sending(ended[-1], settled)
        run, gathered = _attempt(job, context, locks, step)
    warnings = warnings_of(job, gathered)
    for warning in warnings:
        _log.warning("%s: %s", job.source.name, warning)
    return Sending(run, settled, warnings)


def _attempt(
    job: ActivityJob, context: RunContext, locks: AppLocks, step: Step
) -> tuple[Run, Gathered]:
    source, span = job.source, span_since(job, context)
    run = context.ledger.start_run(
        source.name,
        actor(),
        context.now(),
        job.app_id,
        kind=job.kind,
        since=span.since,
        until=span.until,
    )
    try:
        gathered = step("extract", partial(gather, job, span, context))
        run = _plan(job, run, gathered, context)
        run = step("publish", partial(_publish, job, run, context, locks))
    except IngestError as error:
        _record_failure(context, run.run_id, error)
        raise
    finally:
        prune(source, context)
    return run, gathered


def _plan(job: ActivityJob, run: Run, gathered: Gathered, context: RunContext) -> Run:
    """Stores what is new, as batches; the run that is about to send them."""
    context.archive.save_frame(run.source, run.run_id, "rejects", gathered.rejects)
    run = context.ledger.update_run(run.run_id, counts=_counts(gathered))
    check_rejects(job, gathered)
    new = without(gathered.records, sent_before(job, run.since, context))
    repeated = gathered.records.height - new.height
    run = context.ledger.update_run(
        run.run_id,
        counts={**run.counts, "activity_repeated": repeated, "activity_sent": new.height},
        # A source's clock may be ahead, and rows may have come while others were read: neither must
        # be passed over.
        next_watermark_at=min(gathered.newest, run.started_at) if gathered.newest else None,
    )
    return plan_batches(job, run, new, context)


def _counts(gathered: Gathered) -> dict[str, int]:
    names = gathered.count.__dataclass_fields__
    return {f"activity_{name}": getattr(gathered.count, name) for name in names}


def _publish(job: ActivityJob, run: Run, context: RunContext, locks: AppLocks) -> Run:
    """Sends what is left of the run, and moves the watermark on; the run as it ended."""
    run = send_batches(job, run, context, locks)
    if job.kind == "activity":
        move_on(job, run, context)
    state = "done" if run.job_ids else "unchanged"
    ended = context.ledger.update_run(
        run.run_id, expect=("submitted",), state=state, ended_at=context.now(), error=None
    )
    _log.info(
        "%s: %d activity records sent as run %s",
        run.source, run.counts.get("activity_sent", 0), run.run_id,
    )  # fmt: skip
    return ended


def _recover(job: ActivityJob, context: RunContext, locks: AppLocks) -> tuple[str, ...]:
    """Brings to their end the errand's runs that died with batches on their way; their ids.

    Raises:
        JobTimeoutError: a job still runs.
        LumosUnavailableError: Lumos could not be reached.
    """
    settled = []
    for run in context.ledger.runs_of(job.scope, OPEN_STATES):
        _log.warning("%s: run %s was cut off; settling it first", run.source, run.run_id)
        try:
            if context.now() - run.started_at > GIVE_UP_AFTER:
                raise JobFailedError(
                    f"run {run.run_id}: no end after {duration_text(GIVE_UP_AFTER)}; given up, and "
                    "what it had not sent is read again"
                )
            _publish(job, run, context, locks)
        except IngestError as error:
            if not _record_failure(context, run.run_id, error):
                raise
            # What it had sent is known, and what it had not is read again at once.
            _log.warning("%s: run %s ended badly: %s", run.source, run.run_id, error)
        settled.append(run.run_id)
    return tuple(settled)


def _record_failure(context: RunContext, run_id: str, error: IngestError) -> bool:
    """Writes down why a run stopped; whether that ends it, or the next one goes on with it."""
    run = context.ledger.run(run_id)
    if run is None or run.state not in ("reading", *OPEN_STATES):
        return True
    passes = isinstance(error, LumosUnavailableError | JobTimeoutError | BusyError)
    if run.state in OPEN_STATES and passes:
        context.ledger.update_run(run_id, error=str(error))
        return False
    context.ledger.update_run(run_id, state="failed", ended_at=context.now(), error=str(error))
    return True
