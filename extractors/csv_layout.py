"""A delimited file whose every line was looked at: its text, dialect, lines and trailer."""

import os
from dataclasses import dataclass
from pathlib import Path

from extractors.completeness import trailer_count
from extractors.csv_dialect import Dialect, quote_of, to_dialect
from extractors.csv_lines import to_structure
from extractors.csv_records import Structure
from extractors.exports import Export
from extractors.text_file import TextFile, to_text_file
from schemas.source_kinds import CsvOptions

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
