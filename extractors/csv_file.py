"""One delimited file: read whole into a raw table, or looked at from its first lines."""

import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from extractors.csv_dialect import Dialect, quote_of, to_dialect
from extractors.csv_layout import layout_of
from extractors.csv_records import LineReject
from extractors.csv_rows import to_rows
from extractors.drop_zone import check_unchanged
from extractors.exports import Export, private_folder
from extractors.text_file import to_text_file
from schemas.errors import SourceFormatError
from schemas.raw import RawTable
from schemas.source_kinds import CsvOptions
from schemas.tables import REJECTS

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
