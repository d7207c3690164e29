"""Entitlements kept in a column of the accounts: what each cell names, linked to accounts."""

from dataclasses import dataclass

import polars as pl

from schemas.source_file.columns import EntitlementColumn
from schemas.tables import ENTITLEMENT_KEY, ENTITLEMENTS
from transforms.associations.link import NO_ENTITLEMENT, Linked, link_rejects, no_links
from transforms.associations.pairs import recode, row_numbers, split_cells, unpack


@dataclass(frozen=True, slots=True)
class CellPieces:
    """What one column of the accepted accounts names.

    Attributes:
        column: the column, as the source file describes it.
        packed: (number of the accepted account, in the source's order; code of the piece).
        pieces: `code`, `piece`, and what the piece means as an entitlement (`ENTITLEMENTS`).
    """

    column: EntitlementColumn
    packed: pl.Series
    pieces: pl.DataFrame


def pieces_of(cells: pl.Series, column: EntitlementColumn) -> CellPieces:
    """What the `cells` of `column` name; they are those of the accepted accounts, in order."""
    packed, pieces = split_cells(cells, column.separator)
    meant = pieces.select(
        "code",
        "piece",
        pl.lit(column.type).alias("entitlement_type"),
        (pl.lit(column.prefix) + pl.col("piece")).alias("integration_specific_id"),
        pl.lit("").alias("integration_specific_resource_id"),
        pl.col("piece").alias("label"),
        pl.lit(None, dtype=pl.String).alias("description"),
        pl.lit(None, dtype=pl.String).alias("is_assignable"),
    )
    return CellPieces(column, packed, meant)


def entitlements_of(cells: CellPieces) -> pl.DataFrame:
    """The entitlements that the cells name, each once (`ENTITLEMENTS`)."""
    return cells.pieces.select(list(ENTITLEMENTS))


def link_cells(
    cells: CellPieces, account_rows: pl.Series, entitlements: pl.DataFrame, accounts: pl.DataFrame
) -> Linked:
    """The associations of one column of the accounts.

    Args:
        cells: what the column names.
        account_rows: the accepted account's number -> its row in the snapshot.
        entitlements: the snapshot's.
        accounts: the accepted accounts by number, for rejects: `ROW`, `file` and `account_id`.
    """
    if not cells.packed.len():
        return no_links()
    row_of_piece = row_numbers(
        cells.pieces.select(ENTITLEMENT_KEY), entitlements.select(ENTITLEMENT_KEY)
    )
    codes = cells.pieces["code"]
    size = codes.to_list()[int(codes.arg_max() or 0)] + 1
    row_of_code = pl.Series([None], dtype=pl.UInt32).new_from_index(0, size)
    row_of_code = row_of_code.scatter(codes, row_of_piece)
    packed, read = recode(cells.packed, account_rows, row_of_code), cells.packed.len()
    lost = unpack(cells.packed if packed.len() < read else cells.packed.clear())
    lost = lost.filter(row_of_code.gather(lost["entitlement"]).is_null())
    rejects = link_rejects(
        accounts.select(pl.all().gather(lost["account"])),
        _names(cells, lost["entitlement"]),
        cells.column.column,
        NO_ENTITLEMENT,
    )
    return Linked(packed, rejects, read, 0, lost.height)


def _names(cells: CellPieces, codes: pl.Series) -> pl.DataFrame:
    """The key and the text of each code's piece, in order."""
    pieces = codes.to_frame("code").join(cells.pieces, on="code", how="left", maintain_order="left")
    return pieces.select(*ENTITLEMENT_KEY, pl.col("piece").alias("value"))
