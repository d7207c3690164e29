"""Where a source says who holds what, and the associations that are found there."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import polars as pl

from schemas.raw import Raw
from schemas.source_file.file import SourceFile
from schemas.source_file.mappings import EntitlementColumn
from schemas.tables import ENTITLEMENT_KEY, ENTITLEMENTS, ROW, Reason
from transforms.associations.from_table import (
    conform_associations,
    link_associations,
    named_entitlements,
    of_unsaid_type,
)
from transforms.associations.link import NO_ENTITLEMENT, Linked, link_rejects, no_links
from transforms.associations.pairs import held_columns, listed, recode, row_numbers, unpack
from transforms.tables.conform import Conformed
from transforms.tables.rejects import no_rejects


@dataclass(frozen=True, slots=True)
class CellPieces:
    """What one column of the accepted accounts names.

    Attributes:
        column: the column, as the source file describes it.
        packed: (number of the row among those read; code of the piece).
        pieces: `code`, `piece`, and what the piece means as an entitlement (`ENTITLEMENTS`).
        faults: cells that cannot be told (`CELL_FAULTS`).
    """

    column: EntitlementColumn
    packed: pl.Series
    pieces: pl.DataFrame
    faults: pl.DataFrame


def pieces_of(rows: pl.DataFrame, column: EntitlementColumn) -> CellPieces:
    """What the cells of `column` name in raw rows, row by row."""
    if column.column is None:
        packed, pieces, faults = held_columns(rows, column)
    else:
        packed, pieces, faults = listed(rows[column.column], column, column.column)
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
    return CellPieces(column, packed, meant, faults)


def entitlements_of(cells: CellPieces) -> pl.DataFrame:
    """The entitlements that the cells name, each once (`ENTITLEMENTS`)."""
    return cells.pieces.select(list(ENTITLEMENTS))


def link_cells(
    cells: CellPieces,
    account_rows: pl.Series,
    entitlements: pl.DataFrame,
    places: Callable[[pl.Series], pl.DataFrame],
    of_two_types: pl.DataFrame,
) -> Linked:
    """The associations of one column of the accounts.

    Args:
        cells: what the column names.
        account_rows: the accepted account's number -> its row in the snapshot.
        entitlements: the snapshot's.
        places: `file`, `row` and `account_id` of accepted accounts by number, for rejects.
        of_two_types: `ENTITLEMENT_KEY` of what is named under several `types`.
    """
    faults = _fault_rejects(cells, places)
    if not cells.packed.len():
        count = cells.faults.height
        return replace(no_links(), rejects=faults, read=count, rejected=count)
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
        places(lost["account"]),
        names,
        cells.column.column or cells.column.type,
        NO_ENTITLEMENT,
    )
    types = names.join(of_two_types, on=ENTITLEMENT_KEY, how="left", maintain_order="left")["types"]
    says = pl.lit("is an id of several types (") + types + "): give one of the columns a prefix"
    rejects = rejects.with_columns(reason=pl.coalesce(says, "reason"))
    count = cells.faults.height
    rejected = lost.height + count
    return Linked(packed, pl.concat([rejects, faults]), read + count, 0, rejected)


def _fault_rejects(cells: CellPieces, places: Callable[[pl.Series], pl.DataFrame]) -> pl.DataFrame:
    """The rejects of cells that cannot be told: of one entitlement, or of any of the account's."""
    made = [no_rejects()]
    for (column, code, reason), group in cells.faults.group_by("column", "code", "reason"):
        prefixed = pl.lit(cells.column.prefix) + pl.col("piece")
        names = group.select(
            prefixed.alias(ENTITLEMENT_KEY[0]), pl.lit("").alias(ENTITLEMENT_KEY[1]), "value"
        )
        why = Reason(str(code), str(reason))
        made.append(link_rejects(places(group["index"]), names, str(column), why))
    return pl.concat(made).sort("row", maintain_order=True)


def _names(cells: CellPieces, codes: pl.Series) -> pl.DataFrame:
    """The key and the text of each code's piece, in order."""
    pieces = codes.to_frame("code").join(cells.pieces, on="code", how="left", maintain_order="left")
    return pieces.select(*ENTITLEMENT_KEY, pl.col("piece").alias("value"))


@dataclass(frozen=True, slots=True)
class GrantSources:
    """Where a source says who holds what: in cells of its accounts, in a table of its own.

    Attributes:
        index: the rows of the accounts whose cells count.
        owners: the number of the accepted account of each.
        cells: what these name, a column each.
        table: the associations' own; None where the source keeps none.
    """

    index: pl.Series
    owners: pl.Series
    cells: list[CellPieces]
    table: Conformed | None

    @classmethod
    def read(cls, raw: Raw, file: SourceFile, accounts: Conformed) -> "GrantSources":
        """What the cells of the accounts that were accepted say, and the associations' own table.

        Raises:
            SourceFormatError: a column that the file names is missing.
        """
        index = accounts.accepted_index
        owners = pl.int_range(index.len(), dtype=pl.UInt32, eager=True)
        if file.several_rows == "merge" and accounts.merged_index.len():
            ids = accounts.rows["integration_specific_id"]
            merged = accounts.merged_index
            owners = pl.concat([owners, row_numbers(ids.gather(merged), ids.gather(index))])
            index = pl.concat([index, merged])
        cells = []
        for one in file.entitlements:
            rows = raw.accounts.rows.select(pl.col(one.sources).gather(index))
            cells.append(pieces_of(rows, one))
        table = conform_associations(raw.associations, file) if raw.associations else None
        return cls(index, owners, cells, table)

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
            rows = account_rows.gather(self.owners)

            def places(number: pl.Series) -> pl.DataFrame:
                at = raw.accounts.places(raw.accounts.rows[ROW].gather(self.index.gather(number)))
                return at.with_columns(ids.gather(rows.gather(number)).alias("account_id"))

            linked = [
                link_cells(one, rows, entitlements, places, of_two_types) for one in self.cells
            ]
        if raw.associations is not None and self.table is not None:
            linked.append(
                link_associations(raw.associations, self.table, ids, entitlements, missing)
            )
        return linked
