"""Which activity records are wanted, and what became of the rows that were read."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from schemas.source_parts import Activity


@dataclass(frozen=True, slots=True)
class Known:
    """The accounts of the last accepted snapshot: their ids, and their addresses in lower case."""

    ids: pl.Series
    emails: pl.Series


@dataclass(frozen=True, slots=True)
class Wanted:
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
    """What became of every row: read = accepted + merged + rejected.

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


@dataclass(frozen=True, slots=True)
class Gathered:
    """The records of one read.

    Attributes:
        records: `ACTIVITY`, each once, in the order they are sent.
        rejects: `REJECTS`.
        count: what became of every row.
        newest: the newest time of an accepted row in question, UTC; None where there is none.
    """

    records: pl.DataFrame
    rejects: pl.DataFrame
    count: ActivityCount
    newest: datetime | None
