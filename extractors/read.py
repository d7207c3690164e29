"""The one way into the extractors: a source's rows, whole or an error, by its kind."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import assert_never

from extractors.csv_file import FileProbe
from extractors.csv_source import probe_csv_source, read_csv_source
from schemas.raw import Raw
from schemas.source_kinds import CsvSource

_NO_IDS: Mapping[str, str] = {}


def read_source(
    source: CsvSource,
    workspace: Path,
    *,
    now: datetime,
    sleep: Callable[[float], None] = time.sleep,
    id_columns: Mapping[str, str] = _NO_IDS,
) -> Raw:
    """Everything the source holds, with the proof that it is everything.

    `id_columns` names the column of the id, by table; a line with too few or too many fields is
    then rejected with the id it seems to carry, so that its record is known and kept.

    Raises:
        ConfigError: a path out of the workspace, a directory, a separator that is also the quote.
        SourceUnavailableError: no such file, no match, no permission, or it never came to rest.
        SourceIncompleteError: too old, empty, cut off, changed while it was read, or not the number
            of rows promised.
        SourceFormatError: no text in a known encoding, no usable header, or it reads two ways.
    """
    match source:
        case CsvSource():
            return read_csv_source(source, workspace, now=now, sleep=sleep, id_columns=id_columns)
        case _:
            assert_never(source)


def probe_source(source: CsvSource, workspace: Path, *, now: datetime) -> tuple[FileProbe, ...]:
    """What each file of the source looks like from its first lines, in the order of the tables.

    Nothing is waited for and no row is checked. A compressed file is unpacked whole all the same.

    Raises:
        ConfigError: as `read_source`.
        SourceUnavailableError: no such file, no match, no permission.
        SourceIncompleteError: too old, without its marker, empty, or a cut archive.
        SourceFormatError: not text in a known encoding, or no usable header.
    """
    match source:
        case CsvSource():
            return probe_csv_source(source, workspace, now=now)
        case _:
            assert_never(source)
