"""The first two stages: a source's rows, whole, and the snapshot that they describe."""

import logging
from dataclasses import replace
from datetime import date

import polars as pl

from extractors.read import read_source
from flows.run.context import RunContext
from flows.run.own_transform import apply_transforms
from schemas.errors import StateError
from schemas.raw import Raw, ReaderState
from schemas.run import Run
from schemas.snapshot import Snapshot, empty_snapshot
from schemas.source_file.file import Source, located
from transforms.snapshot.kept import GUARD, kept_warnings, no_kept, renewed
from transforms.snapshot.snapshot import Normalized, to_snapshot

# What a source's reader left with the run that was accepted last, for the next one to go on from.
# It lies with that run in the archive, private like its snapshot; without it everything is read.

_log = logging.getLogger(__name__)
_MARKS, _FRAME, _KIND = "memory", "memory-", "kind"


def load_state(source: Source, base: Run | None, context: RunContext) -> ReaderState | None:
    """What the run `base` left; None where it left nothing, or the file asks for no delta."""
    if base is None or base.source != source.name or not _is_asked(source):
        return None
    try:
        kept = context.archive.saved_frame(source.name, base.run_id, _MARKS)
        marks = dict(kept.select("name", "value").rows())
        frames = {
            name.removeprefix(_FRAME): context.archive.saved_frame(source.name, base.run_id, name)
            for name in marks
            if name.startswith(_FRAME)
        }
    except (StateError, pl.exceptions.ColumnNotFoundError) as error:
        # A reader of a person's own may leave nothing, ever.
        level = logging.DEBUG if source.file.source.kind == "python" else logging.INFO
        _log.log(level, "%s: everything is read: nothing to go on from: %s", source.name, error)
        return None
    if marks.pop(_KIND, None) != source.file.source.kind:
        _log.info("%s: everything is read: it was of another kind before", source.name)
        return None
    return ReaderState({k: v for k, v in marks.items() if not k.startswith(_FRAME)}, frames)


def save_state(source: Source, run_id: str, state: ReaderState, context: RunContext) -> None:
    """Keeps it with the run; it counts once the run is accepted.

    Raises:
        StateError: the archive cannot be written.
    """
    names = {f"{_FRAME}{name}": frame for name, frame in state.frames.items()}
    for name, frame in names.items():
        context.archive.save_frame(source.name, run_id, name, frame)
    marks = state.marks | dict.fromkeys(names, "") | {_KIND: source.file.source.kind}
    table = pl.DataFrame({"name": list(marks), "value": list(marks.values())})
    context.archive.save_frame(source.name, run_id, _MARKS, table)


def _is_asked(source: Source) -> bool:
    options = source.file.source
    return options.kind == "python" or getattr(options, "delta", None) is not None


def extract(
    source: Source,
    context: RunContext,
    base: Run | None = None,
    run_id: str | None = None,
    as_of: date | None = None,
) -> Raw:
    """The source's rows, whole; with `as_of`, those of its exports of that day.

    The reader goes on from what the accepted run `base` left, and leaves the same with `run_id`.

    Raises:
        SourceError: it could not be read whole.
        ConfigError: the file names what cannot be.
    """
    context.progress("reading the source", 0, 0)
    state = load_state(source, base, context)
    raw = located(
        source,
        lambda: read_source(
            source.file.source,
            context.settings.workspace,
            now=context.now(),
            sleep=context.sleep,
            resolve=context.resolve,
            named=source.file.named,
            id_columns={"accounts": source.file.columns.integration_specific_id.column or ""},
            state=state,
            as_of=as_of,
        ),
    )
    if run_id is not None and raw.state is not None:
        save_state(source, run_id, raw.state, context)
    for proof in raw.proof:
        _log.info("%s: read %s", source.name, proof)
    return raw


def load_kept(base: Run | None, context: RunContext) -> pl.DataFrame:
    """What the accepted run `base` kept (`KEPT`); a person who let it through begins its time anew.

    Nothing of a run of a version that kept no such account.
    """
    if base is None:
        return no_kept()
    try:
        kept = context.archive.saved_frame(base.source, base.run_id, "kept")
    except StateError as error:
        _log.debug("run %s left no account of what it kept: %s", base.run_id, error)
        return no_kept()
    was_decided = any(breach.guard == GUARD for breach in base.breaches)
    return renewed(kept, base.started_at) if was_decided else kept


def transform(
    source: Source,
    context: RunContext,
    raw: Raw,
    last: Snapshot | None,
    base: Run | None = None,
) -> Normalized:
    """The snapshot that the rows describe, and what became of every row.

    `base` is the accepted run that left `last`.

    Raises:
        SourceFormatError: the columns are not as the file says.
        FunctionError: a transform of a person's own failed.
    """
    context.progress("checking the rows", 0, 0)
    if source.file.transform or context.transforms:
        raw = apply_transforms(source, context, raw)
    keeps = source.file.rejected_rows == "keep_last" and last is not None
    normalized = to_snapshot(
        raw,
        source.file,
        last if keeps and last else empty_snapshot(),
        context.now(),
        load_kept(base, context),
    )
    warnings = kept_warnings(normalized.kept, source.file.keep_last_for)
    normalized = replace(normalized, warnings=(*normalized.warnings, *warnings))
    for table, count in normalized.counts.items():
        _log.info(
            "%s: %s: %d read, %d dropped, %d accepted, %d merged, %d rejected, %d kept; %d cells",
            source.name, table, count.read, count.dropped, count.accepted, count.merged,
            count.rejected, count.kept, count.cells,
        )  # fmt: skip
    for warning in normalized.warnings:
        _log.warning("%s: %s", source.name, warning)
    return normalized
