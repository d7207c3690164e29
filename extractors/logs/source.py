"""Activity in files: every file that may hold records of the requested time, in turn."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from extractors.delimited.source import finished, proof_of
from extractors.exports.completeness import companions_of
from extractors.exports.dates import named_day, start_of_day
from extractors.exports.export import Export
from extractors.exports.find import refreshed
from extractors.logs.file import probe_log_file, read_log_batches
from extractors.zones.zones import DropZones, shown
from schemas.errors import SourceUnavailableError
from schemas.raw import Probe, RawTable
from schemas.source_file.kinds.csv_source import ActivitySource
from schemas.source_file.logs import LogShape
from schemas.source_file.secrets import Resolve

CLOCK_SLACK = timedelta(days=1)
"""How far the clock that stamps records may be ahead of the one that stamps files."""


def read_activity_files(  # noqa: PLR0913 - what a read goes by
    source: ActivitySource,
    workspace: Path,
    since: datetime | None,
    until: datetime | None,
    *,
    shape: LogShape,
    now: datetime,
    sleep: Callable[[float], None],
    resolve: Resolve,
) -> Iterator[RawTable]:
    """Yields the files' rows, some at a time, file by file in the order of their names.

    Raises:
        ConfigError: a path that leads out of its zone, a directory, or a secret not in its place.
        SourceUnavailableError: no file matches, or one cannot be opened or fetched.
        SourceIncompleteError: the newest is too old; one is not finished, or cut off.
        SourceFormatError: a file that is not as agreed.
    """
    with DropZones(source, workspace, resolve) as zones:
        exports = _exports(source, zones)
        newest = _newest_of(exports)
        of_any_age = source.model_copy(update={"max_age": None})
        for export in exports:
            is_judged = export is newest and until is None
            if not is_judged and not _may_hold(export, source, since, until):
                continue
            options = source if is_judged else of_any_age
            # A listing has fewer facts than a look at the file, and may have others.
            rested = finished(refreshed(export), options, zones, now=now, sleep=sleep)
            may_be_empty = export is newest or _has_no_header(source, shape)
            if rested.size_bytes == 0 and may_be_empty and any(one.size_bytes for one in exports):
                continue  # rotated a moment ago, or a day on which nothing happened
            if _may_hold(rested, source, since, until):
                end = yield from read_log_batches(rested, source, shape)
                proof_of(rested, end, source, zones)


def probe_activity_files(
    source: ActivitySource, workspace: Path, *, shape: LogShape, now: datetime, resolve: Resolve
) -> tuple[Probe, ...]:
    """Returns what the newest file looks like; waits for nothing.

    Raises:
        ConfigError: as `read_activity_files`.
        SourceUnavailableError: as `read_activity_files`.
        SourceIncompleteError: too old, or empty.
        SourceFormatError: no text in a known encoding, or no usable header.
    """
    with DropZones(source, workspace, resolve) as zones:
        exports = _exports(source, zones)
        filled = [export for export in exports if export.size_bytes] or exports
        newest = finished(
            refreshed(_newest_of(filled)), source, zones, now=now, sleep=lambda _: None
        )
        probe = probe_log_file(newest, source, shape)
    if len(exports) > 1:
        probe = replace(probe, said=f"{probe.said}, the newest of {len(exports)} files")
    return (probe,)


def _has_no_header(source: ActivitySource, shape: LogShape) -> bool:
    """Whether a file in which nothing was written is an empty one."""
    return not source.header or shape.format.name not in {"auto", "csv"}


def _newest_of(exports: list[Export]) -> Export:
    """Returns the last written; of those written at once, the last by name."""
    return max(exports, key=lambda export: (export.modified_ns, export.name))


def _exports(source: ActivitySource, zones: DropZones) -> list[Export]:
    """Returns the files that match, but for markers and manifests, by name."""
    zone, key = zones.place(source.activity, "activity.source.activity")
    files = zone.matches(key)
    beside = {
        os.path.normpath(template.replace("{path}", file.key))
        for template in companions_of(source.complete)
        for file in files
    }
    exports = [Export("activity", file, zone) for file in files if file.key not in beside]
    if not exports:
        raise SourceUnavailableError(
            f"no file matches {shown(source.activity)}: check the path", key="activity"
        )
    return sorted(exports, key=lambda export: export.name)


def _may_hold(
    export: Export, source: ActivitySource, since: datetime | None, until: datetime | None
) -> bool:
    """Tells whether the file may hold records from `since` on, before `until`.

    It holds none that came after it was last written. And where the source file says for how long a
    file is written that is named for a day, none of before or after that.
    """
    file = export.file
    if since and file.is_dated and file.modified_at < since - CLOCK_SLACK:
        return False
    day = named_day(file)
    if source.covers is None or day is None:
        return True
    began_at = start_of_day(day, source.timezone)
    is_early = since is not None and began_at + source.covers <= since
    return not is_early and (until is None or began_at < until)
