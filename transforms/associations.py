"""Associations: who holds what, linked to rows of the accounts and the entitlements.

One without both ends is a reject.
"""

from dataclasses import dataclass

import polars as pl

from schemas.contracts import AssociationsContract
from schemas.raw import RawTable
from schemas.source_columns import EntitlementColumn
from schemas.source_file import SourceFile
from schemas.tables import ASSOCIATIONS, REJECTS, ROW
from transforms.columns import to_candidates, use_of
from transforms.conform import Conformed, conform, key_text
from transforms.held import pack, split_cells, unpack
from transforms.rows import row_numbers

NO_ACCOUNT = "names an account that is not among the accounts"
NO_ENTITLEMENT = "names an entitlement that is not among the entitlements, or not well-formed"


@dataclass(frozen=True, slots=True)
class CellPieces:
    """The entitlements that one column of the accounts names.

    Attributes:
        packed: (number of the accepted account, in the source's order; code of the piece).
        pieces: `code` and `piece`.
        ids: the entitlements: `entitlement_type`, both id columns and `label`, row by row with
            `pieces`.
    """

    packed: pl.Series
    pieces: pl.DataFrame
    ids: pl.DataFrame


def pieces_of(cells: pl.Series, column: EntitlementColumn) -> CellPieces:
    """What the cells of `column` name; `cells` are those of the accepted accounts."""
    packed, pieces = split_cells(cells, column.separator)
    ids = pieces.select(
        pl.lit(column.type).alias("entitlement_type"),
        (pl.lit(column.prefix) + pl.col("piece")).alias("integration_specific_id"),
        pl.lit("").alias("integration_specific_resource_id"),
        pl.col("piece").alias("label"),
    )
    return CellPieces(packed, pieces, ids)


def conform_associations(table: RawTable, file: SourceFile) -> Conformed:
    """The associations of a table of their own, as text; whether both ends exist is not asked yet.

    Raises:
        SourceFormatError: a column that the file names is missing.
    """
    use = use_of(table, file.association_columns, {}, frozenset())
    candidates = to_candidates(table.rows, use, ASSOCIATIONS)
    contract = AssociationsContract.to_schema()
    return conform(table, candidates, contract, list(ASSOCIATIONS), use)


def entitlement_ids(associations: pl.DataFrame) -> pl.DataFrame:
    """The entitlements that associations name: both id columns, each once."""
    return associations.select(
        pl.col("integration_specific_entitlement_id").alias("integration_specific_id"),
        "integration_specific_resource_id",
    ).unique(maintain_order=True)


@dataclass(frozen=True, slots=True)
class Linked:
    """Associations by row number.

    Attributes:
        packed: pairs of rows in the snapshot's accounts and entitlements; in no order, repetitions
            included.
        rejects: `REJECTS`: those that lack an end.
        read: how many were read.
    """

    packed: pl.Series
    rejects: pl.DataFrame
    read: int


def link_cells(
    cells: CellPieces,
    account_rows: pl.Series,
    entitlements: pl.DataFrame,
    column: EntitlementColumn,
    accounts: pl.DataFrame,
) -> Linked:
    """The associations of one column of the accounts.

    Args:
        cells: what the column names.
        account_rows: the accepted account's number -> its row in the snapshot.
        entitlements: the snapshot's entitlements, keys and type; one of another type is not the one
            meant.
        column: the column, for its name.
        accounts: the accepted accounts by number: `ROW`, `file` and `account_id`, for rejects.
    """
    keys = ["integration_specific_id", "integration_specific_resource_id"]
    row_of_piece = row_numbers(cells.ids.select(keys), entitlements.select(keys))
    size = int(cells.pieces["code"].max() or 0) + 1  # type: ignore[arg-type]
    row_of_code = pl.repeat(None, size, dtype=pl.UInt32, eager=True)
    row_of_code = row_of_code.scatter(cells.pieces["code"], row_of_piece)
    pairs = unpack(cells.packed)
    entitlement = row_of_code.gather(pairs["entitlement"])
    packed = pack(account_rows.gather(pairs["account"]), entitlement)
    lost = pairs.filter(entitlement.is_null())
    if not lost.height:
        return Linked(packed, pl.DataFrame(schema=REJECTS), packed.len())
    owners = accounts[lost["account"].to_list()]
    named = lost.join(
        cells.pieces.hstack(cells.ids.select("integration_specific_id")),
        left_on="entitlement",
        right_on="code",
        how="left",
        maintain_order="left",
    )
    key = pl.DataFrame(
        {
            "account_id": owners["account_id"],
            "integration_specific_entitlement_id": named["integration_specific_id"],
            "integration_specific_resource_id": pl.repeat("", lost.height, eager=True),
        },
        schema=ASSOCIATIONS,
    )
    rejects = _rejects(owners, key, column.column, NO_ENTITLEMENT, named["piece"])
    return Linked(packed.drop_nulls(), rejects, packed.len())


def link_table(
    table: RawTable, associations: Conformed, accounts: pl.Series, entitlements: pl.DataFrame
) -> Linked:
    """The associations of a table of their own; `accounts` are the snapshot's ids, in its order."""
    text = associations.records
    account = row_numbers(text["account_id"], accounts)
    named = text.select(
        pl.col("integration_specific_entitlement_id").alias("integration_specific_id"),
        "integration_specific_resource_id",
    )
    entitlement = row_numbers(named, entitlements.select(named.columns))
    packed = pack(account, entitlement)
    rejects = [associations.rejects]
    at = table.rows.select(ROW, pl.lit(table.origin).alias("file"))
    for lost, column, reason in (
        (account.is_null(), "account_id", NO_ACCOUNT),
        (
            account.is_not_null() & entitlement.is_null(),
            "integration_specific_entitlement_id",
            NO_ENTITLEMENT,
        ),
    ):
        key = text.filter(lost)
        if key.height:
            owners = at[associations.index.filter(lost).to_list()]
            rejects.append(_rejects(owners, key, column, reason, key[column]))
    return Linked(packed.drop_nulls(), pl.concat(rejects), table.read_count)


def _rejects(
    at: pl.DataFrame, key: pl.DataFrame, column: str, reason: str, value: pl.Series
) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "table": pl.repeat("associations", key.height, eager=True),
            "file": at["file"],
            "row": at[ROW],
            "key": key_text(key, list(ASSOCIATIONS)),
            "column": pl.repeat(column, key.height, eager=True),
            "reason": pl.repeat(reason, key.height, eager=True),
            "value": value,
        },
        schema=REJECTS,
    )
