"""The rows of a checked file: parsed by polars, each with its line, counted against the check."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import polars as pl

from extractors.delimited.dialect import Dialect
from extractors.delimited.structure import Structure
from extractors.exports.text import TextFile
from extractors.zones.private_file import open_private
from schemas.errors import SourceFormatError
from schemas.tables import ROW

BLOCK = 16 * 1024 * 1024
"""Bytes of a block."""


def to_rows(text: TextFile, dialect: Dialect, structure: Structure, folder: Path) -> pl.DataFrame:
    """Returns a row a good record, in the file's order: columns of text, and `ROW`, its first line.

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
    text: TextFile, dialect: Dialect, structure: Structure, folder: Path, block_bytes: int = BLOCK
) -> Iterator[pl.DataFrame]:
    """Yields the rows of `to_rows`, in order, a block of the file at a time.

    polars reads far ahead of whoever takes rows from a scan: here memory holds one block.

    Raises:
        SourceFormatError: as `to_rows`; it is known at the end only.
    """
    path = _without_hidden(text, structure, folder)
    left_out, starts = _left_out(dialect, structure), _starts(dialect, structure)
    expected = structure.line_count - dialect.skipped_lines - len(structure.continued)
    row_count, above = 0, 0
    for block in _blocks(path, dialect.skipped_lines, frozenset(structure.continued), block_bytes):
        later = left_out.filter(left_out >= above)
        rows = _parse(BytesIO(block.content), dialect, later, above)
        if rows is None:
            break
        row_count += rows.height
        above += block.record_count
        yield _with_lines(rows, dialect, starts)
    if row_count != expected - left_out.len():
        raise _two_ways(text, expected - left_out.len())


@dataclass(frozen=True, slots=True)
class _Block:
    """Whole records of a file, and how many they are."""

    content: bytes
    record_count: int


def _blocks(path: Path, skipped: int, continued: frozenset[int], size: int) -> Iterator[_Block]:
    """Yields the file below its first `skipped` lines, cut where a record ends."""
    with path.open("rb") as file:
        for _ in range(skipped):
            file.readline()
        line = skipped + 1
        while content := file.read(size):
            content += b"" if content.endswith(b"\n") else file.readline()
            first, line = line, line + content.count(b"\n") + (not content.endswith(b"\n"))
            while line in continued:
                content += file.readline()
                line += 1
            inner = sum(number in continued for number in range(first, line)) if continued else 0
            yield _Block(content, line - first - inner)


def _with_lines(rows: pl.DataFrame, dialect: Dialect, starts: pl.Series | None) -> pl.DataFrame:
    """Puts the rows' lines in the place of their positions."""
    position = rows.drop_in_place(ROW)
    line = position + (dialect.skipped_lines + 1) if starts is None else starts.gather(position)
    return rows.insert_column(rows.width, line.cast(pl.UInt32).alias(ROW))


def _two_ways(text: TextFile, expected: int) -> SourceFormatError:
    return SourceFormatError(
        f"{text.export.name}: reads two ways: the lines make {expected:,} rows, "
        "the quotes make another number; have every field quoted, or state quote: none"
    )


def _parse(
    content: Path | BytesIO, dialect: Dialect, left_out: pl.Series, above: int | None = None
) -> pl.DataFrame | None:
    """Returns the records but for those left out; None where polars finds the file malformed.

    Of a part of a file, `above` is the number of records above it.
    """
    try:
        # One chunk: whatever gathers rows later is ten times as fast as on the reader's many.
        return _scan(content, dialect, left_out, above).collect(engine="streaming").rechunk()
    except pl.exceptions.PolarsError:
        return None


def _scan(
    content: Path | BytesIO, dialect: Dialect, left_out: pl.Series, above: int | None
) -> pl.LazyFrame:
    scan = pl.scan_csv(
        content,
        has_header=False,
        separator=dialect.separator,
        quote_char=dialect.quote,
        skip_lines=dialect.skipped_lines if above is None else 0,
        schema=dict.fromkeys(dialect.columns, pl.String()),
        infer_schema=False,
        empty_string_is_null=False,
        row_index_name=ROW,
        row_index_offset=above or 0,
        raise_if_empty=False,
        extra_columns="ignore" if left_out.len() or dialect.cuts_rows else "raise",
        missing_columns="insert",
        glob=False,
    )
    return scan.filter(~pl.col(ROW).is_in(left_out.implode())) if left_out.len() else scan


def _left_out(dialect: Dialect, structure: Structure) -> pl.Series:
    """Returns the positions of the records that are no rows, from 0."""
    lines = pl.Series(structure.left_out, dtype=pl.UInt32)
    position = lines - dialect.skipped_lines - 1
    if not structure.continued:
        return position
    above = pl.Series(structure.continued, dtype=pl.UInt32).search_sorted(lines)
    return position - above


def _starts(dialect: Dialect, structure: Structure) -> pl.Series | None:
    """Returns the first line of every record; None where each record is one line."""
    if not structure.continued:
        return None
    first, end = dialect.skipped_lines + 1, structure.line_count + 1
    lines = pl.int_range(first, end, dtype=pl.UInt32, eager=True)
    return lines.filter(~lines.is_in(pl.Series(structure.continued, dtype=pl.UInt32).implode()))


def _without_hidden(text: TextFile, structure: Structure, folder: Path) -> Path:
    """Returns the file, or a copy with the hidden lines blank: every line keeps its number."""
    if not structure.hidden:
        return text.path
    with text.path.open("rb") as file, open_private(folder / "parsed") as out:
        for number, line in enumerate(file, 1):
            out.write(b"\n" if number in structure.hidden else line)
    return folder / "parsed"
