"""Rows that are none: named by `leave_out`, left out and counted."""

from dataclasses import replace

import polars as pl

from schemas.raw import RawTable
from schemas.source_file.columns import LeftOut
from schemas.tables import ROW


def without_rows(table: RawTable, is_out: pl.Series) -> RawTable:
    """`table` without the rows where the mask is true; they are counted as dropped."""
    count = int(is_out.sum())
    if not count:
        return table
    rows = table.rows.filter(~is_out)
    return replace(table, rows=rows, dropped_count=table.dropped_count + count)


def without_left_out(table: RawTable, rules: tuple[LeftOut, ...]) -> RawTable:
    """`table` without the rows and lines that `rules` name; a column's rules are the accounts'."""
    is_out = pl.repeat(False, table.rows.height, dtype=pl.Boolean, eager=True)
    for rule in rules:
        if rule.line is not None:
            cells = pl.exclude(ROW).fill_null("")
            line = table.rows.select(pl.concat_str(cells, separator=",")).to_series()
            is_out |= line.str.contains(rule.line)
            table = _without_lines(table, rule.line)
        elif table.name == "accounts" and rule.column in table.rows.columns:
            is_out |= table.rows[rule.column or ""].is_in(rule.words).fill_null(value=False)
    return without_rows(table, is_out)


def _without_lines(table: RawTable, pattern: str) -> RawTable:
    """`table` without the lines that could not be split into columns and match."""
    is_out = table.rejects["value"].str.contains(pattern).fill_null(value=False)
    count = int(is_out.sum())
    dropped = table.dropped_count + count
    return replace(table, rejects=table.rejects.filter(~is_out), dropped_count=dropped)
