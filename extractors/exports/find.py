"""Which file is meant in the zone that exports are dropped into, and that it stays the same."""

import os
from dataclasses import replace
from datetime import date

from extractors.exports.dates import day_of, named_day
from extractors.exports.export import Export
from extractors.zones.zone import Zone
from extractors.zones.zones import DropZones, is_pattern, shown
from schemas.errors import SourceFormatError, SourceIncompleteError, SourceUnavailableError
from schemas.export_file import ExportFile


def find_export(
    table: str,
    pattern: str,
    zones: DropZones,
    *,
    companions: tuple[str, ...] = (),
    as_of: date | None = None,
) -> Export:
    """Returns the file that `pattern` means: that of the path, or the newest match of a pattern.

    The newest is that of the last date, where all names have one, then the last written, then the
    last by name; or the last by name alone, as the source file says. What was archived is no
    export, nor are `companions`: the templates of markers and manifests, which a wide pattern
    matches as well. With `as_of`, only the exports of that day are, archived or not: by the date in
    the name, else by the day it was last written.

    Raises:
        ConfigError: a path that leads out of its zone, or that is no regular file.
        SourceUnavailableError: no such file, no match, no permission, a zone out of reach, or
            nothing that tells which match is the newest.
    """
    zone, files = _matches(table, pattern, zones, companions, as_of)
    export = Export(table, files[0], zone, tuple(file.name for file in files[1:]))
    # A listing has fewer facts than a look at the file, and may have others.
    return refreshed(export) if is_pattern(pattern) else export


def find_parts(
    table: str,
    pattern: str,
    zones: DropZones,
    *,
    companions: tuple[str, ...] = (),
    as_of: date | None = None,
) -> list[Export]:
    """Returns all files that `pattern` means, by name: those of the newest day that names tell.

    Raises:
        ConfigError: as `find_export`.
        SourceUnavailableError: as `find_export`.
        SourceFormatError: some names have a date and some have none.
    """
    zone, files = _matches(table, pattern, zones, companions, as_of)
    days = [named_day(file) for file in files]
    dated = [day for day in days if day is not None]
    if dated and len(dated) < len(files):
        raise SourceFormatError(
            f"{shown(pattern)}: {files[days.index(None)].name} has no date in its name, and others "
            "have one: which belong together cannot be told; narrow the pattern"
        )
    newest = max(dated, default=None)
    parts = [file for file, day in zip(files, days, strict=True) if day == newest]
    others = tuple(file.name for file, day in zip(files, days, strict=True) if day != newest)
    parts.sort(key=lambda file: file.name)
    exports = [
        Export(table, file, zone, others if number == 0 else ())
        for number, file in enumerate(parts)
    ]
    return [refreshed(one) for one in exports] if is_pattern(pattern) else exports


def _matches(
    table: str,
    pattern: str,
    zones: DropZones,
    companions: tuple[str, ...],
    as_of: date | None,
) -> tuple[Zone, list[ExportFile]]:
    """The zone and the files that `pattern` means, the newest first."""
    zone, key = zones.place(pattern, table)
    files = zone.matches(key)
    if as_of is None:
        files = [file for file in files if not zones.is_archived(zone, file)]
    else:
        files += zones.archived(key)
    if not files and not is_pattern(pattern):
        raise _vanished(shown(pattern))
    files = _without(companions, files)
    if not files:
        raise SourceUnavailableError(f"no file matches {shown(pattern)}: check the path", key=table)
    if as_of is not None:
        files = [file for file in files if day_of(file, zones.options.timezone) == as_of]
    if not files:
        raise SourceUnavailableError(
            f"none of the exports {shown(pattern)} is of {as_of}: see which days there are",
            key=table,
        )
    return zone, _newest_first(files, pattern, table, by_name=zones.options.newest == "name")


def _newest_first(
    files: list[ExportFile], pattern: str, table: str, *, by_name: bool
) -> list[ExportFile]:
    """Returns the files by the dates in their names where all have one, then by time and name.

    Raises:
        SourceUnavailableError: nobody says when one was written, and not every name has a date.
    """
    days = {file.name: named_day(file) for file in files}
    has_days = None not in days.values()
    is_told = has_days or by_name or all(file.is_dated for file in files)
    if len(files) > 1 and not is_told:
        raise SourceUnavailableError(
            f"{shown(pattern)}: {len(files)} files match, and the server does not say when they "
            "were written: have a date in every name, or say newest: name",
            key=table,
        )

    def rank(file: ExportFile) -> tuple[date, int, str]:
        day = days[file.name] if has_days and not by_name else None
        return day or date.min, 0 if by_name else file.modified_ns, file.name

    return sorted(files, key=rank, reverse=True)


def _without(companions: tuple[str, ...], files: list[ExportFile]) -> list[ExportFile]:
    """Returns the files that are no marker or manifest of another of them."""
    keys = {template.replace("{path}", file.key) for template in companions for file in files}
    names = {template.replace("{path}", file.name) for template in companions for file in files}
    keys = {os.path.normpath(key) for key in keys}
    return [file for file in files if file.key not in keys and file.name not in names]


def check_unchanged(export: Export) -> None:
    """Raises unless the export is the file it was when it was found.

    Raises:
        SourceUnavailableError: it is gone, or its zone is out of reach.
        SourceIncompleteError: it was written to or replaced.
    """
    if refreshed(export) != export:
        raise SourceIncompleteError(
            f"{export.name}: changed while it was read: run again when the export is finished, "
            "or state complete: so that it is waited for"
        )


def refreshed(export: Export) -> Export:
    """Returns the export as it stands now.

    Raises:
        SourceUnavailableError: it is gone, or its zone is out of reach.
    """
    file = export.zone.look_at(export.file.key)
    if file is None:
        raise _vanished(export.name)
    return replace(export, file=file)


def _vanished(name: str) -> SourceUnavailableError:
    return SourceUnavailableError(f"{name}: no such file: check the path, or that the export ran")
