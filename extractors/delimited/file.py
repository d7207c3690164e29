"""One delimited file: read whole into a raw table, or looked at from its first lines."""

import logging
import os
from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from extractors.delimited.dialect import Dialect, quote_of, to_dialect
from extractors.delimited.rows import row_batches, to_rows
from extractors.delimited.structure import LineReject, Structure, to_structure
from extractors.exports.completeness import trailer_count
from extractors.exports.export import Export, private_folder
from extractors.exports.find import check_unchanged
from extractors.exports.text import TextFile, to_text_file
from schemas.errors import SourceFormatError
from schemas.raw import RawTable
from schemas.source_file.csv_source import CsvOptions
from schemas.tables import REJECTS, UNREADABLE_LINE

# A delimited file whose every line was looked at: its text, dialect, lines and trailer.

_TAIL = 1 << 16


@dataclass(frozen=True, slots=True)
class Layout:
    """A file whose every line was looked at.

    Attributes:
        text: the file as UTF-8.
        dialect: how it is written.
        structure: what its lines are.
        trailer_count: the rows its trailer states; None where none was asked for.
    """

    text: TextFile
    dialect: Dialect
    structure: Structure
    trailer_count: int | None


def layout_of(export: Export, options: CsvOptions, folder: Path) -> Layout:
    """The layout of the file; what is made of it lies in `folder`.

    Raises:
        SourceUnavailableError: it cannot be fetched.
        SourceIncompleteError: empty, cut off, or without its trailer.
        SourceFormatError: no text, no usable header, or a file that reads two ways.
    """
    text = to_text_file(export, options.encoding, quote_of(options), folder)
    dialect = to_dialect(text, options)
    stated, trailer_line = None, None
    if options.complete and options.complete.trailer:
        last_line, below = _last_line(text.path)
        stated = trailer_count(export, last_line, options.complete.trailer)
        trailer_line = text.facts.count - below
    return Layout(text, dialect, to_structure(text, dialect, trailer_line), stated)


def _last_line(path: Path) -> tuple[str, int]:
    """The last line that is not blank, at most 64 KiB of it, and how many lines are below it."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        tail = file.read()
    above = tail.rstrip(b" \t\r\n")
    below = tail[len(above) :].split(b"\n")
    line = above.rsplit(b"\n", 1)[-1] + below[0].removesuffix(b"\r")
    has_end = len(below) > 1 and not below[-1]
    return line.decode(errors="replace"), len(below) - 1 - has_end


_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FileProbe:
    """What one file looks like.

    Attributes:
        table: the table it holds.
        path: as the source file writes it, relative to the workspace.
        size_bytes: its size on disk.
        modified_at: when it was last written, UTC.
        encoding: the encoding it is in.
        separator: the character between fields.
        columns: the header's names, as written.
    """

    table: str
    path: str
    size_bytes: int
    modified_at: datetime
    encoding: str
    separator: str
    columns: tuple[str, ...]

    @property
    def said(self) -> str:
        """The same for a person."""
        return (
            f"{self.size_bytes} bytes, {self.encoding}, separator {self.separator!r}, "
            f"{len(self.columns)} columns"
        )


@dataclass(frozen=True, slots=True)
class FileEnd:
    """What is known of a file once it was read to its end.

    Attributes:
        read_count: its rows, with those that could not be split.
        trailer_count: the rows its trailer states; None where none was asked for.
    """

    read_count: int
    trailer_count: int | None


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file that was read whole.

    Attributes:
        table: its rows and rejects.
        end: what its end showed.
        warnings: what a person should know about the read.
    """

    table: RawTable
    end: FileEnd
    warnings: tuple[str, ...]


def read_csv_file(export: Export, options: CsvOptions, *, id_column: str | None = None) -> FileRead:
    """The file's rows and the lines that are none, from a file that did not change meanwhile.

    A reject's `key` is the text of its `id_column` where its fields can be told apart and it has
    that many; the empty string for the header line again; else null.

    Raises:
        SourceUnavailableError: it vanished or cannot be opened.
        SourceIncompleteError: empty, cut off, or changed while it was read.
        SourceFormatError: no text, no usable header, or a file that reads two ways.
    """
    with private_folder(export) as folder:
        problem = None
        try:
            read = _read(export, options, id_column, folder)
        except SourceFormatError as error:
            problem = error
        # First of all: a file that is being written seems to be wrong in many ways.
        check_unchanged(export)
        if problem is not None:
            raise problem
    table = read.table
    _log.debug("%s: %d rows, %d rejected", export.name, table.read_count, table.rejects.height)
    return read


def _read(export: Export, options: CsvOptions, id_column: str | None, folder: Path) -> FileRead:
    found = layout_of(export, options, folder)
    rows = to_rows(found.text, found.dialect, found.structure, folder)
    rejects = to_line_rejects(export, found.dialect, found.structure.rejects, id_column)
    table = RawTable(export.table, rows, rejects, rows.height + rejects.height, export.name)
    warning = found.text.warning
    end = FileEnd(table.read_count, found.trailer_count)
    return FileRead(table, end, (warning,) if warning else ())


def probe_csv_file(export: Export, options: CsvOptions) -> FileProbe:
    """What the file looks like from its first lines.

    Raises:
        SourceUnavailableError: it vanished or cannot be opened.
        SourceIncompleteError: empty, or a cut archive.
        SourceFormatError: no text in a known encoding, or no usable header.
    """
    with private_folder(export) as folder:
        text = to_text_file(export, options.encoding, quote_of(options), folder)
        dialect = to_dialect(text, options)
    return FileProbe(
        export.table,
        export.name,
        export.size_bytes,
        export.modified_at,
        text.encoding,
        dialect.separator,
        dialect.columns,
    )


def to_line_rejects(
    export: Export, dialect: Dialect, rejected: list[LineReject], id_column: str | None
) -> pl.DataFrame:
    """`REJECTS` for the lines that are no rows."""
    position = dialect.columns.index(id_column) if id_column in dialect.columns else None
    found = {
        "table": [export.table] * len(rejected),
        "file": [export.name] * len(rejected),
        "row": [one.line for one in rejected],
        "key": [_key(one.fields, position) for one in rejected],
        "column": [None] * len(rejected),
        "code": [UNREADABLE_LINE] * len(rejected),
        "reason": [one.reason for one in rejected],
        "value": [one.text for one in rejected],
    }
    return pl.DataFrame(found, schema=REJECTS)


def _key(fields: tuple[str, ...] | None, position: int | None) -> str | None:
    if fields == ():
        return ""
    if fields is None or position is None or position >= len(fields):
        return None
    return fields[position] or None


# One delimited file, some rows at a time: what a log of any length is read with.


def read_csv_batches(export: Export, options: CsvOptions) -> Generator[RawTable, None, FileEnd]:
    """The file's rows in order, in tables; the first holds the lines that are no rows.

    Raises:
        SourceUnavailableError: it vanished or cannot be opened.
        SourceIncompleteError: empty, cut off, or changed while it was read.
        SourceFormatError: no text, no usable header, or a file that reads two ways.
    """
    with private_folder(export) as folder:
        problem = None
        try:
            end = yield from _batches(export, options, folder)
        except SourceFormatError as error:
            problem = error
        # First of all: a file that is being written seems to be wrong in many ways.
        check_unchanged(export)
        if problem is not None:
            raise problem
    return end


def _batches(
    export: Export, options: CsvOptions, folder: Path
) -> Generator[RawTable, None, FileEnd]:
    layout = layout_of(export, options, folder)
    rejects = to_line_rejects(export, layout.dialect, layout.structure.rejects, None)
    read_count = rejects.height
    no_rejects = pl.DataFrame(schema=REJECTS)
    for rows in row_batches(layout.text, layout.dialect, layout.structure, folder):
        count = rows.height + rejects.height
        yield RawTable(export.table, rows, rejects, count, export.name)
        read_count += rows.height
        rejects = no_rejects
    return FileEnd(read_count, layout.trailer_count)
