"""A source of delimited files: every table found, waited for, read whole, and counted."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from extractors.completeness import (
    check_age,
    check_count,
    check_manifest,
    check_marker,
    companions_of,
    wait_until_stable,
)
from extractors.csv_file import FileProbe, FileRead, probe_csv_file, read_csv_file
from extractors.drop_zone import Export, find_export
from schemas.quantities import duration_text
from schemas.raw import Raw, RawTable
from schemas.source_kinds import Completeness, CsvSource

_NOTHING_ASKED = Completeness.model_construct()


def read_csv_source(
    source: CsvSource,
    workspace: Path,
    *,
    now: datetime,
    id_columns: Mapping[str, str],
    sleep: Callable[[float], None] = time.sleep,
) -> Raw:
    """The tables of the source and what proves each whole; `id_columns` names the id's column.

    Raises:
        ConfigError: a path that leads out of the workspace, or a directory.
        SourceUnavailableError: a file that is not there, cannot be opened, or never came to rest.
        SourceIncompleteError: too old, empty, cut off, changed while it was read, or not the number
            of rows promised.
        SourceFormatError: a file that is not as agreed, or reads two ways.
    """
    tables: dict[str, RawTable] = {}
    proof: list[str] = []
    warnings: list[str] = []
    made_at: list[datetime] = []
    for export in _exports(source, workspace):
        rested = _finished(export, source, workspace, now=now, sleep=sleep)
        read = read_csv_file(rested, source, id_column=id_columns.get(export.table))
        proof.append(_proof(rested, read, source.complete or _NOTHING_ASKED, workspace))
        warnings += read.warnings
        made_at.append(rested.modified_at)
        tables[export.table] = read.table
    return Raw(
        accounts=tables["accounts"],
        entitlements=tables.get("entitlements"),
        resources=tables.get("resources"),
        associations=tables.get("associations"),
        taken_at=min(made_at),
        proof=tuple(proof),
        warnings=tuple(warnings),
    )


def probe_csv_source(source: CsvSource, workspace: Path, *, now: datetime) -> tuple[FileProbe, ...]:
    """What each file looks like, in the order of the tables; nothing is waited for.

    Raises:
        ConfigError: a path that leads out of the workspace, or a directory.
        SourceUnavailableError: a file that is not there or cannot be opened.
        SourceIncompleteError: too old, without its marker, or empty.
        SourceFormatError: no text in a known encoding, or no usable header.
    """
    probes = []
    for export in _exports(source, workspace):
        check_age(export, source.max_age, now)
        if source.complete and source.complete.marker:
            check_marker(export, source.complete.marker, workspace)
        probes.append(probe_csv_file(export, source))
    return tuple(probes)


def _exports(source: CsvSource, workspace: Path) -> list[Export]:
    patterns = {
        "accounts": source.accounts,
        "entitlements": source.entitlements,
        "resources": source.resources,
        "associations": source.associations,
    }
    companions = companions_of(source.complete)
    return [
        find_export(table, pattern, workspace, companions)
        for table, pattern in patterns.items()
        if pattern is not None
    ]


def _finished(
    export: Export,
    source: CsvSource,
    workspace: Path,
    *,
    now: datetime,
    sleep: Callable[[float], None],
) -> Export:
    """The export as it stands when all that can be known without reading it speaks for it."""
    complete = source.complete or _NOTHING_ASKED
    if complete.stable_for:
        export = wait_until_stable(export, complete.stable_for, now=now, sleep=sleep)
    check_age(export, source.max_age, now)
    if complete.marker:
        check_marker(export, complete.marker, workspace)
    return export


def _proof(export: Export, read: FileRead, complete: Completeness, workspace: Path) -> str:
    """The sentence that says what shows the file to be whole, once the counts agree."""
    count = read.table.read_count
    said = [f"{export.name}: {count:,} rows, {export.size_bytes:,} bytes, unchanged while read"]
    if complete.marker:
        said.append("marker found")
    if complete.stable_for:
        said.append(f"at rest for {duration_text(complete.stable_for)}")
    if read.trailer_count is not None:
        check_count(export, "its trailer", read.trailer_count, count)
        said.append(f"trailer says {read.trailer_count}")
    if complete.manifest:
        promised = check_manifest(export, complete.manifest, workspace, count)
        if promised is not None:
            said.append(f"manifest says {promised}")
    return "; ".join(said)
