"""The rows that say what is: without those that `leave_out` names, and those of nothing held."""

from dataclasses import dataclass, replace

import polars as pl

from schemas.raw import Raw
from schemas.source_file.file import SourceFile
from transforms.associations.from_table import of_nothing
from transforms.tables.left_out import without_left_out, without_rows


@dataclass(frozen=True, slots=True)
class Rows:
    """A read without what is no row of its tables.

    Attributes:
        raw: its tables; what was left out is counted as dropped.
        left_out: the ids of accounts that were.
    """

    raw: Raw
    left_out: pl.Series


def to_rows(raw: Raw, file: SourceFile) -> Rows:
    """The rows of `raw` under `file`: what they hold may be nothing.

    Raises:
        SourceFormatError: a column that the file names is missing.
    """
    accounts = without_left_out(raw.accounts, file.leave_out)
    associations = raw.associations and without_left_out(raw.associations, file.leave_out)
    if associations is not None:
        associations = without_rows(associations, of_nothing(associations, file))
    whole = replace(
        raw,
        accounts=accounts,
        entitlements=raw.entitlements and without_left_out(raw.entitlements, file.leave_out),
        resources=raw.resources and without_left_out(raw.resources, file.leave_out),
        associations=associations,
    )
    id_column = file.columns.integration_specific_id.column or ""
    left_out = pl.Series("key", [], dtype=pl.String)
    if accounts.rows.height < raw.accounts.rows.height and id_column in accounts.rows.columns:
        before, after = raw.accounts.rows[id_column], accounts.rows[id_column]
        left_out = before.filter(~before.is_in(after.implode())).alias("key")
    return Rows(whole, left_out)
