"""Two versions of a table, row by row: which rows are in both, which are new, which are gone."""

from dataclasses import dataclass

import polars as pl

from transforms.associations.pairs import row_numbers
from transforms.parallel import two_at_once


@dataclass(frozen=True, slots=True)
class Matched:
    """Where the rows of two versions of a table stand.

    Attributes:
        now: row numbers now of the rows in both, ascending.
        before: their row numbers before, pair by pair.
        added: row numbers now of the rows that are new.
        removed: row numbers before of the rows that are gone.
        now_of_before: each row before -> its row now, null where it is gone.
    """

    now: pl.Series
    before: pl.Series
    added: pl.Series
    removed: pl.Series
    now_of_before: pl.Series


def matched(now: pl.DataFrame, before: pl.DataFrame, key: list[str]) -> Matched:
    """`now` and `before` matched by the columns `key`, unique in each."""
    if now.select(key).equals(before.select(key)):
        same = pl.int_range(now.height, eager=True)
        return Matched(same, same, same.clear(), same.clear(), same)
    now_of_before = row_numbers(before.select(key), now.select(key))
    is_in_both = now_of_before.is_not_null()
    pairs = pl.DataFrame(
        {"now": now_of_before.filter(is_in_both), "before": is_in_both.arg_true().cast(pl.UInt32)}
    ).sort("now")
    is_new = pl.repeat(value=True, n=now.height, eager=True).scatter(pairs["now"], False)
    return Matched(
        pairs["now"],
        pairs["before"],
        is_new.arg_true().cast(pl.UInt32),
        (~is_in_both).arg_true().cast(pl.UInt32),
        now_of_before,
    )


def differing(
    now: pl.DataFrame, before: pl.DataFrame, rows: Matched, fields: list[str]
) -> pl.DataFrame:
    """The matched rows in which `fields` differ: `now` and `before` (row numbers), and which do.

    A field that one version lacks is null there.
    """

    def differs_in(name: str) -> pl.Series:
        is_other = column_at(now, name, rows.now).ne_missing(column_at(before, name, rows.before))
        return is_other.alias(name)

    differs = pl.DataFrame(list(two_at_once(differs_in, fields)))
    some = differs.select(pl.any_horizontal(pl.all())).to_series()
    named = differs.filter(some).select(
        fields=pl.concat_arr(pl.when(pl.col(name)).then(pl.lit(name)) for name in fields)
        .arr.to_list()
        .list.eval(pl.element().drop_nulls())
    )
    return named.select(
        rows.now.filter(some).alias("now"), rows.before.filter(some).alias("before"), "fields"
    )


def column_at(table: pl.DataFrame, name: str, rows: pl.Series) -> pl.Series:
    """The column at those rows; null where the table has no such column."""
    if name not in table.columns:
        return pl.Series([None]).new_from_index(0, rows.len())
    column = table[name]
    return column if rows.len() == table.height and rows.is_sorted() else column.gather(rows)
