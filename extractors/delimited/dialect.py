"""How one delimited file is written: its separator, its columns, and where its rows begin."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from extractors.exports.text import TextFile
from schemas.errors import ConfigError, SourceFormatError, SourceIncompleteError
from schemas.source_file.kinds.csv_source import CsvOptions
from schemas.tables import ROW

_CANDIDATES = (",", ";", "\t", "|")
_START_BYTES = 1 << 12
_SAMPLE_BYTES = 1 << 18
_SAMPLE_RECORDS = 200
_NEARLY_ALL = 0.9
_NULL = "\\N"
_PAGES = ("<!doctype", "<html", "<?xml")
_MANY = re.compile(r"\*|\^.*\$")
"""Names that polars takes for all columns, or for a pattern of them."""
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
        cuts_rows: whether what a row has beyond the columns is passed over.
    """

    separator: str
    quote: str | None
    columns: tuple[str, ...]
    header: str | None
    skipped_lines: int
    cuts_rows: bool = False


@dataclass(frozen=True, slots=True)
class _Sample:
    """The first lines from the header on, without their ends, and the number of the first."""

    name: str
    lines: list[str]
    number: int
    quote: str | None


def to_dialect(text: TextFile, options: CsvOptions) -> Dialect:
    """Returns the dialect of the file, from its first lines and what the source file states.

    Raises:
        ConfigError: the separator is also the quote.
        SourceIncompleteError: no line where the header should be.
        SourceFormatError: a web page, bare carriage returns, two separators that fit, a bad header.
    """
    name, quote = text.export.name, quote_of(options)
    if _begins_as_page(text):
        raise SourceFormatError(f"{name}: is a web page or XML, not delimited text: see the export")
    sample = _sample(text, quote, options.skip_lines)
    if "\r" in quoted_parts(quote).sub("", sample.lines[0]):
        raise SourceFormatError(
            f"{name}: line {sample.number} has bare carriage returns in it: "
            "save the file with line feeds (LF or CRLF)"
        )
    separator = options.separator
    if separator == "auto":
        separator = _separator_of(sample)
    if separator == quote:
        raise ConfigError(f"{name}: separator and quote are the same character: change one")
    if options.escape == "none" and _NULL not in options.blank:
        _check_no_null(sample, separator)
    if options.header:
        columns = _header_columns(sample, separator)
        return Dialect(separator, quote, columns, sample.lines[0], sample.number)
    width = len(_first_record(sample, separator))
    columns = tuple(f"column_{position}" for position in range(1, width + 1))
    return Dialect(separator, quote, columns, None, sample.number - 1)


def _check_no_null(sample: _Sample, separator: str) -> None:
    """Raises where cells are what MySQL and PostgreSQL write for null: no name is called so."""
    field = rf"(?:^|{re.escape(separator)})\\N(?:$|{re.escape(separator)})"
    for number, line in enumerate(sample.lines[:_SAMPLE_RECORDS], sample.number):
        if re.search(field, line):
            raise SourceFormatError(
                rf"{sample.name}: line {number} has a cell \N, as databases write nothing: say "
                r"escape: \ where a backslash escapes, else blank: ['\N']"
            )


def quote_of(options: CsvOptions) -> str | None:
    """Returns the quoting character; None where nothing is quoted."""
    return None if options.quote == "none" else options.quote


def _begins_as_page(text: TextFile) -> bool:
    with text.path.open("rb") as file:
        start = file.read(_START_BYTES).decode(errors="ignore")
    return start.lstrip().lower().startswith(_PAGES)


def _sample(text: TextFile, quote: str | None, skip_lines: int) -> _Sample:
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
            f"{text.export.name}: has no line after the first {skipped:,}: "
            "see why the export is empty"
        )
    lines = rest.decode(errors="ignore").split("\n")
    if is_cut or not lines[-1]:
        lines.pop()
    lines.insert(0, first.decode().removesuffix("\n"))
    lines = [line.removesuffix("\r") for line in lines]
    return _Sample(text.export.name, lines, skipped + 1, quote)


def _separator_of(sample: _Sample) -> str:
    """Returns the one that fits the sample; else the only one that parts the header; a comma."""
    candidates = [sign for sign in _CANDIDATES if sign != sample.quote]
    parting = [sign for sign in candidates if _parts(sample, sign)]
    viable = [sign for sign in parting if _fits(sample, sign)]
    if len(viable) > 1:
        spelled = " and ".join("tab" if sign == "\t" else sign for sign in viable)
        raise SourceFormatError(
            f"{sample.name}: reads two ways, with {spelled} between fields: state separator:"
        )
    likely = viable or parting
    return likely[0] if len(likely) == 1 else ","


def _parts(sample: _Sample, separator: str) -> bool:
    first = next(_records(sample.lines, separator, sample.quote), [])
    return len(first) > 1


def _fits(sample: _Sample, separator: str) -> bool:
    widths = [len(record) for record in _records(sample.lines, separator, sample.quote)]
    return widths.count(widths[0]) >= _NEARLY_ALL * len(widths)


def _records(lines: list[str], separator: str, quote: str | None) -> Iterator[list[str]]:
    """Yields the records, leniently: the check of all lines says what is wrong with one."""
    ended = (line + "\n" for line in lines)
    if quote is None:
        reader = csv.reader(ended, delimiter=separator, quoting=csv.QUOTE_NONE)
    else:
        reader = csv.reader(ended, delimiter=separator, quotechar=quote)
    try:
        yield from islice((record for record in reader if record), _SAMPLE_RECORDS + 1)
    except csv.Error:
        return


def _first_record(sample: _Sample, separator: str) -> list[str]:
    record = next(_records(sample.lines, separator, sample.quote), None)
    if record is None:
        raise SourceFormatError(
            f"{sample.name}: line {sample.number} cannot be split into fields: see skip_lines"
        )
    return record


def _header_columns(sample: _Sample, separator: str) -> tuple[str, ...]:
    where = f"{sample.name}: the header, line {sample.number}"
    if not re.fullmatch(record_pattern(separator, sample.quote), sample.lines[0]):
        raise SourceFormatError(f"{where}, has a stray or unclosed quote: see skip_lines and quote")
    columns = _first_record(sample, separator)
    check_names(columns, where)
    return tuple(columns)


def check_names(columns: Sequence[str], where: str) -> None:
    """Raises unless these may be the names of columns; `where` they stand, for the message.

    Raises:
        SourceFormatError: one is blank, is there twice, or cannot be a name.
    """
    seen: set[str] = set()
    for position, column in enumerate(columns, 1):
        problem = _name_problem(column, seen)
        if problem:
            raise SourceFormatError(f"{where}: the name of column {position} {problem}")
        seen.add(column)


def _name_problem(column: str, seen: set[str]) -> str | None:
    if not column.strip():
        return "is blank: name every column, or state header: false"
    if column in seen:
        return "is there twice: rename one"
    if _CONTROL.search(column):
        return "has a control character in it: rename it"
    if column == ROW or _MANY.fullmatch(column):
        return f"is {column!r}, which means something else here: rename it"
    return None


def record_pattern(separator: str, quote: str | None, field_count: int | None = None) -> str:
    """Returns a pattern of one well-formed record, of that many fields or of any number.

    Like the patterns below, it is for Rust's engine and for Python's alike.
    """
    more = "*" if field_count is None else f"{{{field_count - 1}}}"
    field = field_pattern(separator, quote)
    return f"^{field}(?:{re.escape(separator)}{field}){more}$"


def field_pattern(separator: str, quote: str | None) -> str:
    """A pattern of one well-formed field, quotes included.

    A carriage return stands in quotes only: polars drops one outside of them, unasked.
    """
    s = re.escape(separator)
    if quote is None:
        return rf"[^{s}\r\n]*"
    q = re.escape(quote)
    return rf"(?:[^{q}{s}\r\n]*|{q}{_inside(q)}{q})"


def lenient_pattern(separator: str, quote: str) -> str:
    """A pattern of one record on one line in which unquoted fields may hold quotes."""
    s, q = re.escape(separator), re.escape(quote)
    odd = rf"[^{q}{s}\r\n]+{q}[^{s}\r\n]*"
    field = f"(?:{odd}|{field_pattern(separator, quote)})"
    return f"{field}(?:{s}{field})*"


def opening_pattern(separator: str, quote: str) -> str:
    """A pattern of the first line of a record that goes on: well-formed, its last quote open."""
    s, q = re.escape(separator), re.escape(quote)
    return f"(?:{field_pattern(separator, quote)}{s})*{q}{_inside(q)}"


def _inside(q: str) -> str:
    """What stands between quotes; no text matches it in two ways, which would be slow."""
    return f"[^{q}]*(?:{q}{q}[^{q}]*)*"


def quoted_parts(quote: str | None) -> re.Pattern[str]:
    """A pattern of everything between quotes in a well-formed record; of nothing where none are."""
    if quote is None:
        return re.compile("(?!)")
    q = re.escape(quote)
    return re.compile(f"{q}[^{q}]*{q}")
