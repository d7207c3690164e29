"""The order of sending activity, as plain functions: recover, read, publish. No Prefect here."""

import logging
from dataclasses import dataclass, replace
from functools import partial

from flows.activity.batches import plan_batches, send_batches
from flows.activity.collect import check_rejects, check_where, gather, warnings_of
from flows.activity.job import ActivityJob, to_job
from flows.activity.watermark import move_on, sent_before, span_since, without
from flows.notices.notify import with_notices
from flows.run.attempt import Stages, attempt, recover
from flows.run.consistency import check_consistent
from flows.run.context import RunContext, Step, at_once
from flows.run.locks import AppLocks, app_locks
from schemas.errors import BusyError, IngestError, JobTimeoutError, LumosUnavailableError
from schemas.run import OPEN_STATES, Run
from schemas.source_file.file import Source
from transforms.activity.records import Gathered

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sending:
    """What came of one job.

    Attributes:
        run: done, or `unchanged` where nothing was new.
        recovered: the runs that had been cut off and were brought to their end before.
        warnings: what a person should know.
    """

    run: Run
    recovered: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def send_activity(source: Source, context: RunContext, *, step: Step = at_once) -> Sending:
    """Sends the source's activity since its watermark, and moves the watermark on.

    Raises:
        IngestError: the run failed; where it had begun, the ledger has the same line.
    """

    def work() -> Sending:
        return run_job(to_job(source, context), context, step=step)

    return with_notices(source, "activity", context, work)


def run_job(job: ActivityJob, context: RunContext, *, step: Step = at_once) -> Sending:
    """Does the job, under a lease.

    What a dead run left is brought to its end first, from the archive; of a window of a backfill
    that is all.

    Raises:
        IngestError: the run failed; where it had begun, the ledger has the same line.
        BugError: so it did, for a reason of our own.
    """
    with app_locks(context) as locks:
        locks.take(job.key)
        check_consistent(job.source.name, context)
        open_runs = context.ledger.runs_of(job.scope, OPEN_STATES)
        finish = partial(_publish, job, context, locks)
        recovered = recover(job.scope, open_runs, context, finish, _goes_on)
        ended = context.ledger.runs_of(job.scope, ("done", "unchanged"))
        if job.kind == "backfill" and ended and (recovered or not job.is_again):
            return Sending(ended[-1], recovered)
        span = span_since(job, context)

        stages = Stages(step)

        def work(run: Run) -> tuple[Run, Gathered]:
            gathered = stages("extract", partial(gather, job, span, context))
            run = _plan(job, run, gathered, context)
            return stages("publish", partial(_publish, job, context, locks, run)), gathered

        scope = replace(job.scope, since=span.since, until=span.until)
        run, gathered = attempt(scope, context, work, _goes_on, stages=stages)
    warnings = warnings_of(job, gathered)
    for warning in warnings:
        _log.warning("%s: %s", job.source.name, warning)
    return Sending(run, recovered, warnings)


def _plan(job: ActivityJob, run: Run, gathered: Gathered, context: RunContext) -> Run:
    """Stores what is new, as batches; the run that is about to send them."""
    context.archive.save_frame(run.source, run.run_id, "rejects", gathered.rejects)
    told = {"warnings": list(warnings_of(job, gathered))}
    run = context.ledger.update_run(run.run_id, counts=_counts(gathered), plan=told)
    check_rejects(job, gathered)
    check_where(job, gathered)
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


def _publish(job: ActivityJob, context: RunContext, locks: AppLocks, run: Run) -> Run:
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


def _goes_on(_run: Run, error: IngestError) -> bool:
    """Whether what is under way may still end well; else what was not sent is read again."""
    return isinstance(error, LumosUnavailableError | JobTimeoutError | BusyError)
