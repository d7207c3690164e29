"""A kept record is never more open than its row legibly says: its status, and what it holds."""

import polars as pl

from schemas.contracts import DAMAGE
from schemas.snapshot import Snapshot
from schemas.source_file.columns import EntitlementColumn
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
    both = records.join(most, on=_ID, how="left", maintain_order="left")
    own = pl.col(_STATUS).replace_strict(rank, default=None)
    closest = pl.max_horizontal(own, "rank").replace_strict(
        dict(enumerate(MOST_OPEN_FIRST)), return_dtype=pl.String, default=None
    )
    return both.with_columns(pl.coalesce(closest, _STATUS).alias(_STATUS)).select(records.columns)


def still_held(
    last: Snapshot, rows: pl.DataFrame, ids: pl.Series, columns: tuple[EntitlementColumn, ...]
) -> tuple[pl.DataFrame, pl.Series]:
    """What rejected accounts held and each of their rows still names, and whose rows could be read.

    Args:
        last: the last accepted snapshot.
        rows: the raw rows of rejected accounts; one whose cells are damaged says nothing.
        ids: their ids, row by row.
        columns: the columns that hold entitlements.

    Returns:
        pairs of `last` (`GRANTS`), and ids of accounts.
    """
    cells = [rows[one.column].fill_null("") for one in columns]
    is_sound = pl.repeat(True, rows.height, dtype=pl.Boolean, eager=True)
    for cell in cells:
        is_sound &= ~cell.str.contains(DAMAGE)
    owners = ids.filter(is_sound)
    account = row_numbers(owners, last.accounts[_ID])
    named = [pl.DataFrame(schema=GRANTS)]
    for column, cell in zip(columns, cells, strict=True):
        pieces = pieces_of(cell.filter(is_sound), column)
        of = pieces.pieces.select("code", *ENTITLEMENT_KEY)
        numbers = row_numbers(of.select(ENTITLEMENT_KEY), last.entitlements.select(ENTITLEMENT_KEY))
        by_code = of.select("code").with_columns(numbers.alias("number"))
        pairs = unpack(pieces.packed)
        named.append(
            pairs.join(by_code, left_on="entitlement", right_on="code", how="left").select(
                "account", entitlement="number"
            )
        )
    said = pl.concat(named).unique().drop_nulls()
    by_account = said.select(account=account.gather(said["account"]), entitlement="entitlement")
    times = by_account.group_by("account", "entitlement").len()
    rows_each = account.to_frame("account").group_by("account").len("rows")
    in_all = times.join(rows_each, on="account").filter(pl.col("len") == pl.col("rows"))
    pairs = in_all.select(list(GRANTS))
    return last.grants.join(pairs, on=list(GRANTS), how="semi"), owners.unique()
