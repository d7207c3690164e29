"""The structural check of a whole file: one pass keeps the lines that are no good record alone."""

import logging

import polars as pl

from extractors.csv_dialect import Dialect
from extractors.csv_grammar import quoted_parts, record_pattern
from extractors.csv_records import Line, Structure, walk
from extractors.text_file import LineFacts, TextFile
from schemas.errors import SourceFormatError

_log = logging.getLogger(__name__)
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
    odd = _lines_where((number > dialect.skipped_lines) & is_odd, text)
    return walk(odd, dialect, text.export.name, text.facts.count, trailer_line)


def _lines_where(condition: pl.Expr, text: TextFile) -> list[Line]:
    scan = pl.scan_lines(
        text.path, name=_TEXT, row_index_name=_NUMBER, row_index_offset=1, glob=False
    )
    found = None
    try:
        found = scan.filter(condition).collect(engine="streaming").sort(_NUMBER)
    except pl.exceptions.PolarsError:
        _log.debug("%s: its lines could not be read a second time", text.export.name)
    if found is None:
        raise SourceFormatError(f"{text.export.name}: is no text any more: run again")
    numbers, texts = found[_NUMBER].to_list(), found[_TEXT].to_list()
    return [Line(number, line) for number, line in zip(numbers, texts, strict=True)]


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
