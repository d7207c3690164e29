"""Exports go one way in time: none older than the last accepted one, none from the future."""

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath

from extractors.exports.dates import named_day, start_of_day
from extractors.exports.export import Export, private_folder
from schemas.errors import SourceIncompleteError, SourceStaleError
from schemas.export_file import ExportFile, ReadExport
from schemas.source_file.kinds.csv_source import CsvOptions
from schemas.source_file.zones.exports import Dropped

GRACE = timedelta(minutes=10)
"""How far the clock that stamps exports may be ahead of ours."""

_FIRST_ZONE = "Etc/GMT-14"
"""Where a day begins first: a day that has begun nowhere is ahead of every clock."""

WRITTEN_AGAIN = "an old export written again"
"""What an export is that has the bytes of one accepted before the last one."""

_BLOCK = 1 << 20
_REMEMBERED = 400
"""Exports a table: a night each, for a year and more."""


def check_not_ahead(export: Export, options: Dropped, now: datetime) -> None:
    """Raises where the export, or the date in its name, is ahead of the clock.

    Such a file would be the newest for as long as it lies there.

    Raises:
        SourceStaleError: it is, by more than `GRACE`.
    """
    if export.file.is_dated and export.modified_at > now + GRACE:
        raise SourceStaleError(
            f"{export.name}: was last written {_shown(export.modified_at)}, which is ahead of the "
            f"clock ({_shown(now)}): it would be the newest until then: see who dates it, or the "
            "clock of this machine"
        )
    day = named_day(export.file)
    zone = options.timezone if "timezone" in options.model_fields_set else _FIRST_ZONE
    if day is not None and start_of_day(day, zone) > now + GRACE:
        raise SourceStaleError(
            f"{export.name}: the date in its name, {day}, is ahead of the clock ({_shown(now)}): "
            "see who names it, or the clock of this machine"
        )


def check_not_older(
    export: Export, last: ReadExport | None, options: Dropped, now: datetime
) -> None:
    """Raises where the export is older than the one that was accepted last.

    One with the same bytes is none. A time that is ahead of the clock by now was read under a clock
    that was ahead, and is no measure.

    Raises:
        SourceStaleError: it is.
        SourceUnavailableError: it cannot be fetched to compare it.
    """
    if last is not None and last.modified_at is not None and last.modified_at > now + GRACE:
        last = replace(last, modified_ns=-1)
    if last is None or not is_older(export.file, last, options.newest):
        return
    if export.size_bytes == last.size_bytes and _hash_of(export) == last.sha256:
        return
    passed_over = f" (passed over: {export.told_of_others})" if export.others else ""
    raise SourceStaleError(
        f"{export.name}{_dated(named_day(export.file), export.modified_at)} is older than "
        f"{last.name}{_dated(last.named_day, last.modified_at)}, which the last accepted run "
        f"read{passed_over}: see where the newest export went{_way_out(options)}"
    )


def _way_out(options: Dropped) -> str:
    """How an older day is read all the same; only exports of kind csv are read by their day."""
    if not isinstance(options, CsvOptions):
        return ", and export it again"
    return "; to read an older day all the same, sync with --as-of and its date"


def is_older(file: ExportFile, last: ReadExport, newest: str) -> bool:
    """Whether a file comes before the one that was accepted last.

    By the dates in both names, and by the order that the source file goes by: of time, or of name
    in one folder.
    """
    day = named_day(file)
    if day is not None and last.named_day is not None and day != last.named_day:
        is_earlier_day = day < last.named_day
        if newest == "name" or is_earlier_day:
            return is_earlier_day
    if newest == "name" and file.name != last.name:
        here, there = PurePosixPath(file.name), PurePosixPath(last.name)
        if here.parent == there.parent:
            return here.name < there.name
    return file.is_dated and file.modified_ns < last.modified_ns


def with_earlier(now: ReadExport, last: ReadExport | None) -> ReadExport:
    """Returns the export as it is remembered, with those that were accepted before it."""
    if last is None:
        return now
    earlier = [one for one in (*last.earlier, last.sha256) if one != now.sha256]
    is_again = bool(written_again(now, last))
    return replace(now, earlier=tuple(dict.fromkeys(earlier))[-_REMEMBERED:], is_again=is_again)


def written_again(now: ReadExport, last: ReadExport | None) -> tuple[str, ...]:
    """Returns what to say of an export with the bytes of one before the last accepted one."""
    if last is None or now.sha256 == last.sha256 or now.sha256 not in last.earlier:
        return ()
    text = (
        f"{now.name}: has the very bytes of an export that was accepted before the last one: see "
        "whether an old one was written again"
    )
    return (text,)


def check_line_end(export: Export, last: ReadExport | None, now: ReadExport) -> None:
    """Raises where the last line has no end, and that of the last accepted export had one.

    Cut in its last cell, an export has as many rows as it should.

    Raises:
        SourceIncompleteError: so it is.
    """
    if last is None or now.sha256 == last.sha256:
        return
    if last.has_line_end and now.has_line_end is False:
        raise SourceIncompleteError(
            f"{export.name}: its last line has no end, and that of the last accepted export had "
            "one: it was cut off; export it again, or if it is written so from now on, sync once "
            "with --as-of and its date"
        )


def sha256_of(path: Path) -> str:
    """Returns the SHA-256 of a file's bytes, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def has_line_end(path: Path) -> bool:
    """Whether the file's last line has an end."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 1))
        return file.read(1) in {b"\n", b"\r"}


def is_ascii(path: Path) -> bool:
    """Whether every byte of the file is ASCII."""
    with path.open("rb") as file:
        return all(block.isascii() for block in iter(lambda: file.read(_BLOCK), b""))


def _hash_of(export: Export) -> str:
    with private_folder(export) as folder:
        return sha256_of(export.zone.fetch(export.file, folder))


def _dated(day: object, modified_at: datetime | None) -> str:
    parts = [f"of {day}"] if day else []
    if modified_at is not None:
        parts.append(f"last written {_shown(modified_at)}")
    return f" ({', '.join(parts)})" if parts else ""


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
