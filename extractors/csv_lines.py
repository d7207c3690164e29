"""The structural check of a whole file: one pass at memory speed keeps the lines that are no good record alone."""

import polars as pl

from extractors.csv_dialect import Dialect, record_pattern
from extractors.csv_records import Line, Structure, walk
from extractors.text_file import TextFile

_TEXT, _NUMBER = "text", "number"


def to_structure(
    text: TextFile, dialect: Dialect, lines_below_trailer: int | None = None
) -> Structure:
    """What every line below the header is; the trailer, with that many blank lines below it, is no row.

    Raises:
        SourceFormatError: a quote that never closes, or a file that reads two ways; the line is named.
    """
    scan = pl.scan_lines(
        text.path, name=_TEXT, row_index_name=_NUMBER, row_index_offset=1, glob=False
    )
    facts = scan.select(
        pl.len().alias("lines"),
        _has(dialect.quote).any().alias("quotes"),
        _has("\r").any().alias("returns"),
    ).collect(engine="streaming")
    line_count, has_quotes, has_returns = facts.row(0)
    trailer_line = None
    if lines_below_trailer is not None:
        trailer_line = line_count - lines_below_trailer
    good = _is_good(dialect, has_quotes=has_quotes, has_returns=has_returns)
    is_row = pl.col(_NUMBER) > dialect.skipped_lines
    if trailer_line is not None:
        is_row &= pl.col(_NUMBER) != trailer_line
    odd = scan.filter(is_row & ~good).collect(engine="streaming").sort(_NUMBER)
    numbers, texts = odd[_NUMBER].to_list(), odd[_TEXT].to_list()
    lines = [Line(number, line) for number, line in zip(numbers, texts, strict=True)]
    return walk(lines, dialect, text.export.name, line_count, trailer_line)


def _has(character: str | None) -> pl.Expr:
    """Whether a line has it in it; a carriage return at its end is not part of a line."""
    if character is None:
        return pl.lit(value=False)
    return pl.col(_TEXT).str.contains(character, literal=True)


def _is_good(dialect: Dialect, *, has_quotes: bool, has_returns: bool) -> pl.Expr:
    """Whether a line is one whole record, with the right number of fields, and not the header again."""
    line, width = pl.col(_TEXT), len(dialect.columns)
    if has_quotes and width == 1:
        return pl.lit(value=False)
    if has_quotes:
        good = line.str.contains(record_pattern(dialect.separator, dialect.quote, width))
    else:
        good = line.str.count_matches(dialect.separator, literal=True) == width - 1
        if has_returns:
            good &= ~_has("\r")
    if dialect.header is not None:
        good &= line != dialect.header
    return good & (line != "") if width == 1 else good
