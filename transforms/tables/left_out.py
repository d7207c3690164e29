"""Rows that are none: named by `leave_out`."""

import polars as pl

from schemas.raw import RawTable
from schemas.source_file.mappings import LeftOut
from schemas.tables import ROW


def is_left_out(table: RawTable, rules: tuple[LeftOut, ...]) -> tuple[pl.Series, pl.Series]:
    """Two masks, over rows and over lines that could not be split: what `rules` name of `table`.

    The rules of a column are the accounts', or a log's own.
    """
    rows = pl.repeat(False, table.rows.height, dtype=pl.Boolean, eager=True)
    lines = pl.repeat(False, table.rejects.height, dtype=pl.Boolean, eager=True)
    for rule in rules:
        if rule.line is not None:
            cells = pl.exclude(ROW).fill_null("")
            text = table.rows.select(pl.concat_str(cells, separator=",")).to_series()
            rows |= text.str.contains(rule.line)
            lines |= table.rejects["value"].str.contains(rule.line).fill_null(value=False)
        elif table.name in {"accounts", "activity"} and rule.column in table.rows.columns:
            rows |= table.rows[rule.column or ""].is_in(rule.words).fill_null(value=False)
    return rows, lines
