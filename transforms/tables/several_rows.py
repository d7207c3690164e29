"""Several rows of one account: the newest of them, or one made of all that do not disagree."""

from datetime import datetime

import polars as pl

from schemas.raw import RawTable
from schemas.source_file.file import SourceFile
from schemas.tables import Reason
from transforms.tables.expressions import to_text, to_time
from transforms.tables.rejects import FAILURES, failures_of

_ID, _STATUS = "integration_specific_id", "user_status"
OTHER_ROW = Reason("rejected_beside", "has another row that is a reject, and they are merged")


def account_ids(table: RawTable, file: SourceFile, now: datetime) -> pl.Series | None:
    """The id of each row; null where it is blank, None where the table has no such column."""
    origin = file.columns.integration_specific_id
    if not set(origin.sources) <= set(table.rows.columns):
        return None
    return to_text(table.rows, origin, now, verbatim=True).values


def is_superseded(table: RawTable, file: SourceFile, now: datetime) -> pl.Series:
    """Whether a newer row of the same account is there, row by row.

    Where one of an account's rows does not say when, nobody knows the newest: none is superseded,
    and those that differ are rejects.
    """
    none = pl.repeat(False, table.rows.height, dtype=pl.Boolean, eager=True)
    ids = account_ids(table, file, now)
    newest = file.newest_row
    if ids is None or newest is None or not set(newest.sources) <= set(table.rows.columns):
        return none
    is_shared = ids.is_duplicated() & ids.str.contains(r"\S").fill_null(value=False)
    index = is_shared.arg_true()
    if not index.len():
        return none
    rows = table.rows.select(pl.col(newest.sources).gather(index))
    times = pl.DataFrame({"id": ids.gather(index), "at": to_time(rows, newest)[0]})
    is_known = pl.col("at").is_not_null().all().over("id")
    is_older = (pl.col("at") < pl.col("at").max().over("id")) & is_known
    older = times.select(is_older.fill_null(value=False)).to_series()
    return none.scatter(index.filter(older), True)


def filled(accounts: pl.DataFrame) -> pl.DataFrame:
    """The accounts, each blank field of a row from the other rows of its id, where they have it."""
    index = accounts[_ID].is_duplicated().arg_true()
    if not index.len():
        return accounts
    shared = accounts.select(pl.all().gather(index))
    blank_status = pl.when(pl.col(_STATUS) != "").then(_STATUS).alias(_STATUS)
    of_all = shared.with_columns(blank_status).with_columns(
        pl.col(name).fill_null(pl.col(name).drop_nulls().first()).over(_ID)
        for name in accounts.columns
        if name != _ID
    )
    of_all = of_all.with_columns(pl.col(_STATUS).fill_null(""))
    return accounts.with_columns(
        accounts[name].clone().scatter(index, of_all[name]).alias(name)
        for name in accounts.columns
        if name != _ID
    )


def beside_rejects(accounts: pl.DataFrame, faults: pl.DataFrame) -> pl.DataFrame:
    """The other rows (`FAILURES`) of accounts that have a row with a fault."""
    ids = accounts[_ID]
    at_fault = pl.repeat(False, accounts.height, dtype=pl.Boolean, eager=True)
    at_fault = at_fault.scatter(faults["index"].unique(), True)
    if not at_fault.any():
        return pl.DataFrame(schema=FAILURES)
    named = ids.filter(at_fault).unique()
    named = named.filter(named.str.contains(r"\S").fill_null(value=False))
    return failures_of(ids.is_in(named.implode()) & ~at_fault, _ID, OTHER_ROW)
