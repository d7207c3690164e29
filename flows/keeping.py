"""What a read of a source keeps in the archive for the next one to go on from."""

import logging
from dataclasses import replace

import polars as pl

from flows.tools import Tools
from schemas.errors import StateError
from schemas.raw import Raw
from schemas.source_file import Source

_log = logging.getLogger(__name__)
_FOLDER, _NAME = "last-read", "entries"


def last_read(source: Source, tools: Tools) -> pl.DataFrame | None:
    """What the last read kept; None where it kept nothing, or nothing that can be read."""
    if getattr(source.file.source, "delta", None) is None:
        return None
    try:
        return tools.archive.saved_frame(source.name, _FOLDER, _NAME)
    except StateError:
        return None


def keep_read(source: Source, tools: Tools, raw: Raw) -> Raw:
    """Keeps what the next read may go on from, and lets go of it.

    A read is not lost because it cannot be kept: the next one reads everything.
    """
    if raw.kept is not None:
        try:
            tools.archive.save_frame(source.name, _FOLDER, _NAME, raw.kept)
        except StateError as error:
            _log.warning("%s: the read is not kept for the next one: %s", source.name, error)
    return replace(raw, kept=None)
