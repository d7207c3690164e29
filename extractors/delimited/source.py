"""A source of delimited files: every table found, waited for, read whole, and counted."""

import time
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path

from extractors.delimited.file import FileEnd, FileRead, probe_csv_file, read_csv_file
from extractors.delimited.together import (
    check_no_part_is_gone,
    joined,
    joined_probe,
    parts_as_one,
    undated,
)
from extractors.exports.completeness import (
    check_age,
    check_count,
    check_manifest,
    check_marker,
    companions_of,
    wait_until_stable,
)
from extractors.exports.dates import end_of_day
from extractors.exports.export import Export
from extractors.exports.find import find_export, find_parts
from extractors.exports.order import WRITTEN_AGAIN, check_not_ahead, check_not_older
from extractors.zones.zones import DropZones
from schemas.export_file import ExportFile, ReadExport
from schemas.raw import LastRead, Probe, Raw, RawTable
from schemas.source_file.kinds.csv_source import JOINED, Completeness, CsvOptions, CsvSource
from schemas.source_file.quantities import duration_text
from schemas.source_file.secrets import Resolve, no_secrets

_NO_PROOF = Completeness.model_construct()
_NEVER_READ = LastRead()


def read_csv_source(  # noqa: PLR0913 - what a read is judged by
    source: CsvSource,
    workspace: Path,
    *,
    now: datetime,
    id_columns: Mapping[str, str],
    sleep: Callable[[float], None] = time.sleep,
    resolve: Resolve = no_secrets,
    last_read: LastRead = _NEVER_READ,
    as_of: date | None = None,
) -> Raw:
    """Reads the tables of the source, each with what proves it whole.

    None is older than the one that `last_read` remembers, or dated ahead of `now`.

    `id_columns` names the column of the id, by table.

    With `as_of` the exports are those of that day, whatever was read before, and their age is
    judged at its end.

    Raises:
        ConfigError: a path that leads out of its zone, a directory, or a secret not in its place.
        SourceUnavailableError: a file that is not there, cannot be opened or fetched, or never came
            to rest.
        SourceIncompleteError: too old, empty, cut off, changed while it was read, or not the number
            of rows promised.
        SourceStaleError: older than the last accepted one, or dated ahead of the clock.
        SourceFormatError: a file that is not as agreed, or reads two ways.
    """
    tables: dict[str, RawTable] = {}
    reads: list[FileRead] = []
    proof: list[str] = []
    files: list[ExportFile] = []
    notes: tuple[str, ...] = ()
    with DropZones(source, workspace, resolve) as zones:
        # All are found before one is read: exports that belong together are taken together.
        for table, exports in _exports(source, zones, as_of).items():
            last = [] if as_of else [one for one in last_read.exports if one.table == table]
            if source.parts == "all":
                check_no_part_is_gone([export.name for export in exports], last, table)
            parts = []
            for export in exports:
                before = _before(export, last)
                if as_of is None:
                    check_not_ahead(export, source, now)
                rested = finished(export, source, zones, now=now, sleep=sleep, as_of=as_of)
                check_not_older(rested, before, source, now)
                id_column = id_columns.get(export.table)
                parts.append(read_csv_file(rested, source, id_column=id_column, last=before))
                proof.append(proof_of(rested, parts[-1].end, source, zones))
                files.append(rested.file)
            tables[table] = parts[0].table
            if len(parts) > 1:
                lines = [part.end.line_count for part in parts]
                tables[table] = parts_as_one([part.table for part in parts], lines)
            reads += parts
    if source.join is not None:
        tables["accounts"], notes = joined(tables["accounts"], tables[JOINED], source.join)
    return Raw(
        accounts=tables["accounts"],
        entitlements=tables.get("entitlements"),
        resources=tables.get("resources"),
        associations=tables.get("associations"),
        taken_at=min(file.modified_at if file.is_dated else now for file in files),
        proof=tuple(proof),
        warnings=(*(warning for read in reads for warning in read.warnings), *notes),
        files=tuple(files),
        remembered=LastRead(exports=tuple(read.remembered for read in reads)),
        older=WRITTEN_AGAIN if any(read.remembered.is_again for read in reads) else "",
    )


def _before(export: Export, last: list[ReadExport]) -> ReadExport | None:
    """What is remembered of the export that this one takes the place of."""
    if len(last) == 1:
        return last[0]
    alike = [one for one in last if undated(one.name) == undated(export.name)]
    return alike[0] if alike else None


def probe_csv_source(
    source: CsvSource, workspace: Path, *, now: datetime, resolve: Resolve = no_secrets
) -> tuple[Probe, ...]:
    """Returns what each file looks like, in the order of the tables; waits for none.

    Raises:
        ConfigError: a path that leads out of its zone, a directory, or a secret not in its place.
        SourceUnavailableError: a file that is not there, or cannot be opened or fetched.
        SourceIncompleteError: too old, without its marker, or empty.
        SourceFormatError: no text in a known encoding, or no usable header.
    """
    probes = []
    with DropZones(source, workspace, resolve) as zones:
        for export in (one for several in _exports(source, zones).values() for one in several):
            check_not_ahead(export, source, now)
            check_age(export, source.max_age, now)
            if source.complete and source.complete.marker:
                check_marker(export, source.complete.marker, zones)
            probes.append(probe_csv_file(export, source))
    if source.join is not None:
        other = next(probe for probe in probes if probe.table == JOINED)
        return tuple(
            joined_probe(probe, other, source.join) if probe.table == "accounts" else probe
            for probe in probes
            if probe.table != JOINED
        )
    return tuple(probes)


def _exports(
    source: CsvSource, zones: DropZones, as_of: date | None = None
) -> dict[str, list[Export]]:
    """The exports of each table; of `parts: all`, all that match."""
    companions = companions_of(source.complete)
    found: dict[str, list[Export]] = {}
    for table, written in source.exports().items():
        if source.parts == "all":
            found[table] = find_parts(table, written, zones, companions=companions, as_of=as_of)
        else:
            export = find_export(table, written, zones, companions=companions, as_of=as_of)
            found[table] = [export]
    return found


def finished(
    export: Export,
    source: CsvOptions,
    zones: DropZones,
    *,
    now: datetime,
    sleep: Callable[[float], None],
    as_of: date | None = None,
) -> Export:
    """Returns the export as it stands once its age, its rest and its marker say that it is whole.

    Raises:
        SourceUnavailableError: it vanished, or never came to rest.
        SourceIncompleteError: too old, or without its marker.
    """
    complete = source.complete or _NO_PROOF
    if complete.stable_for:
        export = wait_until_stable(export, complete.stable_for, now=now, sleep=sleep)
    judged_at = min(now, end_of_day(as_of, source.timezone)) if as_of else now
    check_age(export, source.max_age, judged_at)
    if complete.marker:
        check_marker(export, complete.marker, zones)
    return export


def proof_of(export: Export, end: FileEnd, source: CsvOptions, zones: DropZones) -> str:
    """Returns the sentence that says what shows the file to be whole; the counts agree.

    Raises:
        SourceIncompleteError: they do not.
    """
    complete, count = source.complete or _NO_PROOF, end.read_count
    size = f", {export.size_bytes:,} bytes" if export.size_bytes >= 0 else ""
    proofs = [f"{export.name}: {count:,} rows{size}, unchanged while read"]
    if complete.marker:
        proofs.append("marker found")
    if complete.stable_for:
        proofs.append(f"at rest for {duration_text(complete.stable_for)}")
    if end.trailer_count is not None:
        check_count(export, "its trailer", end.trailer_count, count)
        proofs.append(f"trailer says {end.trailer_count}")
    if complete.manifest:
        promised = check_manifest(export, complete.manifest, zones, count)
        if promised is not None:
            proofs.append(f"manifest says {promised}")
    if export.others:
        proofs.append(f"passed over: {export.told_of_others}")
    return "; ".join(proofs)
