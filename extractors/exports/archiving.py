"""Moves the exports of an accepted run out of the drop zone, where the source file asks for it."""

import logging
from collections.abc import Sequence
from pathlib import Path

from extractors.exports.completeness import companions_of
from extractors.zones.zones import DropZones
from schemas.errors import IngestError
from schemas.export_file import ExportFile
from schemas.source_file.kinds.csv_source import CsvOptions
from schemas.source_file.kinds.directory_source import LdifSource
from schemas.source_file.secrets import Resolve, no_secrets
from schemas.source_file.zones.exports import Dropped

_log = logging.getLogger(__name__)


def archive_exports(
    options: Dropped,
    files: Sequence[ExportFile],
    workspace: Path,
    resolve: Resolve = no_secrets,
) -> tuple[str, ...]:
    """Moves the files to `archive_to`, where the source file names it.

    Returns what could not be moved, one line each.

    Called after a run was accepted, with the files that it read. It raises nothing: the upload is
    done, and an export that stays is read again, to the same end, or passed over for a newer one. A
    file that was written to since it was read stays, and so does one whose name is taken there. The
    marker and the manifest that bear an export's name go with it.
    """
    if options.archive_to is None:
        return ()
    problems: list[str] = []
    with DropZones(options, workspace, resolve) as zones:
        for file in files:
            try:
                _move(file, options, zones)
            except IngestError as error:
                problems.append(str(error))
            else:
                _log.info("%s: moved to %s", file.name, options.archive_to)
    return tuple(problems)


def _move(file: ExportFile, options: Dropped, zones: DropZones) -> None:
    """Moves the export, then what bears its name.

    Raises:
        IngestError: one of them cannot be moved.
    """
    zone, key = zones.place(file.name, "archive_to")
    if zones.is_archived(zone, file):
        return
    _, folder = zones.place(options.archive_to or "", "archive_to")
    there = zone.look_at(key)
    if there is None:
        return  # moved by a run before this one, or by whoever drops exports
    if there != file:
        _log.info("%s: was written to since it was read: it stays", file.name)
        return
    zone.move(file, folder)
    complete = options.complete if isinstance(options, CsvOptions | LdifSource) else None
    for template in companions_of(complete):
        if "{path}" not in template:
            continue
        zone, key = zones.place(template.replace("{path}", file.name), "complete")
        beside = zone.look_at(key)
        if beside is not None:
            zone.move(beside, folder)
