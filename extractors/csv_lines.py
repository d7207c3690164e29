"""The structural check of a whole file: one pass keeps the lines that are no good record alone."""

import polars as pl

from extractors.csv_dialect import Dialect
from extractors.csv_grammar import quoted_parts, record_pattern
from extractors.csv_records import Line, Structure, walk
from extractors.text_file import LineFacts, TextFile

_TEXT, _NUMBER = "text", "number"
_WIDE = 100


def to_structure(text: TextFile, dialect: Dialect, trailer_line: int | None = None) -> Structure:
    """What every line below the header is; the trailer, where there is one, is no row.

    Raises:
        SourceFormatError: a quote that never closes, or a file that reads two ways, with the line.
    """
    number = pl.col(_NUMBER)
    is_odd = ~_is_good(dialect, text.facts)
    if trailer_line is not None:
        is_odd |= number == trailer_line
    odd = (
        pl.scan_lines(text.path, name=_TEXT, row_index_name=_NUMBER, row_index_offset=1, glob=False)
        .filter((number > dialect.skipped_lines) & is_odd)
        .collect(engine="streaming")
        .sort(_NUMBER)
    )
    numbers, texts = odd[_NUMBER].to_list(), odd[_TEXT].to_list()
    lines = [Line(number, line) for number, line in zip(numbers, texts, strict=True)]
    return walk(lines, dialect, text.export.name, text.facts.count, trailer_line)


def _is_good(dialect: Dialect, facts: LineFacts) -> pl.Expr:
    """Whether a line is one whole record, with the right number of fields, not the header again."""
    line, width = pl.col(_TEXT), len(dialect.columns)
    if facts.has_quotes and width == 1:
        return pl.lit(value=False)
    if facts.has_quotes:
        good = _is_record(dialect)
    else:
        good = line.str.count_matches(dialect.separator, literal=True) == width - 1
        if facts.has_returns:
            good &= ~line.str.contains("\r", literal=True)
    if dialect.header is not None:
        good &= line != dialect.header
    return good & (line != "") if width == 1 else good


def _is_record(dialect: Dialect) -> pl.Expr:
    """Whether a line is a record of the right width: one pattern, but it cannot be very wide."""
    line, width = pl.col(_TEXT), len(dialect.columns)
    if width <= _WIDE:
        return line.str.contains(record_pattern(dialect.separator, dialect.quote, width))
    bare = line.str.replace_all(quoted_parts(dialect.quote).pattern, "")
    count = bare.str.count_matches(dialect.separator, literal=True)
    return line.str.contains(record_pattern(dialect.separator, dialect.quote)) & (
        count == width - 1
    )
