"""The records of an activity run: read, judged and reduced, and what a person should know of it."""

import logging

import polars as pl

from extractors.activity import Origin, Span, read_activity
from flows.activity.job import Errand
from flows.run.context import Tools
from flows.run.file_errors import located
from flows.run.read import extract
from schemas.contracts import NOBODY
from schemas.errors import ContractError
from transforms.activity.from_accounts import to_events
from transforms.activity.records import UNKNOWN, Gathered, Gathering, Known, Wanted
from transforms.tables.accounts import to_accounts

_log = logging.getLogger(__name__)

FLOOR = 1
"""Rejected rows that a share always allows."""


def gather(errand: Errand, span: Span, tools: Tools) -> Gathered:
    """The records of the time asked for, judged and reduced.

    Raises:
        SourceError: the source could not be read whole.
        ContractError: more rows are rejected than the source file allows.
    """
    tools.progress("reading activity", 0, 0)
    source, activity, now = errand.source, errand.activity, tools.now()
    known = _known(errand, tools) if activity.unknown_accounts != "send" else None
    gathering = Gathering(Wanted(activity, errand.app_id, now, span.since, span.until, known))
    origin = source.file.activity_origin
    if origin is None:
        accounts, _ = to_accounts(extract(source, tools).accounts, source.file, now)
        gathering.add_events(to_events(accounts.records, errand.app_id), accounts.rejects)
    else:
        located(source, lambda: _read(origin, span, tools, gathering), source.file.activity_key)
    gathered = gathering.result()
    count = gathered.count
    _log.info(
        "%s: activity: %d read, %d accepted, %d merged, %d rejected; %d outside, %d reduced",
        source.name, count.read, count.accepted, count.merged, count.rejected, count.outside,
        count.reduced,
    )  # fmt: skip
    return gathered


def _read(origin: Origin, span: Span, tools: Tools, gathering: Gathering) -> None:
    for table in read_activity(
        origin,
        tools.settings.workspace,
        span,
        now=tools.now(),
        sleep=tools.sleep,
        resolve=tools.resolve,
    ):
        gathering.add(table)


def check_rejects(errand: Errand, gathered: Gathered) -> None:
    """Ends the run where too many rows are rejected: the watermark would move past them.

    A row that tells no time may be of any: a share of these is of all rows that were read, of the
    others it is of those of the time asked for.

    Raises:
        ContractError: they are more than `activity.max_rejected_rows`.
    """
    rejects, count = gathered.rejects.filter(pl.col("reason") != UNKNOWN), gathered.count
    is_unsplit = pl.col("column").is_null() & (pl.col("reason") != NOBODY)
    timeless = rejects.filter((pl.col("column") == "timestamp") | is_unsplit)
    timed = rejects.join(timeless, on=["file", "row"], how="anti")
    limit = errand.activity.max_rejected_rows
    asked = count.read - count.outside - timeless.select("file", "row").n_unique()
    for broken, base in ((timed, asked), (timeless, count.read)):
        rejected = broken.select("file", "row").n_unique()
        if rejected > limit.allowed(base, FLOOR):
            first = broken.row(0, named=True)
            raise ContractError(
                f"{first['file']}:{first['row']}: {first['column'] or 'the row'} {first['reason']} "
                f"({rejected} of {base} activity rows are rejected, activity.max_rejected_rows is "
                f"{limit}): nothing was sent; correct activity.columns, or raise the limit"
            )


def warnings_of(errand: Errand, gathered: Gathered) -> tuple[str, ...]:
    """What a person should know about the records."""
    count, said = gathered.count, []
    if count.unknown and errand.activity.unknown_accounts == "warn":
        said.append(
            f"{count.unknown} activity rows name accounts that the last accepted snapshot lacks"
        )
    if count.left_out:
        said.append(f"{count.left_out} activity rows without a usable time were left out")
    return tuple(said)


def _known(errand: Errand, tools: Tools) -> Known | None:
    """The accounts of the source's last accepted snapshot; None before the first."""
    run = tools.ledger.accepted_run(errand.source.name)
    if run is None:
        return None
    accounts = tools.archive.saved_frame(run.source, run.run_id, "accounts")
    emails = accounts["email"].drop_nulls().str.to_lowercase()
    return Known(accounts["integration_specific_id"], emails)
