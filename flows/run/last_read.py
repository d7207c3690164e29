"""What an accepted run remembers of its read, for the next read to be judged by."""

import logging

import polars as pl

from flows.run.context import RunContext
from schemas.errors import StateError
from schemas.export_file import ReadExport
from schemas.raw import LastRead
from schemas.run import Run
from schemas.source_file.file import Source

# It lies with that run in the archive, private like its snapshot. A run of a version before this
# one has none; then only its snapshot is there to be judged by.

_log = logging.getLogger(__name__)
_EXPORTS, _FED, _SEEN, _CHANGED = "exports", "fed", "seen-", "changed"
_SEARCHES = ("users", "groups")
_EXPORT_COLUMNS = {
    "table": pl.String(),
    "name": pl.String(),
    "named_day": pl.Date(),
    "size_bytes": pl.Int64(),
    "modified_ns": pl.Int64(),
    "sha256": pl.String(),
    "encoding": pl.String(),
    "has_line_end": pl.Boolean(),
    "earlier": pl.List(pl.String()),
}


def judging_run(source: Source, base: Run | None, context: RunContext) -> Run | None:
    """Returns the run whose read the next is judged by; None where none was accepted.

    The accepted one, or a later one that read the same snapshot and had nothing to send.
    """
    if base is None or base.source != source.name:
        return base
    after = context.ledger.unchanged_since(base)
    return after or base


def load_last_read(source: Source, run: Run | None, context: RunContext) -> LastRead:
    """Returns what the run remembers, but for what the source file lets go."""
    if run is None:
        return LastRead()
    exports = _saved(run, _EXPORTS, context)
    seen = {name: _saved(run, f"{_SEEN}{name}", context) for name in _SEARCHES}
    changed = _saved(run, _CHANGED, context)
    return LastRead(
        ()
        if exports is None
        else tuple(
            ReadExport(**{**row, "earlier": tuple(row["earlier"])}) for row in exports.to_dicts()
        ),
        {name: _kept(frame, source) for name, frame in seen.items() if frame is not None},
        None if changed is None else changed["changed_at"].item(),
    )


def save_last_read(source: Source, run_id: str, read: LastRead, context: RunContext) -> None:
    """Keeps it with the run; it counts once the run is accepted.

    Raises:
        StateError: the archive cannot be written.
    """
    rows = [[getattr(export, name) for name in _EXPORT_COLUMNS] for export in read.exports]
    exports = pl.DataFrame(rows, schema=_EXPORT_COLUMNS, orient="row")
    context.archive.save_frame(source.name, run_id, _EXPORTS, exports)
    if read.changed_at is not None:
        changed = pl.DataFrame({"changed_at": [read.changed_at]})
        context.archive.save_frame(source.name, run_id, _CHANGED, changed)
    for name, frame in read.seen.items():
        context.archive.save_frame(source.name, run_id, f"{_SEEN}{name}", frame)


def load_fed(run: Run | None, context: RunContext) -> pl.DataFrame | None:
    """Returns what fed which field in the run's read (`FED`); None where it kept nothing."""
    return None if run is None else _saved(run, _FED, context)


def save_fed(source: Source, run_id: str, fed: pl.DataFrame, context: RunContext) -> None:
    """Keeps what fed which field with the run; it counts once the run is accepted.

    Raises:
        StateError: the archive cannot be written.
    """
    context.archive.save_frame(source.name, run_id, _FED, fed)


def carry_last_read(source: Source, base: Run | None, run_id: str, context: RunContext) -> None:
    """Keeps with a run that reads no source what the last read remembers.

    Raises:
        StateError: the archive cannot be written.
    """
    run = judging_run(source, base, context)
    if run is None:
        return
    save_last_read(source, run_id, load_last_read(source, run, context), context)
    fed = load_fed(run, context)
    if fed is not None:
        save_fed(source, run_id, fed, context)


def _kept(seen: pl.DataFrame, source: Source) -> pl.DataFrame:
    let_go = {f"@{name.lower()}" for name in source.file.let_go}
    return seen.select(column for column in seen.columns if column not in let_go)


def _saved(run: Run, name: str, context: RunContext) -> pl.DataFrame | None:
    try:
        return context.archive.saved_frame(run.source, run.run_id, name)
    except StateError as error:
        _log.debug("%s: %s", run.source, error)
        return None
