"""Associations linked to accounts and entitlements; one that lacks an end is a reject."""

from dataclasses import dataclass, replace

import polars as pl

from schemas.tables import ASSOCIATIONS, ENTITLEMENT_KEY, REJECTS, Reason
from transforms.associations.pairs import pack, unpack
from transforms.tables.conform import key_text

NO_ACCOUNT = Reason("no_account", "names an account that is not among the accounts")
NO_ENTITLEMENT = Reason(
    "no_entitlement", "names an entitlement that is not among the entitlements, or not well-formed"
)


@dataclass(frozen=True, slots=True)
class Linked:
    """Associations by row number.

    Attributes:
        packed: pairs of rows in the snapshot's accounts and entitlements; in no order, and a pair
            that was read twice is there twice.
        rejects: `REJECTS`: those that lack an end, and those rejected before.
        read: how many were read.
        merged: how many said again what another row of the same table had said.
        rejected: how many are rejects.
        dropped: see `TableCount`.
    """

    packed: pl.Series
    rejects: pl.DataFrame
    read: int
    merged: int
    rejected: int
    dropped: int = 0


def with_entitlement_rows(linked: Linked, rows: pl.Series) -> Linked:
    """`linked` under other numbers of the entitlements: old row -> new row."""
    pairs = unpack(linked.packed)
    return replace(linked, packed=pack(pairs["account"], rows.gather(pairs["entitlement"])))


def no_links() -> Linked:
    """What linking an empty table gives."""
    return Linked(pl.Series(dtype=pl.UInt64), pl.DataFrame(schema=REJECTS), 0, 0, 0)


def link_rejects(
    owners: pl.DataFrame, names: pl.DataFrame, column: str, reason: Reason
) -> pl.DataFrame:
    """Rejects for associations that lack an end, row by row.

    Args:
        owners: `file`, `row` and `account_id` of each.
        names: `ENTITLEMENT_KEY` and `value` of each.
        column: the column at fault.
        reason: what is wrong with it.
    """
    if not owners.height:
        return pl.DataFrame(schema=REJECTS)
    entitlement_id, resource_id = ENTITLEMENT_KEY
    key = pl.DataFrame(
        {
            "account_id": owners["account_id"],
            "integration_specific_entitlement_id": names[entitlement_id],
            "integration_specific_resource_id": names[resource_id],
        },
        schema=ASSOCIATIONS,
    )
    return owners.select(
        pl.lit("associations").alias("table"),
        "file",
        "row",
        key_text(key, list(ASSOCIATIONS)).alias("key"),
        pl.lit(column).alias("column"),
        pl.lit(reason.code).alias("code"),
        pl.lit(str(reason)).alias("reason"),
        names["value"].alias("value"),
        pl.lit(value=False).alias("is_cell"),
        pl.lit(None, dtype=pl.String).alias("name"),
    )
