"""Accounts: from raw rows to canonical ones."""

from datetime import datetime

import polars as pl

from schemas.contracts import accounts_contract
from schemas.raw import RawTable
from schemas.source_file.file import SourceFile
from schemas.tables import ACCOUNTS
from transforms.tables.columns import UNSAID_STATUS, to_candidates, unread_times
from transforms.tables.conform import Conformed, conform
from transforms.tables.mapping import ColumnUse, accounts_use
from transforms.tables.rejects import failures_of
from transforms.tables.times import ABSURD, NOT_A_TIME, is_absurd

KEY = ["integration_specific_id"]


def to_accounts(
    table: RawTable, file: SourceFile, now: datetime
) -> tuple[Conformed, tuple[str, ...]]:
    """The accounts of `table` under `file`'s mapping, and notes on its columns for a person.

    Raises:
        SourceFormatError: a column that the file names is missing, or an unknown one is refused.
    """
    use = accounts_use(table, file)
    if "user_status" not in use.fields:
        use = ColumnUse({**use.fields, "user_status": UNSAID_STATUS}, use.unused)
    candidates = to_candidates(table.rows, use, ACCOUNTS)
    unread = [
        failures_of(mask, name, NOT_A_TIME)
        for name, mask in unread_times(table.rows, use, candidates).items()
    ]
    for name in ("last_login", "last_activity"):
        absurd = candidates.select(is_absurd(pl.col(name), now)).to_series()
        unread.append(failures_of(absurd, name, ABSURD))
    labels = [column for column in candidates.columns if column not in ACCOUNTS]
    # A label may be any text, but for NUL: no label is a cell's name.
    cells = [
        table.rows[column].alias(f"cell\0{column}")
        for column in sorted({one.column for one in file.entitlements})
    ]
    conformed = conform(
        table, candidates, accounts_contract(labels), KEY, use, pl.DataFrame(cells), tuple(unread)
    )
    return conformed, _column_warnings(table, use)


def _column_warnings(table: RawTable, use: ColumnUse) -> tuple[str, ...]:
    if not use.unused:
        return ()
    names = ", ".join(map(repr, use.unused))
    return (f"{table.origin}: columns that the source file does not name are left out: {names}",)
