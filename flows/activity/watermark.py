"""Watermarks: from where activity is read, what of it was sent before, and how one moves on."""

import logging
from datetime import datetime

import polars as pl

from extractors.activity import Span
from flows.activity.batches import RECORDS
from flows.activity.job import ActivityJob
from flows.run.context import RunContext
from loaders.ledger.activity import done_since, save_watermark, saved_watermark
from schemas.batches import Watermark
from schemas.errors import StateError
from schemas.run import Run
from schemas.tables import ACTIVITY

_log = logging.getLogger(__name__)

SENT = "sent"
"""The archive's name for what was sent of the last overlap: it is read again, not sent again."""


def span_since(job: ActivityJob, context: RunContext) -> Span:
    """The time to read: a backfill's own window; else from the overlap before the watermark on."""
    if job.kind == "backfill":
        return job.span
    mark = saved_watermark(context.ledger, job.source.name, job.app_id)
    if mark is None:
        return Span(job.activity.first_moment)
    return Span(mark.until - job.activity.overlap)


def sent_before(job: ActivityJob, since: datetime | None, context: RunContext) -> pl.DataFrame:
    """The records (`ACTIVITY`) from `since` on that a run before this one has sent.

    A backfill goes by no watermark, and knows of none.
    """
    nothing = pl.DataFrame(schema=ACTIVITY)
    if job.kind == "backfill":
        return nothing
    source = job.source.name
    mark = saved_watermark(context.ledger, source, job.app_id)
    frames = [nothing]
    if mark is not None:
        frames.append(context.archive.saved_frame(source, mark.run_id, SENT))
    kept: dict[str, pl.DataFrame] = {}
    for run_id, batch in done_since(context.ledger, job.scope, mark):
        if run_id not in kept:
            kept[run_id] = _records_of(source, run_id, context)
        frames.append(kept[run_id].slice(batch.start, batch.record_count))
    sent = pl.concat(frames)
    return sent if since is None else sent.filter(pl.col("timestamp") >= since)


def _records_of(source: str, run_id: str, context: RunContext) -> pl.DataFrame:
    """What a failed run was to send; nothing where the archive has let go of it."""
    try:
        return context.archive.saved_frame(source, run_id, RECORDS)
    except StateError as error:
        _log.warning("%s: what run %s sent is sent again: %s", source, run_id, error)
        return pl.DataFrame(schema=ACTIVITY)


def without(records: pl.DataFrame, sent: pl.DataFrame) -> pl.DataFrame:
    """The records that are not among those sent, in their order."""
    if not sent.height:
        return records
    return records.join(
        sent, on=list(ACTIVITY), how="anti", nulls_equal=True, maintain_order="left"
    )


def move_on(job: ActivityJob, run: Run, context: RunContext) -> None:
    """Moves the watermark to the newest record that the run has read, now that all is done.

    What was sent of the last overlap is stored first, under the run that the watermark names.
    """
    source, app_id = job.source.name, job.app_id
    if run.next_watermark_at is None:
        return
    mark = saved_watermark(context.ledger, source, app_id)
    until = run.next_watermark_at if mark is None else max(run.next_watermark_at, mark.until)
    since = until - job.activity.overlap
    if mark is not None and mark.run_id == run.run_id:
        return
    now_sent = context.archive.saved_frame(source, run.run_id, RECORDS)
    sent = pl.concat([sent_before(job, since, context), now_sent])
    lately = sent.filter(pl.col("timestamp") >= since).unique(maintain_order=True)
    context.archive.save_frame(source, run.run_id, SENT, lately)
    save_watermark(context.ledger, source, app_id, Watermark(until, run.run_id))
