"""Where a snapshot comes from: the source now, its exports of a past day, or an accepted run."""

from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import cast

from flows.run.context import RunContext, Step
from flows.run.last_read import carry_last_read
from flows.run.read import extract, transform
from flows.sync.plan import Target
from schemas.errors import ConfigError, raise_as
from schemas.run import Run
from schemas.source_file.file import Source
from transforms.snapshot.snapshot import Normalized
from transforms.tables.rejects import TableCount, no_rejects


@dataclass(frozen=True, slots=True)
class SnapshotOrigin:
    """What a sync takes its snapshot from.

    Attributes:
        as_of: the day whose exports are read; None reads the source as it is now.
        from_archive: the accepted run whose snapshot is uploaded again; None reads the source.
    """

    as_of: date | None = None
    from_archive: str | None = None

    @property
    def option(self) -> str:
        """How it is typed after the source's name; nothing for the source as it is now."""
        if self.from_archive is not None:
            return f" --from-archive {self.from_archive}"
        return "" if self.as_of is None else f" --as-of {self.as_of}"


THE_SOURCE = SnapshotOrigin()
"""The source as it is now."""


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """How to sync: whether a held plan is approved, and from what origin."""

    allow_removals: bool = False
    origin: SnapshotOrigin = THE_SOURCE


def to_origin(as_of: str | None, from_archive: str | None) -> SnapshotOrigin:
    """The origin that a person names.

    Raises:
        ConfigError: both are named, or the day is none.
    """
    if as_of is not None and from_archive is not None:
        raise ConfigError("--as-of and --from-archive: choose one")
    day = raise_as(
        lambda: None if as_of is None else date.fromisoformat(as_of),
        {ValueError: lambda _: ConfigError("--as-of: write a date such as 2026-08-31")},
    )
    return SnapshotOrigin(day, from_archive)


def check_origin(source: Source, origin: SnapshotOrigin, context: RunContext) -> None:
    """Raises unless the origin is one that the source has.

    Raises:
        ConfigError: it is not.
    """
    if origin.from_archive is not None:
        _accepted(source, origin.from_archive, context)
    if origin.as_of is not None and source.file.source.kind != "csv":
        raise ConfigError(
            f"--as-of: {source.path}: a source of kind {source.file.source.kind} keeps no exports "
            "of past days; --from-archive uploads an accepted snapshot again"
        )


def normalized_of(
    source: Source,
    origin: SnapshotOrigin,
    target: Target,
    context: RunContext,
    step: Step,
    run_id: str,
) -> Normalized:
    """The snapshot of the origin, and what became of every row; `run_id` is the run it is for.

    Raises:
        SourceError: the source could not be read whole.
        ConfigError: the run was accepted into another app.
        StateError: the archive does not have the snapshot any more.
    """
    if origin.from_archive is not None:
        carry_last_read(source, target.base, run_id, context)
        archived = partial(_archived, source, origin.from_archive, target, context)
        return cast("Normalized", step("transform", archived))
    extracted = partial(extract, source, context, target.base, run_id, origin.as_of)
    normalized = step(
        "transform",
        lambda: transform(
            source, context, step("extract", extracted), target.kept_from, target.base, run_id
        ),
    )
    return cast("Normalized", normalized)


def _archived(source: Source, run_id: str, target: Target, context: RunContext) -> Normalized:
    run = _accepted(source, run_id, context)
    if run.app_id != target.app_id:
        raise ConfigError(
            f"--from-archive: run {run_id} was accepted into another app ({run.app_id}) than the "
            f"one that {source.path} names"
        )
    snapshot = context.archive.saved_snapshot(source.name, run_id)
    heights = {
        "accounts": snapshot.accounts.height,
        "entitlements": snapshot.entitlements.height,
        "associations": snapshot.grants.height,
    }
    counts = {name: TableCount(read=height, accepted=height) for name, height in heights.items()}
    note = f"this is the snapshot that was accepted as run {run_id}; the source was not read"
    return Normalized(snapshot, no_rejects(), counts, (note,))


def _accepted(source: Source, run_id: str, context: RunContext) -> Run:
    run = context.ledger.run(run_id)
    if run is None or run.source != source.name or run.kind != "sync" or run.state != "done":
        raise ConfigError(
            f"--from-archive: {run_id} is no accepted run of {source.name}: "
            f"lumos-ingest runs {source.name} lists them, done and of kind sync"
        )
    return run
