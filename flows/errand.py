"""What a run of activity is about: whose, in which app, of which time; its records, gathered."""

import logging
from dataclasses import dataclass

import polars as pl

from extractors.activity import Span, read_activity
from flows.planning import extract
from flows.stages import lumos_of
from flows.tools import Tools
from loaders.apps import find_app
from loaders.ledger_activity import RunsOf
from schemas.activity_contract import NOBODY
from schemas.errors import ConfigError, ContractError
from schemas.run import RunKind
from schemas.source_file import Source
from schemas.source_parts import Activity, App
from transforms.account_activity import to_events
from transforms.accounts import to_accounts
from transforms.activity import UNKNOWN, Gathered, Gathering, Known, Wanted

_log = logging.getLogger(__name__)

ALL_TIME = Span()

FLOOR = 1
"""Rejected rows that a share always allows."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What is to be done: send the source's activity of a time.

    Attributes:
        source: the source.
        activity: its block `activity`.
        app_id: the Lumos app the activity was seen in.
        kind: `activity`, since the watermark, or `backfill`.
        span: of a backfill, the window.
        is_again: whether a window that is done is sent again.
    """

    source: Source
    activity: Activity
    app_id: str
    kind: RunKind = "activity"
    span: Span = ALL_TIME
    is_again: bool = False

    @property
    def key(self) -> str:
        """What no other run may be at work on meanwhile."""
        if self.kind == "activity":
            return f"activity {self.app_id}"
        return f"activity {self.app_id} {self.source.name} {self.span.since} {self.span.until}"

    @property
    def runs(self) -> RunsOf:
        """Its runs in the ledger."""
        span = self.span
        return RunsOf(self.source.name, self.app_id, self.kind, span.since, span.until)


def to_errand(source: Source, tools: Tools) -> Errand:
    """The errand of sending the source's activity since its watermark.

    Raises:
        ConfigError: the source file has no activity block, or its app is not in Lumos.
        LumosError: Lumos could not be asked.
    """
    activity = activity_of(source)
    app_id = find_app(lumos_of(tools), activity_app(source))
    if app_id is None:
        key = "activity.app" if activity.app else "app.name"
        raise ConfigError(
            f"{source.path}: {key}: Lumos has no app of this exact name; correct it, or sync the "
            "source that makes it first"
        )
    return Errand(source, activity, app_id)


def activity_of(source: Source) -> Activity:
    """The source file's block `activity`.

    Raises:
        ConfigError: it has none.
    """
    if source.file.activity is None:
        raise ConfigError(
            f"{source.path}: has no block activity: say there where its activity records are"
        )
    return source.file.activity


def activity_app(source: Source) -> App:
    """The app the activity was seen in."""
    named = source.file.activity.app if source.file.activity else None
    return App(name=named.name, id=named.id) if named else source.file.app


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
        workspace = tools.settings.workspace
        for table in read_activity(
            origin, workspace, span, now=now, sleep=tools.sleep, resolve=tools.resolve
        ):
            gathering.add(table)
    gathered = gathering.result()
    count = gathered.count
    _log.info(
        "%s: activity: %d read, %d accepted, %d merged, %d rejected; %d outside, %d reduced",
        source.name, count.read, count.accepted, count.merged, count.rejected, count.outside,
        count.reduced,
    )  # fmt: skip
    return gathered


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
