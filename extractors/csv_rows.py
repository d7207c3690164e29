"""The rows of a checked file: parsed by polars, each with its line, counted against the check."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from extractors.archives import open_private
from extractors.csv_dialect import Dialect
from extractors.csv_records import Structure
from extractors.text_file import TextFile
from schemas.errors import SourceFormatError
from schemas.tables import ROW

BATCH = 200_000
"""Rows of a batch."""


def to_rows(text: TextFile, dialect: Dialect, structure: Structure, folder: Path) -> pl.DataFrame:
    """One row a good record, in the file's order: the columns as text, and `ROW`, its first line.

    Cells are exactly as written. An empty cell is an empty string. There is no null.

    Raises:
        SourceFormatError: the parser does not find the records that the check found.
    """
    path = _without_hidden(text, structure, folder)
    left_out, starts = _left_out(dialect, structure), _starts(dialect, structure)
    count = structure.line_count - dialect.skipped_lines - len(structure.continued)
    rows = _parse(path, dialect, left_out)
    if rows is None or rows.height != count - left_out.len():
        raise _two_ways(text, count - left_out.len())
    return _with_lines(rows, dialect, starts)


def row_batches(
    text: TextFile, dialect: Dialect, structure: Structure, folder: Path
) -> Iterator[pl.DataFrame]:
    """The same rows as of `to_rows`, in order, some at a time.

    Raises:
        SourceFormatError: as `to_rows`; it is known at the end only.
    """
    path = _without_hidden(text, structure, folder)
    left_out, starts = _left_out(dialect, structure), _starts(dialect, structure)
    expected = structure.line_count - dialect.skipped_lines - len(structure.continued)
    expected -= left_out.len()
    found, is_sound = 0, True
    batches = _scan(path, dialect, left_out).collect_batches(chunk_size=BATCH, engine="streaming")
    while is_sound:
        batch = None
        try:
            batch = next(batches, None)
        except pl.exceptions.PolarsError:
            is_sound = False
        if batch is None:
            break
        found += batch.height
        yield _with_lines(batch.rechunk(), dialect, starts)
    if not is_sound or found != expected:
        raise _two_ways(text, expected)


def _with_lines(rows: pl.DataFrame, dialect: Dialect, starts: pl.Series | None) -> pl.DataFrame:
    """The rows with their lines in the place of their positions."""
    position = rows.drop_in_place(ROW)
    line = position + (dialect.skipped_lines + 1) if starts is None else starts.gather(position)
    return rows.insert_column(rows.width, line.cast(pl.UInt32).alias(ROW))


def _two_ways(text: TextFile, expected: int) -> SourceFormatError:
    return SourceFormatError(
        f"{text.export.name}: reads two ways: the lines make {expected:,} rows, "
        "the quotes make another number; have every field quoted, or state quote: none"
    )


def _parse(path: Path, dialect: Dialect, left_out: pl.Series) -> pl.DataFrame | None:
    """The records but for those left out; None where polars finds the file malformed."""
    try:
        # One chunk: whatever gathers rows later is ten times as fast as on the reader's many.
        return _scan(path, dialect, left_out).collect(engine="streaming").rechunk()
    except pl.exceptions.PolarsError:
        return None


def _scan(path: Path, dialect: Dialect, left_out: pl.Series) -> pl.LazyFrame:
    scan = pl.scan_csv(
        path,
        has_header=False,
        separator=dialect.separator,
        quote_char=dialect.quote,
        skip_lines=dialect.skipped_lines,
        schema=dict.fromkeys(dialect.columns, pl.String()),
        infer_schema=False,
        empty_string_is_null=False,
        row_index_name=ROW,
        raise_if_empty=False,
        extra_columns="ignore" if left_out.len() else "raise",
        missing_columns="insert",
        glob=False,
    )
    return scan.filter(~pl.col(ROW).is_in(left_out.implode())) if left_out.len() else scan


def _left_out(dialect: Dialect, structure: Structure) -> pl.Series:
    """The positions of the records that are no rows, from 0."""
    lines = pl.Series(structure.left_out, dtype=pl.UInt32)
    position = lines - dialect.skipped_lines - 1
    if not structure.continued:
        return position
    above = pl.Series(structure.continued, dtype=pl.UInt32).search_sorted(lines)
    return position - above


def _starts(dialect: Dialect, structure: Structure) -> pl.Series | None:
    """The first line of every record; None where each record is one line."""
    if not structure.continued:
        return None
    first, end = dialect.skipped_lines + 1, structure.line_count + 1
    lines = pl.int_range(first, end, dtype=pl.UInt32, eager=True)
    return lines.filter(~lines.is_in(pl.Series(structure.continued, dtype=pl.UInt32).implode()))


def _without_hidden(text: TextFile, structure: Structure, folder: Path) -> Path:
    """The file itself, or a copy with the hidden lines blank: every line keeps its number."""
    if not structure.hidden:
        return text.path
    with text.path.open("rb") as file, open_private(folder / "parsed") as out:
        for number, line in enumerate(file, 1):
            out.write(b"\n" if number in structure.hidden else line)
    return folder / "parsed"
