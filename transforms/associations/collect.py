"""Where a source says who holds what, and the associations that are found there."""

from dataclasses import dataclass

import polars as pl

from schemas.raw import Raw
from schemas.source_file.file import SourceFile
from schemas.tables import ENTITLEMENT_KEY, ROW
from transforms.associations.from_cells import CellPieces, entitlements_of, link_cells, pieces_of
from transforms.associations.from_table import (
    conform_associations,
    link_associations,
    named_entitlements,
    of_unsaid_type,
)
from transforms.associations.link import Linked
from transforms.tables.conform import Conformed


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
    ) -> list[Linked]:
        """The associations of every origin, by their rows in `accounts` and `entitlements`."""
        ids = accounts["integration_specific_id"]
        linked = []
        if self.cells:
            at = pl.DataFrame(
                {
                    ROW: raw.accounts.rows[ROW].gather(self.accounts.accepted_index),
                    "account_id": ids.gather(account_rows),
                }
            ).with_columns(pl.lit(raw.accounts.origin).alias("file"))
            linked = [link_cells(one, account_rows, entitlements, at) for one in self.cells]
        if raw.associations is not None and self.table is not None:
            linked.append(link_associations(raw.associations, self.table, ids, entitlements))
        return linked
