"""What proves an export whole: its age, its marker, that it rests, the count it was sent with."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from extractors.exports.export import Export
from extractors.exports.find import refreshed
from extractors.zones.zones import DropZones
from schemas.errors import (
    SourceFormatError,
    SourceIncompleteError,
    SourceUnavailableError,
    raise_as,
)
from schemas.source_file.kinds.csv_source import Completeness
from schemas.source_file.quantities import duration_text

_PATIENCE = 10
_LONE_TABLES = ("accounts", "file")  # those that a bare number is about: a directory has one export
_MOST_DIGITS = 18


def check_age(export: Export, max_age: timedelta | None, now: datetime) -> None:
    """Raises unless the export is young enough.

    Raises:
        SourceIncompleteError: it is older than `max_age`, or nobody says how old it is.
    """
    if max_age is not None and not export.file.is_dated:
        raise SourceIncompleteError(
            f"{export.name}: its server does not say when it was written, so max_age cannot be "
            "checked: write max_age: null if it is made when it is asked for"
        )
    age = now - export.modified_at
    if max_age is not None and age > max_age:
        raise SourceIncompleteError(
            f"{export.name}: is {duration_text(age)} old and max_age is {duration_text(max_age)}: "
            "see why the export did not run, or raise max_age"
        )


def companions_of(complete: Completeness | None) -> tuple[str, ...]:
    """Returns the templates of the files that stand beside an export and are none themselves."""
    if complete is None:
        return ()
    return tuple(template for template in (complete.marker, complete.manifest) if template)


def check_marker(export: Export, marker: str, zones: DropZones) -> None:
    """Raises unless the marker is there, and not older than the export.

    Raises:
        ConfigError: a marker outside the workspace, or in no zone.
        SourceUnavailableError: its zone is out of reach.
        SourceIncompleteError: no marker, or the one of an earlier export.
    """
    zone, key = zones.place(marker.replace("{path}", export.name), "complete.marker")
    file = zone.look_at(key)
    name = file.name if file else marker.replace("{path}", export.name)
    if file is None:
        raise SourceIncompleteError(
            f"{export.name}: its marker {name} is not there: the export is not finished"
        )
    if file.is_dated and file.modified_ns < export.modified_ns:
        raise SourceIncompleteError(
            f"{export.name}: its marker {name} is older than the export: "
            "a new export is being written"
        )


def wait_until_stable(
    export: Export, stable_for: timedelta, *, now: datetime, sleep: Callable[[float], None]
) -> Export:
    """Waits until the export has not changed for `stable_for`, and returns it as it stands then.

    Raises:
        SourceUnavailableError: it vanished, or still changed after ten times that long.
    """
    needed, waited = stable_for.total_seconds(), 0.0
    quiet = _quiet_s(export, now)
    while quiet < needed:
        if waited >= _PATIENCE * needed:
            raise SourceUnavailableError(
                f"{export.name}: still changed after {duration_text(timedelta(seconds=waited))}: "
                "run again when the export is finished"
            )
        # A clock that is ahead of ours must not make the pause longer.
        pause = needed - max(quiet, 0.0)
        sleep(pause)
        waited += pause
        before, export = export, refreshed(export)
        if export == before:
            return export
        quiet = _quiet_s(export, now) + waited
    return export


def _quiet_s(export: Export, now: datetime) -> float:
    """Returns for how long it has not been written to; 0 where nobody says it."""
    return (now - export.modified_at).total_seconds() if export.file.is_dated else 0.0


def trailer_count(export: Export, last_line: str, pattern: str) -> int:
    """Returns the number of rows that the last line states.

    Raises:
        SourceIncompleteError: the last line is no trailer.
    """
    trailer = re.fullmatch(pattern, last_line)
    stated = trailer[1] if trailer else None
    if stated is None or not stated.strip().isdecimal() or len(stated.strip()) > _MOST_DIGITS:
        raise SourceIncompleteError(
            f"{export.name}: its last line is not the trailer: the export was cut off, "
            "or complete.trailer is wrong"
        )
    return int(stated)


def check_count(export: Export, who: str, stated: int, read_count: int) -> None:
    """Raises unless as many rows were read as `who` states.

    Raises:
        SourceIncompleteError: more or fewer.
    """
    if stated != read_count:
        raise SourceIncompleteError(
            f"{export.name}: {read_count:,} rows were read and {who} states {stated:,}: "
            "the export was cut off, or is not the one that was counted"
        )


def check_manifest(export: Export, manifest: str, zones: DropZones, read_count: int) -> int | None:
    """Raises unless as many rows were read as the manifest states.

    Returns that number; None where the manifest is another table's.

    Raises:
        ConfigError: a manifest outside the workspace, or in no zone.
        SourceUnavailableError: its zone is out of reach.
        SourceIncompleteError: no manifest, no count for this file, or another count.
        SourceFormatError: neither a number nor JSON.
    """
    name = manifest.replace("{path}", export.name)
    content = _manifest_content(export, name, zones)
    of_one_file = not isinstance(content, dict) or "rows" in content
    if of_one_file and "{path}" not in manifest and export.table not in _LONE_TABLES:
        return None
    stated = _stated_count(content, export.name)
    if stated is None:
        raise SourceIncompleteError(f"{export.name}: the manifest {name} has no count for it")
    check_count(export, f"the manifest {name}", stated, read_count)
    return stated


def _manifest_content(export: Export, name: str, zones: DropZones) -> object:
    zone, key = zones.place(name, "complete.manifest")
    written = zone.read(key)
    if written is None:
        raise SourceIncompleteError(
            f"{export.name}: its manifest {name} cannot be read: the export is not finished"
        )
    wrong = SourceFormatError(f"{name}: a manifest is a number, or JSON with one a file name")
    content: object = raise_as(
        lambda: json.loads(written),
        dict.fromkeys((ValueError, RecursionError), lambda _: wrong),
    )
    if content is None:
        raise wrong
    return content


def _stated_count(content: object, name: str) -> int | None:
    if isinstance(content, dict):
        keys = ("rows", name, PurePosixPath(name).name)
        content = next((content[key] for key in keys if key in content), None)
    return content if isinstance(content, int) and not isinstance(content, bool) else None
