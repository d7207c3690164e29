"""How one delimited file is written: its separator, its columns, and where its rows begin."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from extractors.text_file import TextFile
from schemas.errors import ConfigError, SourceFormatError, SourceIncompleteError
from schemas.source_kinds import CsvOptions
from schemas.tables import ROW

_CANDIDATES = (",", ";", "\t", "|")
_SAMPLE_BYTES = 1 << 18
_SAMPLE_RECORDS = 200
_NEARLY_ALL = 0.9
_PAGES = ("<!doctype", "<html", "<?xml")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written.

    Attributes:
        separator: one character.
        quote: one character; None where nothing is quoted.
        columns: the names of the columns, as written.
        header: the text of the header line; None where there is none.
        skipped_lines: the physical lines above the first that may hold a row.
    """

    separator: str
    quote: str | None
    columns: tuple[str, ...]
    header: str | None
    skipped_lines: int


def to_dialect(text: TextFile, options: CsvOptions) -> Dialect:
    """The dialect of the file, from its first lines and what the source file states.

    Raises:
        ConfigError: the separator is also the quote.
        SourceIncompleteError: no line where the header should be.
        SourceFormatError: a web page, bare carriage returns, two separators that fit, or an unusable header.
    """
    name = text.export.name
    quote = None if options.quote == "none" else options.quote
    lines, skipped = _sample(text, options.skip_lines)
    if lines[0].lstrip().lower().startswith(_PAGES):
        raise SourceFormatError(f"{name}: is a web page or XML, not delimited text: see the export")
    _check_line_ends(name, lines[0], quote, skipped + 1)
    separator = options.separator
    if separator == "auto":
        separator = _separator_of(name, lines, quote)
    if separator == quote:
        raise ConfigError(f"{name}: separator and quote are the same character: change one")
    if not options.header:
        width = len(next(_records(lines, separator, quote), [""]))
        columns = tuple(f"column_{number}" for number in range(1, width + 1))
        return Dialect(separator, quote, columns, None, skipped)
    columns = _header_columns(name, lines[0], separator, quote, skipped + 1)
    return Dialect(separator, quote, columns, lines[0], skipped + 1)


def record_pattern(separator: str, quote: str | None, field_count: int | None = None) -> str:
    """A pattern, for Rust's and for Python's engine, of one well-formed record with that many fields or any."""
    more = "*" if field_count is None else f"{{{field_count - 1}}}"
    field = field_pattern(separator, quote)
    return f"^{field}(?:{re.escape(separator)}{field}){more}$"


def field_pattern(separator: str, quote: str | None) -> str:
    """A pattern of one well-formed field. A carriage return stands in quotes only: polars drops others unasked."""
    s = re.escape(separator)
    if quote is None:
        return rf"[^{s}\r\n]*"
    q = re.escape(quote)
    return rf"(?:[^{q}{s}\r\n]*|{q}(?:[^{q}]|{q}{q})*{q})"


def _sample(text: TextFile, skip_lines: int) -> tuple[list[str], int]:
    """The first lines from the header on, without their ends, and the number of physical lines above them."""
    with text.path.open("rb") as file:
        skipped = sum(1 for _ in islice(file, skip_lines))
        first = file.readline()
        while first and not first.strip(b" \t\r\n"):
            skipped += 1
            first = file.readline()
        rest = file.read(_SAMPLE_BYTES)
        is_cut = bool(file.read(1))
    if not first:
        raise SourceIncompleteError(
            f"{text.export.name}: has no line after the first {skipped:,}: see why the export is empty"
        )
    lines = rest.decode(errors="ignore").split("\n")
    if is_cut or not lines[-1]:
        lines.pop()
    return [
        line.removesuffix("\r") for line in (first.decode().removesuffix("\n"), *lines)
    ], skipped


def _check_line_ends(name: str, line: str, quote: str | None, number: int) -> None:
    bare = (
        line
        if quote is None
        else re.sub(f"{re.escape(quote)}[^{quote}]*{re.escape(quote)}", "", line)
    )
    if "\r" in bare:
        raise SourceFormatError(
            f"{name}: line {number} has bare carriage returns in it: "
            "save the file with line feeds (LF or CRLF)"
        )


def _separator_of(name: str, lines: list[str], quote: str | None) -> str:
    viable = [one for one in _CANDIDATES if one != quote and _fits(lines, one, quote)]
    if len(viable) > 1:
        spelled = " and ".join("tab" if one == "\t" else one for one in viable)
        raise SourceFormatError(
            f"{name}: reads two ways, with {spelled} between fields: state separator:"
        )
    return viable[0] if viable else ","


def _fits(lines: list[str], separator: str, quote: str | None) -> bool:
    widths = [len(record) for record in _records(lines, separator, quote)]
    if not widths or widths[0] < 2:  # noqa: PLR2004 - a separator parts two fields
        return False
    return widths.count(widths[0]) >= _NEARLY_ALL * len(widths)


def _records(lines: list[str], separator: str, quote: str | None) -> Iterator[list[str]]:
    """The sample's records, leniently: what is wrong with one is said when the whole file is checked."""
    ended = (line + "\n" for line in lines)
    if quote is None:
        reader = csv.reader(ended, delimiter=separator, quoting=csv.QUOTE_NONE)
    else:
        reader = csv.reader(ended, delimiter=separator, quotechar=quote)
    try:
        yield from islice((record for record in reader if record), _SAMPLE_RECORDS + 1)
    except csv.Error:
        return


def _header_columns(
    name: str, line: str, separator: str, quote: str | None, number: int
) -> tuple[str, ...]:
    if not re.fullmatch(record_pattern(separator, quote), line):
        raise SourceFormatError(
            f"{name}: the header, line {number}, has a stray or unclosed quote: see skip_lines and quote"
        )
    columns = next(_records([line], separator, quote), [])
    seen: set[str] = set()
    for position, column in enumerate(columns, 1):
        problem = _name_problem(column, seen)
        if problem:
            raise SourceFormatError(
                f"{name}: the header, line {number}: the name of column {position} {problem}"
            )
        seen.add(column)
    return tuple(columns)


def _name_problem(column: str, seen: set[str]) -> str | None:
    if not column.strip():
        return "is blank: name every column, or state header: false"
    if column in seen:
        return "is there twice: rename one"
    if _CONTROL.search(column):
        return "has a control character in it: rename it"
    if column == ROW:
        return f"is {ROW!r}, which is taken: rename it"
    return None
