"""Cells that cannot be read: left out, or kept as they were last accepted. Their rows stand."""

from datetime import datetime

import polars as pl

from schemas.contracts import EMAIL_FAULTS, NO_EMAIL, NO_PERSON
from schemas.raw import RawTable
from schemas.source_file.columns import TimeColumn
from schemas.tables import UTC_TIME
from transforms.tables.columns import unread_times
from transforms.tables.mapping import ColumnUse, cell_of
from transforms.tables.moments.times import (
    ABSURD,
    NOT_A_TIME,
    PLACEHOLDER,
    is_absurd,
    is_placeholder,
)
from transforms.tables.openness import most_closed
from transforms.tables.rejects import FAILURES, failures_of

_ID, _STATUS = "integration_specific_id", "user_status"
_PERSON = ("email", "given_name", "family_name")
_TIMES = ("last_login", "last_activity")


def time_faults(
    table: RawTable, use: ColumnUse, candidates: pl.DataFrame, now: datetime
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The times that cannot be or be read (`FAILURES`): of cells, and of rows that are rejects."""
    unread = unread_times(table.rows, use, candidates)
    cells, rows = [pl.DataFrame(schema=FAILURES)], [pl.DataFrame(schema=FAILURES)]
    for name in _TIMES:
        is_unread = unread.get(name, pl.repeat(False, candidates.height, eager=True))
        absurd = candidates.select(is_absurd(pl.col(name), now)).to_series()
        if not (is_unread.any() or absurd.any()):
            continue
        at_fault = is_unread | absurd
        stands_for_none = at_fault.clone().scatter(
            at_fault.arg_true(), _placeholders(table, use, candidates, name, at_fault)
        )
        origin = use.fields[name]
        rejects_row = isinstance(origin, TimeColumn) and origin.unusable == "reject"
        cells.append(failures_of(stands_for_none, name, PLACEHOLDER))
        (rows if rejects_row else cells).extend(
            (
                failures_of(is_unread & ~stands_for_none, name, NOT_A_TIME),
                failures_of(absurd & ~stands_for_none, name, ABSURD),
            )
        )
    return pl.concat(cells), pl.concat(rows)


def _placeholders(
    table: RawTable, use: ColumnUse, candidates: pl.DataFrame, name: str, at_fault: pl.Series
) -> pl.Series:
    """Whether a cell at fault stands for no time, cell by cell."""
    index = at_fault.arg_true()
    cells = pl.DataFrame(
        {
            "text": cell_of(table.rows, use, name).gather(index),
            "time": candidates[name].gather(index),
        },
        schema={"text": pl.String(), "time": UTC_TIME},
    )
    return cells.select(is_placeholder(pl.col("text"), pl.col("time"))).to_series()


def mended(candidates: pl.DataFrame, faults: pl.DataFrame, last: pl.DataFrame) -> pl.DataFrame:
    """`candidates` without the cells at fault, and whole again where the last record can help.

    A cell at fault has its last accepted value, a time at fault none. A row of which nobody could
    be matched has from its last record whatever it does not say itself, and is no more open than
    that. But where a name that it does say is another, the id may be another person's now: nothing
    that tells who it is comes from the last record then.

    Args:
        candidates: accounts.
        faults: `FAILURES` of their cells.
        last: the last accepted accounts.
    """
    of_cells = faults.filter(~pl.col("column").is_in([_ID, _STATUS]))
    broken = {
        str(column): group["index"].unique().sort()
        for (column,), group in of_cells.group_by("column", maintain_order=True)
    }
    alone = candidates.with_columns(
        candidates[name].clone().scatter(index, None).alias(name) for name, index in broken.items()
    )
    unnamed = nobody(alone).arg_true().cast(pl.UInt32)
    strangers = _strangers(alone, pl.concat([unnamed, *broken.values()]).unique(), last)
    columns = []
    for name in candidates.columns:
        index = [one for one in (broken.get(name), unnamed) if one is not None]
        wanted = pl.concat(index).unique().sort()
        if name in {_ID, _STATUS, *_TIMES} or name not in last.columns or not wanted.len():
            continue
        if name in _PERSON:
            wanted = wanted.filter(~wanted.is_in(strangers.implode()))
        before = _last_of(candidates[_ID].gather(wanted), last, name)
        filled = alone[name].gather(wanted)
        filled = filled.zip_with(filled.is_not_null(), before)
        columns.append(alone[name].clone().scatter(wanted, filled).alias(name))
    whole = alone.with_columns(columns)
    if not unnamed.len():
        return whole
    status = _last_of(candidates[_ID].gather(unnamed), last, _STATUS)
    of_row = pl.DataFrame({"own": whole[_STATUS].gather(unnamed), "last": status})
    no_more_open = of_row.select(most_closed(pl.col("own"), pl.col("last"))).to_series()
    return whole.with_columns(whole[_STATUS].clone().scatter(unnamed, no_more_open))


def _strangers(accounts: pl.DataFrame, index: pl.Series, last: pl.DataFrame) -> pl.Series:
    """Of the rows in `index`, those that say a name which is not their last record's."""
    is_other = pl.repeat(False, index.len(), dtype=pl.Boolean, eager=True)
    for name in ("given_name", "family_name"):
        now = accounts[name].gather(index)
        before = _last_of(accounts[_ID].gather(index), last, name)
        is_other |= (now.str.to_lowercase() != before.str.to_lowercase()).fill_null(value=False)
    return index.filter(is_other)


def nobody(accounts: pl.DataFrame) -> pl.Series:
    """Whether an account has neither an e-mail address nor both names, row by row."""
    email, given, family = (pl.col(name).is_null() for name in _PERSON)
    return accounts.select(email & (given | family)).to_series()


def _last_of(ids: pl.Series, last: pl.DataFrame, column: str) -> pl.Series:
    """That column of the last accepted accounts of these ids, in order; null where none is."""
    of = last.select(_ID, column).filter(pl.col(_ID).is_in(ids.implode()))
    return ids.to_frame(_ID).join(of, on=_ID, how="left", maintain_order="left")[column]


def told_apart(faults: pl.DataFrame, candidates: pl.DataFrame) -> pl.DataFrame:
    """`faults`, with what is wrong with each that is no e-mail address."""
    if not (faults["code"] == NO_EMAIL.code).any():
        return faults
    text = candidates["email"].gather(faults["index"])
    with_text = faults.with_columns(text.alias("text"))
    says = pl.col("reason")
    for pattern, fault in reversed(EMAIL_FAULTS.items()):
        is_so = (pl.col("code") == NO_EMAIL.code) & pl.col("text").str.contains(pattern)
        says = pl.when(is_so).then(pl.lit(f"{NO_EMAIL}: it {fault}")).otherwise(says)
    return with_text.with_columns(says.alias("reason")).select(faults.columns)


def parted(faults: pl.DataFrame, accounts: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(faults of cells, faults of rows) of accounts, once these are mended.

    Where nobody can be matched, what is wrong with address and names costs the row.
    """
    is_nobody = nobody(accounts).gather(faults["index"])
    is_of_person = faults["column"].is_in([*_PERSON]) | (faults["code"] == NO_PERSON.code)
    could_be_cell = ~faults["column"].is_in([_ID, _STATUS]).fill_null(value=False)
    is_cell = could_be_cell & ~(is_nobody & is_of_person.fill_null(value=True))
    return faults.filter(is_cell), faults.filter(~is_cell)
