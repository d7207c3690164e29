"""One delimited file: read whole into a raw table, or looked at from its first lines."""

import logging
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from extractors.delimited.dialect import Dialect, quote_of, to_dialect
from extractors.delimited.rewritten import Rewritten, to_rewritten
from extractors.delimited.rows import row_batches, to_rows
from extractors.delimited.spreadsheet import is_workbook, read_workbook
from extractors.delimited.structure import LineReject, Structure, to_structure
from extractors.exports.completeness import trailer_count
from extractors.exports.dates import named_day
from extractors.exports.export import Export, private_folder
from extractors.exports.find import check_unchanged
from extractors.exports.order import (
    check_line_end,
    has_line_end,
    is_ascii,
    sha256_of,
    with_earlier,
    written_again,
)
from extractors.exports.text import TextFile, check_lines, to_text_file
from schemas.errors import SourceFormatError
from schemas.export_file import ReadExport
from schemas.headers import AmbiguousColumnError, column_named
from schemas.raw import Probe, RawTable
from schemas.source_file.kinds.csv_source import ActivitySource, CsvOptions
from schemas.tables import ONE_FIELD, REJECTS, ROW, UNREADABLE_LINE

_TAIL = 1 << 16

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FileEnd:
    """What is known of a file once it was read to its end.

    Attributes:
        read_count: its rows, with those that could not be split.
        trailer_count: the rows its trailer states; None where the source file names no trailer.
        line_count: its physical lines.
    """

    read_count: int
    trailer_count: int | None
    line_count: int


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file that was read whole.

    Attributes:
        table: its rows and rejects.
        end: what its end showed.
        warnings: what a person should know about the read.
        remembered: what the next read is judged by.
    """

    table: RawTable
    end: FileEnd
    warnings: tuple[str, ...]
    remembered: ReadExport


@dataclass(frozen=True, slots=True)
class Layout:
    """A file whose every line was looked at.

    Attributes:
        text: the file as UTF-8.
        rewritten: the same in a dialect that polars reads.
        dialect: how it is written.
        structure: what its lines are.
        trailer_count: the rows its trailer states; None where the source file names no trailer.
    """

    text: TextFile
    rewritten: Rewritten
    dialect: Dialect
    structure: Structure
    trailer_count: int | None


def read_csv_file(
    export: Export,
    options: CsvOptions,
    *,
    id_column: str | None = None,
    last: ReadExport | None = None,
) -> FileRead:
    """Returns the file's rows and the lines that are none; it did not change meanwhile.

    `last` is the export that was accepted last: its end and its encoding show a damaged one.

    A reject's `key` is the text of its `id_column` where its fields can be told apart and it has
    that many; the empty string for the header line again; else null.

    Raises:
        SourceUnavailableError: it vanished or cannot be opened.
        SourceIncompleteError: empty, cut off, or changed while it was read.
        SourceFormatError: no text, no usable header, or a file that reads two ways.
    """
    with private_folder(export) as folder, unchanged(export):
        read = _read(export, options, id_column, last, folder)
    table = read.table
    _log.debug("%s: %d rows, %d rejected", export.name, table.read_count, table.rejects.height)
    return read


def probe_csv_file(export: Export, options: CsvOptions) -> Probe:
    """Returns what the file looks like from its first lines.

    Raises:
        SourceUnavailableError: it vanished or cannot be opened.
        SourceIncompleteError: empty, or a cut archive.
        SourceFormatError: no text in a known encoding, or no usable header.
    """
    with private_folder(export) as folder:
        if is_workbook(export):
            return _probe_sheet(export, options, folder)
        text = to_text_file(export, options.encoding, quote_of(options), folder)
        return probe_csv_text(text, options, folder)


def probe_csv_text(
    text: TextFile, options: CsvOptions, folder: Path, names: tuple[str, ...] = ()
) -> Probe:
    """Returns what a file looks like; `names` are those of the columns of one without a header.

    Raises:
        SourceFormatError: it has no usable header.
    """
    export = text.export
    made = to_rewritten(text, options, folder)
    dialect = named(to_dialect(made.text, with_separator(options, made)), names)
    separator = made.as_written(dialect.separator)
    look = (
        f"{export.size_bytes} bytes, {text.encoding}, separator {separator!r}, "
        f"{len(dialect.columns)} columns"
    )
    return Probe(export.table, export.name, look, dialect.columns)


def named(dialect: Dialect, names: tuple[str, ...]) -> Dialect:
    """Returns the dialect with the first of its columns under these names."""
    return replace(
        dialect, columns=(*names, *dialect.columns[len(names) :])[: len(dialect.columns)]
    )


def _probe_sheet(export: Export, options: CsvOptions, folder: Path) -> Probe:
    table, _, notes = read_workbook(export.zone.fetch(export.file, folder), export, options)
    columns = tuple(column for column in table.rows.columns if column != ROW)
    look = f"{export.size_bytes} bytes, {len(columns)} columns, {table.read_count} rows"
    return Probe(export.table, export.name, "; ".join((look, *notes)), columns)


@contextmanager
def unchanged(export: Export) -> Iterator[None]:
    """Raises where the file changes while it is read.

    Before any error of the file's form: a file that is being written seems to be wrong in many
    ways.
    """
    try:
        yield
    except SourceFormatError:
        check_unchanged(export)
        raise
    check_unchanged(export)


def _read(
    export: Export,
    options: CsvOptions,
    id_column: str | None,
    last: ReadExport | None,
    folder: Path,
) -> FileRead:
    if is_workbook(export):
        return _read_sheet(export, options, last, folder)
    layout = layout_of(export, options, folder)
    remembered = _remembered(layout.text)
    if layout.trailer_count is None:
        check_line_end(export, last, remembered)
    if layout.text.warning and last is not None and last.encoding == "utf-8":
        check_lines(export, layout.text.unpacked)
    made = layout.rewritten
    rows = to_rows(made.text, layout.dialect, layout.structure, folder)
    if made.is_changed:
        rows = made.restored(rows)
    rejects = to_line_rejects(export, layout, id_column)
    table = RawTable(export.table, rows, rejects, rows.height + rejects.height, export.name)
    warning = layout.text.warning
    end = FileEnd(table.read_count, layout.trailer_count, layout.structure.line_count)
    warnings = (*((warning,) if warning else ()), *written_again(remembered, last))
    return FileRead(table, end, warnings, with_earlier(remembered, last))


def _read_sheet(
    export: Export, options: CsvOptions, last: ReadExport | None, folder: Path
) -> FileRead:
    path = export.zone.fetch(export.file, folder)
    table, last_row, notes = read_workbook(path, export, options)
    remembered = _bytes_of(export, path)
    end = FileEnd(table.read_count, None, last_row)
    warnings = (*notes, *written_again(remembered, last))
    return FileRead(table, end, warnings, with_earlier(remembered, last))


def _remembered(text: TextFile) -> ReadExport:
    is_plain = text.encoding == "utf-8" and is_ascii(text.path)
    return replace(
        _bytes_of(text.export, text.original),
        encoding="ascii" if is_plain else text.encoding,
        has_line_end=has_line_end(text.path),
    )


def _bytes_of(export: Export, original: Path) -> ReadExport:
    return ReadExport(
        table=export.table,
        name=export.name,
        named_day=named_day(export.file),
        size_bytes=export.size_bytes,
        modified_ns=export.modified_ns,
        sha256=sha256_of(original),
    )


def csv_batches(
    text: TextFile, options: CsvOptions, folder: Path, names: tuple[str, ...] = ()
) -> Generator[RawTable, None, FileEnd]:
    """Yields the file's rows in order, in tables; the first holds the lines that are no rows.

    `names` are those of the columns of a file without a header.

    Raises:
        SourceIncompleteError: without its trailer.
        SourceFormatError: no usable header, or a file that reads two ways.
    """
    export, layout = text.export, layout_of_text(text, options, folder, names)
    rejects, made = to_line_rejects(export, layout, None), layout.rewritten
    read_count = rejects.height
    no_rejects = pl.DataFrame(schema=REJECTS)
    written_at = export.modified_at if export.file.is_dated else None
    for rows in row_batches(made.text, layout.dialect, layout.structure, folder):
        count = rows.height + rejects.height
        own = made.restored(rows) if made.is_changed else rows
        yield RawTable(export.table, own, rejects, count, export.name, written_at=written_at)
        read_count += rows.height
        rejects = no_rejects
    return FileEnd(read_count, layout.trailer_count, layout.structure.line_count)


def layout_of(export: Export, options: CsvOptions, folder: Path) -> Layout:
    """Looks at every line of the file; what is made of it lies in `folder`.

    Raises:
        SourceUnavailableError: it cannot be fetched.
        SourceIncompleteError: empty, cut off, or without its trailer.
        SourceFormatError: no text, no usable header, or a file that reads two ways.
    """
    text = to_text_file(export, options.encoding, quote_of(options), folder)
    return layout_of_text(text, options, folder)


def layout_of_text(
    text: TextFile, options: CsvOptions, folder: Path, names: tuple[str, ...] = ()
) -> Layout:
    """Looks at every line of the file; what is made of it lies in `folder`.

    Raises:
        SourceIncompleteError: without its trailer.
        SourceFormatError: no usable header, or a file that reads two ways.
    """
    export = text.export
    made = to_rewritten(text, options, folder)
    dialect = named(to_dialect(made.text, with_separator(options, made)), names)
    if isinstance(options, ActivitySource):
        dialect = replace(dialect, cuts_rows=options.wide_rows == "cut")
    stated, trailer_line = None, None
    if options.complete and options.complete.trailer:
        last_line, below = _last_line(text.path)
        stated = trailer_count(export, last_line, options.complete.trailer)
        trailer_line = text.facts.count - below
    structure = to_structure(made.text, dialect, trailer_line)
    return Layout(text, made, dialect, structure, stated)


def with_separator(options: CsvOptions, made: Rewritten) -> CsvOptions:
    """Returns the options with the separator that stands in the rewritten file."""
    if made.separator is None:
        return options
    return options.model_copy(update={"separator": made.separator})


def _last_line(path: Path) -> tuple[str, int]:
    """Returns the last line that is not blank, at most 64 KiB, and how many lines are below it."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        tail = file.read()
    above = tail.rstrip(b" \t\r\n")
    below = tail[len(above) :].split(b"\n")
    line = above.rsplit(b"\n", 1)[-1] + below[0].removesuffix(b"\r")
    has_end = len(below) > 1 and not below[-1]
    return line.decode(errors="replace"), len(below) - 1 - has_end


def to_line_rejects(export: Export, layout: Layout, id_column: str | None) -> pl.DataFrame:
    """Returns `REJECTS` for the lines that are no rows."""
    dialect, made = layout.dialect, layout.rewritten
    rejected = [_as_written(reject, made) for reject in layout.structure.rejects]
    position = _position_of(id_column, dialect.columns)
    columns = {
        "table": [export.table] * len(rejected),
        "file": [export.name] * len(rejected),
        "row": [reject.line for reject in rejected],
        "key": [_key(reject.fields, position) for reject in rejected],
        "column": [None] * len(rejected),
        "code": [_code(reject.fields, len(dialect.columns)) for reject in rejected],
        "reason": [reject.reason for reject in rejected],
        "value": [reject.text for reject in rejected],
        "is_cell": [False] * len(rejected),
        "name": [None] * len(rejected),
    }
    return pl.DataFrame(columns, schema=REJECTS)


def _as_written(reject: LineReject, made: Rewritten) -> LineReject:
    if not made.written:
        return reject
    fields = reject.fields and tuple(made.as_written(one) for one in reject.fields)
    return replace(reject, text=made.as_written(reject.text), fields=fields)


def _position_of(column: str | None, columns: tuple[str, ...]) -> int | None:
    """Returns where the column is; None where it is not, or is there in two spellings."""
    try:
        name = column_named(column or "", columns)
    except AmbiguousColumnError:
        return None
    return None if name is None else columns.index(name)


def _code(fields: tuple[str, ...] | None, width: int) -> str:
    is_one = fields is not None and len(fields) == 1 < width
    return ONE_FIELD if is_one else UNREADABLE_LINE


def _key(fields: tuple[str, ...] | None, position: int | None) -> str | None:
    if fields == ():
        return ""
    if fields is None or position is None or position >= len(fields):
        return None
    return fields[position] or None
