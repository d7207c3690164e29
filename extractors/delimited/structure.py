"""The lines that are no good record alone: blank, short, long, stray, or part of one of several."""

import csv
import re
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

from extractors.delimited.dialect import (
    Dialect,
    lenient_pattern,
    opening_pattern,
    quoted_parts,
    record_pattern,
)
from extractors.exports.text import LineFacts, TextFile
from schemas.errors import SourceFormatError, raise_as

_BLANK = " \t\r"
_TEXT, _NUMBER = "text", "number"
_WIDE = 100


class Line(NamedTuple):
    """A physical line: its number, from 1, and its text without its end."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class LineReject:
    """A record that is no row.

    Attributes:
        line: the number of its first line, from 1.
        text: its text.
        reason: what is wrong with it.
        fields: its fields where they can be told apart, else None; none at all of a header.
    """

    line: int
    text: str
    reason: str
    fields: tuple[str, ...] | None


@dataclass(slots=True)
class Structure:
    """What the lines of a file are.

    Attributes:
        line_count: the physical lines of the file.
        left_out: lines, ascending, that start no row: blank, rejected, the trailer.
        continued: lines, ascending, that go on with a record begun above.
        hidden: lines that a parser must not see, as their quotes would swallow others.
        rejects: the rejected records, in the file's order.
    """

    line_count: int
    left_out: list[int] = field(default_factory=list)
    continued: list[int] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)
    rejects: list[LineReject] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Grammar:
    name: str
    dialect: Dialect
    trailer_line: int | None
    record: re.Pattern[str]
    lenient: re.Pattern[str]
    opening: re.Pattern[str]
    quoted: re.Pattern[str]


def to_structure(text: TextFile, dialect: Dialect, trailer_line: int | None = None) -> Structure:
    """Returns what every line below the header is; the trailer, where there is one, is no row.

    One pass keeps the lines that are no good record alone; only these are looked at one by one.

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
    lines = raise_as(
        lambda: scan.filter(condition).collect(engine="streaming").sort(_NUMBER),
        {
            pl.exceptions.PolarsError: lambda _: SourceFormatError(
                f"{text.export.name}: is no text any more: run again"
            )
        },
    )
    numbers, texts = lines[_NUMBER].to_list(), lines[_TEXT].to_list()
    return [Line(number, line) for number, line in zip(numbers, texts, strict=True)]


def _is_good(dialect: Dialect, facts: LineFacts) -> pl.Expr:
    """Returns whether a line is one whole record of the right width, not the header again."""
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
    """Returns whether a line is a record of the right width: by one pattern, unless very wide."""
    line, width = pl.col(_TEXT), len(dialect.columns)
    if width <= _WIDE:
        return line.str.contains(record_pattern(dialect.separator, dialect.quote, width))
    bare = line.str.replace_all(quoted_parts(dialect.quote).pattern, "")
    count = bare.str.count_matches(dialect.separator, literal=True)
    return line.str.contains(record_pattern(dialect.separator, dialect.quote)) & (
        count == width - 1
    )


def walk(
    odd: list[Line], dialect: Dialect, name: str, line_count: int, trailer_line: int | None
) -> Structure:
    """Returns the structure of a file whose lines are good records but for those in `odd`.

    Raises:
        SourceFormatError: a quote that never closes, or a file that reads two ways, with the line.
    """
    structure, position = Structure(line_count), 0
    grammar = _grammar(dialect, name, trailer_line)
    while position < len(odd):
        line = odd[position]
        position += 1
        if line.number == trailer_line:
            _take_trailer(structure, grammar, line)
        elif dialect.quote is None or dialect.quote not in line.text:
            _take_plain(structure, grammar, line)
        elif grammar.record.fullmatch(line.text):
            _take_record(structure, grammar, line)
        elif grammar.opening.fullmatch(line.text):
            inner = _inner_lines(grammar, odd, position - 1, line_count)
            position += len(inner)
            structure.continued += [further.number for further in inner]
            joined = "\n".join((line.text, *(further.text for further in inner)))
            _take_record(structure, grammar, Line(line.number, joined))
        else:
            _take_stray(structure, grammar, line)
    return structure


def _grammar(dialect: Dialect, name: str, trailer_line: int | None) -> _Grammar:
    separator, quote = dialect.separator, dialect.quote or '"'
    return _Grammar(
        name=name,
        dialect=dialect,
        trailer_line=trailer_line,
        record=re.compile(record_pattern(separator, dialect.quote)),
        lenient=re.compile(lenient_pattern(separator, quote)),
        opening=re.compile(opening_pattern(separator, quote)),
        quoted=quoted_parts(dialect.quote),
    )


def _take_trailer(structure: Structure, grammar: _Grammar, line: Line) -> None:
    structure.left_out.append(line.number)
    if grammar.dialect.quote and grammar.dialect.quote in line.text:
        structure.hidden.add(line.number)


def _take_plain(structure: Structure, grammar: _Grammar, line: Line) -> None:
    """A line without quotes."""
    if "\r" in line.text and (line.text.strip(_BLANK) or len(grammar.dialect.columns) == 1):
        _reject(structure, line, "a carriage return outside quotes", None)
    else:
        _take_record(structure, grammar, line)


def _take_record(structure: Structure, grammar: _Grammar, record: Line) -> None:
    """A well-formed record, on one line or several."""
    text, dialect = record.text, grammar.dialect
    width = len(dialect.columns)
    count = grammar.quoted.sub("", text).count(dialect.separator) + 1
    if not text or (count != width and not text.strip(_BLANK)):
        structure.left_out.append(record.number)
    elif text == dialect.header:
        _reject(structure, record, "the header line again", ())
    elif count < width or (count > width and not dialect.cuts_rows):
        fields = f"{count} field{'' if count == 1 else 's'}"
        head = "header" if dialect.header is not None else "first record"
        reason = f"{fields} where the {head} has {width}"
        _reject(structure, record, reason, _fields(text, dialect))


def _take_stray(structure: Structure, grammar: _Grammar, line: Line) -> None:
    """A line with a quote where none may be: a reject where it surely ends with the line."""
    is_even = line.text.count(grammar.dialect.quote or "") % 2 == 0
    if not is_even and not grammar.lenient.fullmatch(line.text):
        raise SourceFormatError(
            f"{grammar.name}: line {line.number}: a stray quote leaves open where the record ends: "
            "have quotes doubled inside quoted fields, or state quote: none"
        )
    structure.hidden.add(line.number)
    _reject(structure, line, "a stray quote", None)


def _inner_lines(grammar: _Grammar, odd: list[Line], start: int, line_count: int) -> list[Line]:
    """Returns the lines below the one a quote opens in, up to the one its record ends in."""
    opened, quote, position = odd[start].number, grammar.dialect.quote or "", start
    where, is_open = f"{grammar.name}: line {opened}: a quote opens here and", True
    while is_open:
        position += 1
        number = opened + position - start
        if number > line_count:
            raise SourceFormatError(
                f"{where} never closes: the file is cut off, or state quote: none"
            )
        if _is_whole(grammar, odd[position] if position < len(odd) else None, number):
            raise SourceFormatError(
                f"{where} line {number}, inside it, is a whole record: the file reads two ways; "
                "close the quote, or state quote: none"
            )
        is_open = odd[position].text.count(quote) % 2 == 0
    inner = odd[start + 1 : position + 1]
    if not grammar.record.fullmatch("\n".join(line.text for line in odd[start : position + 1])):
        raise SourceFormatError(
            f"{where} text follows where it closes: have quotes doubled inside fields"
        )
    return inner


def _is_whole(grammar: _Grammar, line: Line | None, number: int) -> bool:
    """Tells whether the line of that number is whole alone; `line` is the next that is not."""
    if line is None or line.number != number or number == grammar.trailer_line:
        return True
    return len(grammar.dialect.columns) > 1 and line.text == grammar.dialect.header


def _reject(structure: Structure, line: Line, reason: str, fields: tuple[str, ...] | None) -> None:
    structure.left_out.append(line.number)
    structure.rejects.append(LineReject(line.number, line.text, reason, fields))


def _fields(text: str, dialect: Dialect) -> tuple[str, ...] | None:
    if dialect.quote is None or dialect.quote not in text:
        return tuple(text.split(dialect.separator))
    try:
        records = list(csv.reader([text], delimiter=dialect.separator, quotechar=dialect.quote))
    except csv.Error:
        return None
    return tuple(records[0]) if len(records) == 1 else None
