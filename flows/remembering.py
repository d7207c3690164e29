"""What a source's reader left with the run that was accepted last, for the next one to go on from.

It lies with that run in the archive, private like its snapshot; without it everything is read.
"""

import logging

import polars as pl

from flows.tools import Tools
from schemas.errors import StateError
from schemas.raw import Remembered
from schemas.run import Run
from schemas.source_file import Source

_log = logging.getLogger(__name__)
_MARKS, _FRAME, _KIND = "memory", "memory-", "kind"


def recalled(source: Source, base: Run | None, tools: Tools) -> Remembered | None:
    """What the run `base` left; None where it left nothing, or the file asks for no delta."""
    if base is None or base.source != source.name or not _is_asked(source):
        return None
    try:
        kept = tools.archive.saved_frame(source.name, base.run_id, _MARKS)
        marks = dict(kept.select("name", "value").rows())
        frames = {
            name.removeprefix(_FRAME): tools.archive.saved_frame(source.name, base.run_id, name)
            for name in marks
            if name.startswith(_FRAME)
        }
    except (StateError, pl.exceptions.ColumnNotFoundError) as error:
        _log.info("%s: everything is read: nothing to go on from: %s", source.name, error)
        return None
    if marks.pop(_KIND, None) != source.file.source.kind:
        _log.info("%s: everything is read: it was of another kind before", source.name)
        return None
    return Remembered({k: v for k, v in marks.items() if not k.startswith(_FRAME)}, frames)


def remember(source: Source, run_id: str, remembered: Remembered, tools: Tools) -> None:
    """Keeps it with the run; it counts once the run is accepted.

    Raises:
        StateError: the archive cannot be written.
    """
    names = {f"{_FRAME}{name}": frame for name, frame in remembered.frames.items()}
    for name, frame in names.items():
        tools.archive.save_frame(source.name, run_id, name, frame)
    marks = remembered.marks | dict.fromkeys(names, "") | {_KIND: source.file.source.kind}
    table = pl.DataFrame({"name": list(marks), "value": list(marks.values())})
    tools.archive.save_frame(source.name, run_id, _MARKS, table)


def _is_asked(source: Source) -> bool:
    return getattr(source.file.source, "delta", None) is not None
