"""The first two stages: a source's rows, whole, and the snapshot that they describe."""

import logging
from dataclasses import replace
from datetime import date

import polars as pl

from extractors.read import read_source
from flows.run.context import RunContext
from flows.run.last_read import (
    judging_run,
    load_fed,
    load_last_read,
    save_fed,
    save_last_read,
)
from flows.run.own_transform import apply_transforms
from schemas.errors import StateError
from schemas.raw import Raw, ReaderState
from schemas.run import Run
from schemas.snapshot import Snapshot, empty_snapshot
from schemas.source_file.file import Source, located
from transforms.snapshot.kept import GUARD, kept_warnings, no_kept, renewed
from transforms.snapshot.snapshot import Normalized, to_snapshot
from transforms.tables.fed import (
    check_still_fed,
    emptied_status_columns,
    fed_by,
    fed_fields,
    unsaid_status_note,
)

# What a source's reader left with the run that was accepted last, for the next one to go on from.
# It lies with that run in the archive, private like its snapshot; without it everything is read.

_log = logging.getLogger(__name__)
DIRECTORIES = frozenset({"ldap", "active_directory", "ldif"})
FEW = 3
"""Of accounts of a directory that had a field: fewer may well have lost it."""

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
    last_read = load_last_read(source, judging_run(source, base, context), context)
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
            last_read=last_read,
            as_of=as_of,
        ),
    )
    if run_id is not None:
        save_last_read(source, run_id, raw.remembered, context)
        if raw.state is not None:
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
    run_id: str | None = None,
) -> Normalized:
    """The snapshot that the rows describe, and what became of every row.

    `base` is the accepted run that left `last`. What feeds which field is compared with that run,
    and kept with `run_id`.

    Raises:
        SourceFormatError: the columns are not as the file says, or one that fed a field is gone.
        FunctionError: a transform of a person's own failed.
    """
    context.progress("checking the rows", 0, 0)
    if source.file.transform or context.transforms:
        raw = apply_transforms(source, context, raw)
    fed = fed_fields(raw, source.file)
    before = _fed_before(source, base, last, context)
    check_still_fed(fed, before, raw, source.file)
    if run_id is not None:
        save_fed(source, run_id, fed, context)
    keeps = source.file.rejected_rows == "keep_last" and last is not None
    emptied = emptied_status_columns(raw, source.file, before)
    origin, handed_over = raw.accounts.origin, [raw]
    del raw  # to_snapshot lets go of the cells as it goes, if nobody else holds on to them
    normalized = to_snapshot(
        handed_over.pop(),
        source.file,
        last if keeps and last else empty_snapshot(),
        context.now(),
        load_kept(base, context),
    )
    normalized = replace(normalized, emptied_status=emptied)
    note = unsaid_status_note(fed) if base is None else None
    if note is not None:
        warnings = (*normalized.warnings, f"{origin}: {note}")
        normalized = replace(normalized, warnings=warnings)
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


def _fed_before(
    source: Source, base: Run | None, last: Snapshot | None, context: RunContext
) -> pl.DataFrame:
    """What fed which field in the last accepted read: as it was kept, else by its snapshot."""
    fed = load_fed(judging_run(source, base, context), context)
    is_directory = source.file.source.kind in DIRECTORIES
    if fed is not None:
        # What entries of a directory showed is compared attribute by attribute, where it is read.
        return fed.clear() if is_directory else fed
    # Without an accepted run, `last` is what Lumos tells of the app: no source ever fed that.
    snapshot = empty_snapshot() if last is None or base is None else last
    return fed_by(snapshot, fewest=FEW if is_directory else 1)
