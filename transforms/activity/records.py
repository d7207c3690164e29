"""Activity: from raw rows to canonical records, batch by batch; memory grows with what is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import polars as pl

from schemas.contracts import ACTIVITY_CONTRACT
from schemas.raw import RawTable
from schemas.source_file.activity import IGNORED, Keep
from schemas.source_file.blocks import Activity
from schemas.tables import ACTIVITY, Reason
from transforms.activity.columns import (
    activity_use,
    to_activity_candidates,
    to_activity_times,
)
from transforms.activity.late import FileTimes, LateFile, late_files, with_rows
from transforms.activity.where import WhereCount, meant
from transforms.associations.near_misses import near_misses, with_near_misses
from transforms.tables.columns import table_with_wanted_names, unread_times, untold_texts
from transforms.tables.conform import to_rejects
from transforms.tables.expressions import NEVER_ASKED
from transforms.tables.mapping import ColumnUse
from transforms.tables.moments.times import ABSURD, NOT_A_TIME, is_absurd
from transforms.tables.rejects import (
    failures,
    failures_of,
    no_rejects,
    rejected_row_count,
    with_untold,
)

# Activity records reduced to what Lumos can use: the newest of each kind, or each record once.

TIMES = "times"
"""How many rows said just this record, UInt32: a column beside those of `ACTIVITY`."""

_DAY, _NAMELESS = "day", "nameless"
_ORDER = ["timestamp", "account_id", "email", "event_type", "app_instance_identifier"]


def reduced(records: pl.DataFrame, keep: Keep, zone: str) -> pl.DataFrame:
    """The records to keep of `records` (`ACTIVITY` and `TIMES`), in no order.

    An account is known by its id, one without an id by its e-mail address in any case. Of two
    newest records that differ in the address alone, the one whose address sorts last is kept: what
    is kept, and its `TIMES`, depends neither on the order of the rows nor on how they were parted
    before.
    """
    if keep == "all":
        return _counted(records)
    key = ["account_id", _NAMELESS, "event_type", "source_app_id", "app_instance_identifier", _DAY]
    day = pl.col("timestamp").dt.convert_time_zone(zone).dt.date()
    keyed = records.with_columns(
        pl.when(pl.col("account_id").is_null())
        .then(pl.col("email").str.to_lowercase())
        .alias(_NAMELESS),
        (day if keep == "newest_per_day" else pl.lit(None, dtype=pl.Date)).alias(_DAY),
    )
    newest = keyed.filter(pl.col("timestamp") == pl.col("timestamp").max().over(key))
    return (
        _counted(newest)
        .sort("email", nulls_last=False)
        .unique(subset=key, keep="last", maintain_order=True)
        .select(*ACTIVITY, TIMES)
    )


def _counted(records: pl.DataFrame) -> pl.DataFrame:
    """Each record once, with how often it was there."""
    same = [column for column in records.columns if column != TIMES]
    return records.group_by(same).agg(pl.col(TIMES).sum())


def in_order(records: pl.DataFrame) -> pl.DataFrame:
    """The records (`ACTIVITY`) in the order they are sent: oldest first."""
    return records.select(list(ACTIVITY)).sort(_ORDER)


# Which activity records are wanted, and what became of the rows that were read.


@dataclass(frozen=True, slots=True)
class Known:
    """The accounts of the last accepted snapshot: their ids, and their addresses in lower case."""

    ids: pl.Series
    emails: pl.Series


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Which records are wanted.

    Attributes:
        activity: what the source file says.
        app_id: the app they were seen in.
        now: the time, UTC.
        since: earlier ones are not.
        until: neither is this moment, nor are later ones.
        known: the accounts there are; None where nobody knows, or nobody asks.
    """

    activity: Activity
    app_id: str
    now: datetime
    since: datetime | None = None
    until: datetime | None = None
    known: Known | None = None


@dataclass(frozen=True, slots=True)
class ActivityCount:
    """What became of every row: read = accepted + merged + rejected + excluded + ignored.

    `excluded` are those that `where` does not mean, `ignored` those whose word is no activity.
    `accepted` are, beside those to be sent: `outside`, of another time than asked for; `left_out`,
    without a usable time, where that is but a warning; `reduced`, with a newer record to be sent.
    `unknown` records, of accounts nobody knows, are among the others.
    """

    read: int = 0
    accepted: int = 0
    merged: int = 0
    rejected: int = 0
    reduced: int = 0
    outside: int = 0
    left_out: int = 0
    unknown: int = 0
    excluded: int = 0
    ignored: int = 0

    @property
    def asked(self) -> int:
        """The rows that may be activity."""
        return self.read - self.excluded - self.ignored


@dataclass(frozen=True, slots=True)
class Gathered:
    """The records of one read.

    Attributes:
        records: `ACTIVITY`, each once, in the order they are sent.
        rejects: `REJECTS`.
        count: what became of every row.
        newest: the newest time of an accepted row in question, UTC, none of them ahead of the
            clock; None where there is none.
        late: the files that came too late.
        misses: what accounts that nobody knows differ in alone from one that is known: in how many
            rows.
        where: how many rows have the words of `where`.
    """

    records: pl.DataFrame
    rejects: pl.DataFrame
    count: ActivityCount
    newest: datetime | None
    late: tuple[LateFile, ...] = ()
    misses: Mapping[str, int] = field(default_factory=dict)
    where: WhereCount = field(default_factory=WhereCount)


SLICE = 200_000
"""Rows that are judged at a time."""

_COMPACT = 250_000
NO_TIME = Reason("missing_time", "has no time")
UNKNOWN = Reason(
    "unknown_account", "names an account that the last accepted snapshot does not have"
)


class Gathering:
    """Takes raw tables one after the other and keeps what is to be sent of them."""

    def __init__(self, wanted: RecordFilter) -> None:
        self._wanted = wanted
        self._parts = [pl.DataFrame(schema=ACTIVITY | {TIMES: pl.UInt32()})]
        self._rejects = [no_rejects()]
        self._kept_height = 0
        self._newest: datetime | None = None
        self._count = ActivityCount()
        self._where = WhereCount()
        self._files: dict[str, FileTimes] = {}
        self._unknown = [pl.Series("account_id", [], dtype=pl.String)]

    def add(self, table: RawTable) -> None:
        """Judges the rows of `table`, and keeps what is to be sent.

        Raises:
            SourceFormatError: a column that the source file names is missing, or nothing tells
                when, what or who.
        """
        activity = self._wanted.activity
        table = table_with_wanted_names(table, activity.columns, activity.asked)
        use = activity_use(table, activity.columns)
        self._tell(read=table.dropped_count, excluded=table.dropped_count)
        if activity.where or activity.leave_out:
            table = self._meant(table, use)
        self._reject(table.rejects, table.rejects.height)
        for start in range(0, table.rows.height, SLICE):
            rows = table.rows.slice(start, SLICE)
            self._add_rows(replace(table, rows=rows, rejects=no_rejects()), use)

    def _meant(self, table: RawTable, use: ColumnUse) -> RawTable:
        """Returns the table with what alone may be activity; the rest is counted.

        Raises:
            SourceFormatError: a column that says it is missing.
        """
        may_be = meant(table, self._wanted.activity)
        others = table.rows.filter(~may_be.rows)
        count = others.height + int((~may_be.lines).sum())
        self._tell(read=count, excluded=count)
        unmatched = int(may_be.unmatched.sum())
        inside = unmatched
        if self._wanted.since is not None and others.height:
            times = to_activity_times(others, use)
            self._note_times(table, times)
            asked = times.filter(may_be.unmatched.filter(~may_be.rows)).to_frame("timestamp")
            inside = asked.filter(self._is_inside()).height
        self._where += WhereCount(unmatched=unmatched, unmatched_inside=inside)
        rejects = table.rejects.filter(may_be.lines)
        return replace(table, rows=table.rows.filter(may_be.rows), rejects=rejects)

    def _note_times(self, table: RawTable, timestamps: pl.Series) -> None:
        known = self._files.get(table.origin, FileTimes())
        self._files[table.origin] = with_rows(known, timestamps, table.written_at)

    def add_events(self, events: pl.DataFrame, rejects: pl.DataFrame) -> None:
        """Keeps events (`ACTIVITY`) that were judged with the accounts they are told of.

        `rejects` are the accounts' that could not be read.
        """
        self._reject(rejects.with_columns(pl.lit("activity").alias("table")), 0)
        inside = events.filter(self._is_inside())
        rejected = rejected_row_count(rejects, "accounts")
        self._tell(read=events.height + rejected, outside=events.height - inside.height)
        self._keep(inside)

    def result(self) -> Gathered:
        """What was gathered."""
        self._compact()
        kept, count = self._parts[0], self._count
        merged = int(kept[TIMES].cast(pl.Int64).sum()) - kept.height
        accepted = count.asked - count.rejected - merged
        left = accepted - count.outside - count.left_out - kept.height
        count = replace(count, accepted=accepted, merged=merged, reduced=left)
        late = late_files(self._files, self._wanted.since)
        rejects, misses = self._near_misses(pl.concat(self._rejects))
        return Gathered(in_order(kept), rejects, count, self._newest, late, misses, self._where)

    def _near_misses(self, rejects: pl.DataFrame) -> tuple[pl.DataFrame, Mapping[str, int]]:
        """The rejects, each of an unknown account with what it misses a known one by; how often."""
        unknown, known = pl.concat(self._unknown), self._wanted.known
        if known is None or not unknown.len():
            return rejects, {}
        is_unknown = pl.col("code") == UNKNOWN.code
        told = with_near_misses(
            rejects.filter(is_unknown), rejects.filter(is_unknown)["value"], known.ids
        )
        misses = near_misses(unknown, known.ids).drop_nulls().value_counts(sort=True)
        return pl.concat([rejects.filter(~is_unknown), told]), dict(misses.iter_rows())

    def _add_rows(self, table: RawTable, use: ColumnUse) -> None:
        candidates = to_activity_candidates(table.rows, use, self._wanted.app_id)
        self._note_times(table, candidates["timestamp"])
        if self._wanted.activity.where:
            inside = candidates.filter(self._is_inside().fill_null(value=True)).height
            self._where += WhereCount(matched=candidates.height, matched_inside=inside)
        is_ignored = candidates["event_type"] == IGNORED
        if is_ignored.any():
            self._tell(read=int(is_ignored.sum()), ignored=int(is_ignored.sum()))
            candidates = candidates.filter(~is_ignored)
            table = replace(table, rows=table.rows.filter(~is_ignored))
        unusable = self._unusable(table.rows, use, candidates)
        is_unusable = _mask(unusable, candidates.height)
        if self._wanted.activity.unusable_times == "warn":
            self._tell(left_out=int(is_unusable.sum()))
            unusable, is_asked = unusable.clear(), ~is_unusable
        else:
            is_asked = pl.repeat(True, candidates.height, dtype=pl.Boolean, eager=True)
        is_inside = candidates.select(self._is_inside().fill_null(value=True)).to_series()
        outside = is_asked & ~is_inside & ~is_unusable
        self._tell(read=candidates.height, outside=int(outside.sum()))
        self._judge(table, use, candidates, is_asked & ~outside, unusable)

    def _judge(
        self,
        table: RawTable,
        use: ColumnUse,
        candidates: pl.DataFrame,
        is_asked: pl.Series,
        unusable: pl.DataFrame,
    ) -> None:
        """Rejects or keeps the rows that are asked for."""
        index = is_asked.arg_true().cast(pl.UInt32)
        rows = candidates if index.len() == candidates.height else candidates[index]
        of_rows = replace(table, rows=table.rows[index])
        untold = untold_texts(of_rows, use, NEVER_ASKED)
        broken = _moved(with_untold(failures(rows, ACTIVITY_CONTRACT), untold), index)
        is_unknown = self._is_unknown(rows)
        faults = [unusable, broken]
        if self._wanted.activity.unknown_accounts == "reject":
            faults.append(_moved(failures_of(is_unknown, "account_id", UNKNOWN), index))
        failed = pl.concat(faults)
        is_rejected = _mask(failed, candidates.height).gather(index)
        rejects = to_rejects(table, candidates, ["account_id"], use, failed)
        self._reject(rejects, 0)
        self._tell(unknown=int((is_unknown & ~is_rejected).sum()))
        self._unknown.append(rows["account_id"].filter(is_unknown).drop_nulls())
        self._keep(rows.filter(~is_rejected))

    def _unusable(
        self, rows: pl.DataFrame, use: ColumnUse, candidates: pl.DataFrame
    ) -> pl.DataFrame:
        """`FAILURES` of times: unreadable, missing, absurd."""
        unread = unread_times(rows, use, candidates)["timestamp"]
        absurd = candidates.select(is_absurd(pl.col("timestamp"), self._wanted.now)).to_series()
        missing = candidates["timestamp"].is_null() & ~unread
        return pl.concat(
            [
                failures_of(unread, "timestamp", NOT_A_TIME),
                failures_of(absurd, "timestamp", ABSURD),
                failures_of(missing, "timestamp", NO_TIME),
            ]
        )

    def _is_inside(self) -> pl.Expr:
        inside = pl.lit(value=True)
        if self._wanted.since is not None:
            inside &= pl.col("timestamp") >= self._wanted.since
        if self._wanted.until is not None:
            inside &= pl.col("timestamp") < self._wanted.until
        return inside

    def _is_unknown(self, records: pl.DataFrame) -> pl.Series:
        known = self._wanted.known
        if known is None:
            return pl.repeat(False, records.height, dtype=pl.Boolean, eager=True)
        by_id = records["account_id"].is_in(known.ids.implode())
        by_email = records["email"].str.to_lowercase().is_in(known.emails.implode())
        is_nameless = records["account_id"].is_null()
        return ~(by_id.fill_null(value=False) | (is_nameless & by_email.fill_null(value=False)))

    def _reject(self, rejects: pl.DataFrame, unread_count: int) -> None:
        """Keeps rejects; `unread_count` of them are rows that the reader could not split."""
        if rejects.height:
            self._rejects.append(rejects)
            self._tell(rejected=rejected_row_count(rejects, "activity"), read=unread_count)

    def _keep(self, records: pl.DataFrame) -> None:
        if not records.height:
            return
        # One ahead of the clock tells of no time up to which all are read.
        newest = records.filter(pl.col("timestamp") <= self._wanted.now)["timestamp"].max()
        if isinstance(newest, datetime):
            self._newest = newest if self._newest is None else max(self._newest, newest)
        activity = self._wanted.activity
        counted = records.with_columns(pl.lit(1, dtype=pl.UInt32).alias(TIMES))
        self._parts.append(reduced(counted, activity.keep, activity.timezone))
        # Now and then, so that no row is handled more than a few times.
        if sum(part.height for part in self._parts[1:]) > max(_COMPACT, self._parts[0].height):
            self._compact()

    def _compact(self) -> None:
        activity = self._wanted.activity
        self._parts = [reduced(pl.concat(self._parts), activity.keep, activity.timezone)]

    def _tell(self, **more: int) -> None:
        added = {name: getattr(self._count, name) + number for name, number in more.items()}
        self._count = replace(self._count, **added)


def _mask(faults: pl.DataFrame, height: int) -> pl.Series:
    """Whether a row is among `faults`, row by row."""
    mask = pl.repeat(False, height, dtype=pl.Boolean, eager=True)
    return mask.scatter(faults["index"].unique(), True)


def _moved(faults: pl.DataFrame, index: pl.Series) -> pl.DataFrame:
    """`faults` of some rows by their places among all: row `n` is the one at `index[n]`."""
    return faults.with_columns(index=index.gather(faults["index"]))
