"""Where a source says who holds what, and the associations that are found there."""

from dataclasses import dataclass

import polars as pl

from schemas.raw import Raw
from schemas.source_file.columns import EntitlementColumn
from schemas.source_file.file import SourceFile
from schemas.tables import ENTITLEMENT_KEY, ENTITLEMENTS, ROW
from transforms.associations.from_table import (
    conform_associations,
    link_associations,
    named_entitlements,
    of_unsaid_type,
)
from transforms.associations.link import NO_ENTITLEMENT, Linked, link_rejects, no_links
from transforms.associations.pairs import recode, row_numbers, split_cells, unpack
from transforms.tables.conform import Conformed


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
    cells: CellPieces,
    account_rows: pl.Series,
    entitlements: pl.DataFrame,
    accounts: pl.DataFrame,
    of_two_types: pl.DataFrame,
) -> Linked:
    """The associations of one column of the accounts.

    Args:
        cells: what the column names.
        account_rows: the accepted account's number -> its row in the snapshot.
        entitlements: the snapshot's.
        accounts: the accepted accounts by number, for rejects: `ROW`, `file` and `account_id`.
        of_two_types: `ENTITLEMENT_KEY` of what is named under several `types`.
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
    names = _names(cells, lost["entitlement"])
    rejects = link_rejects(
        accounts.select(pl.all().gather(lost["account"])),
        names,
        cells.column.column,
        NO_ENTITLEMENT,
    )
    types = names.join(of_two_types, on=ENTITLEMENT_KEY, how="left", maintain_order="left")["types"]
    says = pl.lit("is an id of several types (") + types + "): give one of the columns a prefix"
    rejects = rejects.with_columns(reason=pl.coalesce(says, "reason"))
    return Linked(packed, rejects, read, 0, lost.height)


def _names(cells: CellPieces, codes: pl.Series) -> pl.DataFrame:
    """The key and the text of each code's piece, in order."""
    pieces = codes.to_frame("code").join(cells.pieces, on="code", how="left", maintain_order="left")
    return pieces.select(*ENTITLEMENT_KEY, pl.col("piece").alias("value"))


@dataclass(frozen=True, slots=True)
class GrantSources:
    """Where a source says who holds what: in cells of its accounts, in a table of its own."""

    accounts: Conformed
    cells: list[CellPieces]
    table: Conformed | None

    @classmethod
    def read(cls, raw: Raw, file: SourceFile, accounts: Conformed) -> "GrantSources":
        """What the cells of the accounts that were accepted say, and the associations' own table.

        Raises:
            SourceFormatError: a column that the file names is missing.
        """
        cells = [
            pieces_of(raw.accounts.rows[one.column].gather(accounts.accepted_index), one)
            for one in file.entitlements
        ]
        table = conform_associations(raw.associations, file) if raw.associations else None
        return cls(accounts, cells, table)

    def named(self, raw: Raw) -> list[pl.DataFrame]:
        """The entitlements that are named; an association's only where no table lists them."""
        named = [entitlements_of(one) for one in self.cells]
        if raw.entitlements is None and self.table is not None:
            unsaid = of_unsaid_type(named_entitlements(self.table.records))
            for of_cells in named:
                unsaid = unsaid.join(of_cells, on=ENTITLEMENT_KEY, how="anti")
            named.append(unsaid)
        return named

    def linked(
        self,
        raw: Raw,
        accounts: pl.DataFrame,
        account_rows: pl.Series,
        entitlements: pl.DataFrame,
        of_two_types: pl.DataFrame,
        missing: pl.Series,
    ) -> list[Linked]:
        """The associations of every origin, by their rows in `accounts` and `entitlements`.

        `missing` are the ids of accounts that were rejected or left out.
        """
        ids = accounts["integration_specific_id"]
        linked = []
        if self.cells:
            at = pl.DataFrame(
                {
                    ROW: raw.accounts.rows[ROW].gather(self.accounts.accepted_index),
                    "account_id": ids.gather(account_rows),
                }
            ).with_columns(pl.lit(raw.accounts.origin).alias("file"))
            linked = [
                link_cells(one, account_rows, entitlements, at, of_two_types) for one in self.cells
            ]
        if raw.associations is not None and self.table is not None:
            linked.append(
                link_associations(raw.associations, self.table, ids, entitlements, missing)
            )
        return linked
