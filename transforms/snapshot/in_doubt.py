"""What an app may hold beside the last accepted snapshot, for rejected rows to keep."""

from dataclasses import replace

import polars as pl

from schemas.snapshot import Snapshot, empty_snapshot
from schemas.statuses import GONE
from schemas.tables import ACCOUNTS, ENTITLEMENT_KEY, ONE_FIELD
from transforms.associations.pairs import recode, row_numbers, unpack
from transforms.tables.conform import NO_RECORD
from transforms.tables.openness import most_closed

_ID = "integration_specific_id"
_RESOURCE_KEY = [_ID]


def extended(first: Snapshot, second: Snapshot) -> Snapshot:
    """`first`, and the accounts that only `second` has, with what they hold.

    What is added follows what is there, in no order of ids.
    """
    new = second.accounts.join(first.accounts, on=_ID, how="anti", maintain_order="left")
    if not new.height:
        return first
    accounts = pl.concat([first.accounts, new], how="diagonal")
    entitlements = _with_more(first.entitlements, second.entitlements, ENTITLEMENT_KEY)
    is_new = second.accounts[_ID].is_in(new[_ID].implode())
    moved = recode(
        second.grants.filter(is_new.gather(second.grants["account"])),
        row_numbers(second.accounts[_ID], accounts[_ID]),
        row_numbers(
            second.entitlements.select(ENTITLEMENT_KEY), entitlements.select(ENTITLEMENT_KEY)
        ),
    )
    return Snapshot(
        accounts,
        entitlements,
        _with_more(first.resources, second.resources, _RESOURCE_KEY),
        pl.concat([first.grants, unpack(moved)]),
    )


def _with_more(first: pl.DataFrame, second: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    return pl.concat([first, second.join(first, on=key, how="anti", maintain_order="left")])


def to_live_snapshot(live: pl.DataFrame) -> Snapshot:
    """The accounts that Lumos tells enough of to be sent again: id, status and e-mail.

    What they hold is not told. Accounts that are gone are none.

    Args:
        live: unique_identifier, status, email; null where Lumos tells none.
    """
    told = there(live).drop_nulls(["unique_identifier", "status", "email"])
    rows = told.unique("unique_identifier", keep="none").select(
        pl.col("unique_identifier").alias(_ID), "email", pl.col("status").alias("user_status")
    )
    accounts = pl.concat([pl.DataFrame(schema=ACCOUNTS), rows], how="diagonal").sort(_ID)
    nothing = empty_snapshot()
    return Snapshot(accounts, nothing.entitlements, nothing.resources, nothing.grants)


def closed_as_told(snapshot: Snapshot, live: pl.DataFrame) -> Snapshot:
    """`snapshot` with each account as closed as Lumos tells it: what is kept of it opens nobody."""
    told = live.drop_nulls(["unique_identifier", "status"]).unique("unique_identifier", keep="none")
    rows = told.select(pl.col("unique_identifier").alias(_ID), told="status")
    both = snapshot.accounts.join(rows, on=_ID, how="left", maintain_order="left")
    status = most_closed(pl.col("user_status"), pl.col("told")).alias("user_status")
    return replace(snapshot, accounts=both.with_columns(status).drop("told"))


def there(live: pl.DataFrame) -> pl.DataFrame:
    """The accounts of `live` that are not gone, as far as Lumos tells."""
    return live.filter(~pl.col("status").is_in(GONE).fill_null(value=False))


def lost_to_rejects(live: pl.DataFrame, snapshot: Snapshot, rejects: pl.DataFrame) -> int:
    """How many accounts of `live` are not in `snapshot` for no more than a rejected row.

    A rejected row is no removal: these could not be kept, since too little is told of them.
    """
    now = snapshot.accounts.select(pl.col(_ID).alias("unique_identifier"))
    missing = (
        there(live).drop_nulls("unique_identifier").join(now, on="unique_identifier", how="anti")
    )
    may_be_one = (pl.col("table") == "accounts") & (pl.col("code").ne_missing(ONE_FIELD))
    keys = rejects.filter(may_be_one)["key"]
    keys = keys.filter(keys.ne_missing(NO_RECORD))
    if keys.null_count():
        return missing.height
    return missing.filter(pl.col("unique_identifier").is_in(keys.implode())).height
