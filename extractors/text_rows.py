"""Frames of text made of values of JSON, and raw tables of them."""

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from schemas.raw import RawTable
from schemas.tables import REJECTS, ROW, UNREADABLE_LINE


def text_frame(columns: Mapping[str, Sequence[str | None]]) -> pl.DataFrame:
    """Returns the columns as a frame of text."""
    return pl.DataFrame([_text(name, values) for name, values in columns.items()])


def rows_frame(
    schema: Mapping[str, pl.DataType], rows: Sequence[tuple[str | None, ...]]
) -> pl.DataFrame:
    """Returns the rows as a frame of text under the names of `schema`."""
    columns: Iterable[Sequence[str | None]] = (
        zip(*rows, strict=True) if rows else ((),) * len(schema)
    )
    return text_frame(dict(zip(schema, columns, strict=True)))


def _text(name: str, values: Sequence[str | None]) -> pl.Series:
    try:
        return pl.Series(name, values, dtype=pl.String)
    except UnicodeEncodeError:  # JSON may escape half of a surrogate pair, which is no text
        return pl.Series(name, [_whole(value) for value in values], dtype=pl.String)


def _whole(value: str | None) -> str | None:
    """Returns the text with U+FFFD for what is no character: contracts take it for damage."""
    return (
        None
        if value is None
        else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    )


REJECTED = {"key": pl.String(), "value": pl.String(), "reason": pl.String()}
"""What a reader rejects itself: the key of the record or null, its text, and why."""


def raw_table(name: str, rows: pl.DataFrame, origin: str, rejected: pl.DataFrame) -> RawTable:
    """Returns the table of `rows`, numbered from 1; `rejected` (`REJECTED`) come after them."""
    numbers = pl.int_range(1, rows.height + 1, dtype=pl.UInt32, eager=True).alias(ROW)
    rejects = pl.DataFrame(schema=REJECTS)
    if rejected.height:
        first = rows.height + 1
        rejects = rejected.select(
            pl.lit(name).alias("table"),
            pl.lit(origin).alias("file"),
            pl.int_range(first, first + rejected.height, dtype=pl.UInt32).alias("row"),
            pl.col("key"),
            pl.lit(None, pl.String).alias("column"),
            pl.lit(UNREADABLE_LINE).alias("code"),
            pl.col("reason"),
            pl.col("value"),
            pl.lit(False).alias("is_cell"),
            pl.lit(None, pl.String).alias("name"),
        )
    table = pl.DataFrame([numbers, *rows.get_columns()])
    return RawTable(name, table, rejects, rows.height + rejected.height, origin)
