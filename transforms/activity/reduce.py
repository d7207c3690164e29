"""Activity records reduced to what Lumos can use: the newest of each kind, or each record once."""

import polars as pl

from schemas.source_file.activity import Keep
from schemas.tables import ACTIVITY

TIMES = "times"
"""How many rows said just this record, UInt32: a column beside those of `ACTIVITY`."""

_DAY, _NAMELESS = "day", "nameless"
_ORDER = ["timestamp", "account_id", "email", "event_type", "app_instance_identifier"]


def reduced(records: pl.DataFrame, keep: Keep, zone: str) -> pl.DataFrame:
    """The records to keep of `records` (`ACTIVITY` and `TIMES`), in no order.

    An account is known by its id, one without an id by its e-mail address. Of two newest records
    that differ in the address alone, the one whose address sorts last is kept: what is kept, and
    its `TIMES`, depends neither on the order of the rows nor on how they were parted before.
    """
    if keep == "all":
        return _counted(records)
    key = ["account_id", _NAMELESS, "event_type", "source_app_id", "app_instance_identifier", _DAY]
    day = pl.col("timestamp").dt.convert_time_zone(zone).dt.date()
    keyed = records.with_columns(
        pl.when(pl.col("account_id").is_null()).then("email").alias(_NAMELESS),
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
