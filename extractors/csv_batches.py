"""One delimited file, some rows at a time: what a log of any length is read with."""

from collections.abc import Generator
from pathlib import Path

import polars as pl

from extractors.csv_file import FileEnd, to_line_rejects
from extractors.csv_layout import layout_of
from extractors.csv_rows import row_batches
from extractors.drop_zone import check_unchanged
from extractors.exports import Export, private_folder
from schemas.errors import SourceFormatError
from schemas.raw import RawTable
from schemas.source_kinds import CsvOptions
from schemas.tables import REJECTS


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
