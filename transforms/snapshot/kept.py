"""Records that are kept night by night: since when, told from the first, held after some time."""

from datetime import datetime, timedelta

import polars as pl

from schemas.contracts import NO_PERSON
from schemas.plan import Breach
from schemas.source_file.quantities import duration_text
from schemas.statuses import CAN_LOG_IN
from schemas.tables import KEPT, UTC_TIME
from transforms.snapshot.keep_last import UNREADABLE, as_kept
from transforms.tables.conform import Conformed

GUARD = "keep_last_for"
_RECORDS = ("table", "key")


def no_kept() -> pl.DataFrame:
    """Nothing kept, in its form."""
    return pl.DataFrame(schema=KEPT)


def completed_rows(accounts: Conformed) -> pl.DataFrame:
    """The accounts that have address or names from their last record (`KEPT`, no `since`)."""
    rows = accounts.rows.select(
        pl.col("integration_specific_id", "user_status").gather(accounts.completed_index)
    )
    return as_kept(
        "accounts",
        rows.select(
            key="integration_specific_id",
            reason=pl.lit(NO_PERSON.code),
            is_closed=~pl.col("user_status").is_in(CAN_LOG_IN),
        ),
    )


def since_first_kept(kept: pl.DataFrame, before: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """`kept` (`KEPT`) with when each was first kept: as `before` has it, else `now`."""
    known = before.drop_nulls("key").group_by(_RECORDS).agg(pl.col("since").min().alias("then"))
    both = kept.join(known, on=_RECORDS, how="left", maintain_order="left")
    since = pl.coalesce("then", pl.lit(now, dtype=UTC_TIME))
    return both.with_columns(since.alias("since")).select(list(KEPT))


def renewed(kept: pl.DataFrame, decided_at: datetime) -> pl.DataFrame:
    """`kept` once a person has let it through: its time begins anew."""
    return kept.with_columns(pl.max_horizontal("since", pl.lit(decided_at)))


def kept_warnings(kept: pl.DataFrame, keep_for: timedelta) -> tuple[str, ...]:
    """How many records are kept of each table, and since when."""
    records = kept.filter(pl.col("key").is_not_null())
    lines = []
    for table in records["table"].unique().sort():
        of_table = records.filter(pl.col("table") == table)
        unread = of_table.filter(pl.col("reason") == UNREADABLE).height
        since = of_table.select(pl.col("since").min().dt.to_string("%Y-%m-%d %H:%M UTC")).item()
        why = (
            f", {unread} of them for rows without a readable id, which may be any" if unread else ""
        )
        what = table if of_table.height > 1 else table.removesuffix("s")
        lines.append(
            f"{of_table.height} {what} kept as accepted last, where their rows cannot be read"
            f"{why}; the first since {since}; after {duration_text(keep_for)} a person must decide"
        )
    return tuple(lines)


def kept_breaches(kept: pl.DataFrame, keep_for: timedelta, now: datetime) -> tuple[Breach, ...]:
    """The guard on records that were kept for too long; an account that is shut may be."""
    records = kept.filter(pl.col("key").is_not_null())
    found = records.filter(~pl.col("is_closed") & (pl.col("since") + keep_for <= now)).height
    if not found:
        return ()
    limit = duration_text(keep_for)
    return (Breach(GUARD, limit, 0, found, records.height, table="kept records"),)
