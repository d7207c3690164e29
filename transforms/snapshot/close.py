"""A kept record is never more open than its row legibly says: its status, and what it holds."""

import polars as pl

from schemas.contracts import DAMAGE
from schemas.snapshot import Snapshot
from schemas.source_file.mappings import EntitlementColumn
from schemas.statuses import MOST_OPEN_FIRST
from schemas.tables import ENTITLEMENT_KEY, GRANTS
from transforms.associations.collect import pieces_of
from transforms.associations.pairs import row_numbers, unpack

_ID, _STATUS = "integration_specific_id", "user_status"


def closed(records: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The kept accounts `records`, each with the most closed of its own and its rows' statuses.

    `rows` are the rejected accounts; a status of theirs that is none closes nothing.
    """
    rank = {status: n for n, status in enumerate(MOST_OPEN_FIRST)}
    ranked = rows.select(_ID, rank=pl.col(_STATUS).replace_strict(rank, default=None))
    most = ranked.group_by(_ID).agg(pl.col("rank").max())
    both = records.join(most, on=_ID, how="left")
    own = pl.col(_STATUS).replace_strict(rank, default=None)
    closest = pl.max_horizontal(own, "rank").replace_strict(dict(enumerate(MOST_OPEN_FIRST)))
    status = pl.when(own.is_null()).then(_STATUS).otherwise(closest)
    return both.with_columns(status.alias(_STATUS)).select(records.columns)


def still_held(
    last: Snapshot,
    rows: pl.DataFrame,
    ids: pl.Series,
    columns: tuple[EntitlementColumn, ...],
    *,
    any_row: bool,
) -> tuple[pl.DataFrame, pl.Series]:
    """What rejected accounts held and each of their rows still names, and whose rows could be read.

    Args:
        last: the last accepted snapshot.
        rows: the raw rows of rejected accounts; one whose cells are damaged says nothing.
        ids: their ids, row by row.
        columns: the columns that hold entitlements.
        any_row: whether it is enough that one row of an account names it, as of rows that are
            merged.

    Returns:
        pairs of `last` (`GRANTS`), and ids of accounts.
    """
    is_sound = ids.is_not_null()
    for column in columns:
        for name in column.sources:
            is_sound &= ~rows[name].str.contains(DAMAGE).fill_null(value=False)
        is_sound = is_sound.scatter(pieces_of(rows, column).faults["index"].unique(), False)
    owners = ids.filter(is_sound)
    account = row_numbers(owners, last.accounts[_ID])
    named = []
    for column in columns:
        pieces = pieces_of(rows.filter(is_sound), column)
        keys = pieces.pieces.select(ENTITLEMENT_KEY)
        numbers = row_numbers(keys, last.entitlements.select(ENTITLEMENT_KEY))
        by_code = pieces.pieces.select("code", number=numbers)
        pairs = unpack(pieces.packed).join(by_code, left_on="entitlement", right_on="code")
        named.append(pairs.select("account", entitlement="number"))
    said = pl.concat(named).unique().drop_nulls()
    by_account = said.select(account=account.gather(said["account"]), entitlement="entitlement")
    times = by_account.group_by("account", "entitlement").len()
    rows_each = account.to_frame("account").group_by("account").len("rows")
    enough = pl.lit(1) if any_row else pl.col("rows")
    in_all = times.join(rows_each, on="account").filter(pl.col("len") >= enough)
    return last.grants.join(in_all.select(list(GRANTS)), on=list(GRANTS)), owners.unique()
