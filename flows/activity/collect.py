"""The records of an activity run: read, judged and reduced, and what a person should know of it."""

import logging
from dataclasses import replace

import polars as pl

from extractors.activity import ActivityOrigin, Span, read_activity
from flows.activity.job import ActivityJob
from flows.run.context import RunContext
from flows.run.own_transform import apply_transforms
from flows.run.read import extract
from schemas.errors import ContractError
from schemas.source_file.file import located
from schemas.source_file.logs import LogShape
from schemas.tables import ONE_FIELD, UNREADABLE_LINE
from transforms.activity.from_accounts import to_events
from transforms.activity.records import UNKNOWN, Gathered, Gathering, Known, RecordFilter
from transforms.snapshot.snapshot import to_rows
from transforms.tables.accounts import to_accounts
from transforms.tables.columns import accounts_with_wanted_names

_log = logging.getLogger(__name__)

FLOOR = 1
"""Rejected rows that a share always allows."""


def gather(job: ActivityJob, span: Span, context: RunContext) -> Gathered:
    """The records of the time asked for, judged and reduced.

    Raises:
        SourceError: the source could not be read whole.
        ContractError: more rows are rejected than the source file allows.
    """
    context.progress("reading activity", 0, 0)
    source, activity, now = job.source, job.activity, context.now()
    known = _known(job, context) if activity.unknown_accounts != "send" else None
    gathering = Gathering(RecordFilter(activity, job.app_id, now, span.since, span.until, known))
    origin = source.file.activity_origin
    if origin is None:
        raw = apply_transforms(source, context, extract(source, context))
        raw = replace(raw, accounts=accounts_with_wanted_names(raw.accounts, source.file))
        raw = to_rows(raw, source.file, context.now()).raw
        accounts, _ = to_accounts(raw.accounts, source.file, now)
        gathering.add_events(to_events(accounts.records, job.app_id), accounts.rejects)
    else:
        shape = activity.shape
        located(
            source, lambda: _read(origin, shape, span, context, gathering), source.file.activity_key
        )
    gathered = gathering.result()
    count = gathered.count
    _log.info(
        "%s: activity: %d read, %d accepted, %d merged, %d rejected, %d excluded, %d ignored; "
        "%d outside, %d reduced",
        source.name, count.read, count.accepted, count.merged, count.rejected, count.excluded,
        count.ignored, count.outside, count.reduced,
    )  # fmt: skip
    return gathered


def _read(
    origin: ActivityOrigin,
    shape: LogShape,
    span: Span,
    context: RunContext,
    gathering: Gathering,
) -> None:
    for table in read_activity(
        origin,
        context.settings.workspace,
        span,
        shape=shape,
        now=context.now(),
        sleep=context.sleep,
        resolve=context.resolve,
    ):
        gathering.add(table)


def check_rejects(job: ActivityJob, gathered: Gathered) -> None:
    """Ends the run where too many rows are rejected: the watermark would move past them.

    A row that tells no time may be of any: a share of these is of all rows that were read, of the
    others it is of those of the time asked for.

    Raises:
        ContractError: they are more than `activity.max_rejected_rows`, or all there are.
    """
    of_rows = (pl.col("code") != UNKNOWN.code) & ~pl.col("is_cell")
    rejects, count = gathered.rejects.filter(of_rows), gathered.count
    is_unsplit = pl.col("code").is_in([UNREADABLE_LINE, ONE_FIELD])
    timeless = rejects.filter((pl.col("column") == "timestamp") | is_unsplit)
    timed = rejects.join(timeless, on=["file", "row"], how="anti")
    limit = job.activity.max_rejected_rows
    inside = count.asked - count.outside - timeless.select("file", "row").n_unique()
    for broken, base in ((timed, inside), (timeless, count.asked)):
        rejected = broken.select("file", "row").n_unique()
        if not rejected or base > rejected <= limit.allowed(base, FLOOR):
            continue
        first = broken.row(0, named=True)
        so_many = f"activity.max_rejected_rows is {limit}" if rejected < base else "every one"
        raise ContractError(
            f"{first['file']}:{first['row']}: {first['column'] or 'the row'} {first['reason']} "
            f"({rejected} of {base} activity rows are rejected, {so_many}): nothing was sent; "
            "correct activity.columns, or name under ignore or where what is no activity"
        )


def check_where(job: ActivityJob, gathered: Gathered) -> None:
    """Ends the run where no row has the words of `where` (any more): one of them may have changed.

    Everybody would seem dormant. Nothing is lost by it, the watermark stays. A window of a backfill
    is short enough to have none.

    Raises:
        ContractError: `WhereCount.is_none`.
    """
    activity = job.activity
    refuses = activity.unmatched_where == "refuse"
    if job.kind == "activity" and gathered.where.is_none and refuses:
        columns = ", ".join(activity.where)
        raise ContractError(
            f"{_unmatched(gathered)} ({columns}): nothing was sent; look up what the log says "
            "today, or write unmatched_where: warn where that may be"
        )


def _unmatched(gathered: Gathered) -> str:
    count = gathered.where
    all_rows = f"none of {count.unmatched} activity rows has"
    lately = f"none of {count.unmatched_inside} activity rows since the last run has"
    return f"{lately if count.matched else all_rows} a word that activity.where names"


def warnings_of(job: ActivityJob, gathered: Gathered) -> tuple[str, ...]:
    """What a person should know about the records."""
    count, warnings = gathered.count, []
    if count.unknown and job.activity.unknown_accounts == "warn":
        misses = [f"{rows} by {what} alone" for what, rows in gathered.misses.items()]
        near = f" ({', '.join(misses)})" if misses else ""
        warnings.append(
            f"{count.unknown} activity rows name accounts that the last accepted snapshot lacks"
            f"{near}"
        )
    if gathered.where.is_none:
        warnings.append(_unmatched(gathered))
    if count.left_out:
        warnings.append(f"{count.left_out} activity rows without a usable time were left out")
    if job.kind == "activity":
        warnings += [
            f"{late.name}: was written since the last run, and all of its {late.row_count} rows "
            "are from before what that run has read: none is sent; backfill that time"
            for late in gathered.late
        ]
    return tuple(warnings)


def _known(job: ActivityJob, context: RunContext) -> Known | None:
    """The accounts of the source's last accepted snapshot; None before the first."""
    run = context.ledger.accepted_run(job.source.name)
    if run is None:
        return None
    accounts = context.archive.saved_frame(run.source, run.run_id, "accounts")
    emails = accounts["email"].drop_nulls().str.to_lowercase()
    return Known(accounts["integration_specific_id"], emails)
