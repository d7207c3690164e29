"""What a flow of one's own calls: the same stages as the commands, with the same guards."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TypeAlias

from flows.activity.backfill import send_windows, to_spans
from flows.activity.order import Sending
from flows.activity.order import send_activity as send
from flows.run.context import RunContext, Step, Transform, at_once, open_context
from flows.run.crash_report import without_text
from flows.run.own_transform import to_transforms
from flows.run.settings import read_settings
from flows.sync.held import held_error
from flows.sync.order import Outcome, sync_source
from flows.sync.origin import SnapshotOrigin
from flows.sync.plan import Preview, preview_source
from schemas.source_file.file import Source

Transforms: TypeAlias = "Transform | Mapping[str, Transform]"
"""A function that gets the accounts' rows and returns them; or one by table's name."""


@contextmanager
def open_workspace(path: str | os.PathLike[str] = ".") -> Iterator[RunContext]:
    """Opens the workspace in the folder `path` for the time of a `with`: sources and stores.

    `workspace.source("hr")` is the source of `sources/hr.yaml`, `workspace.sources()` are all.
    Settings are those of the commands: of the environment, else of the workspace's `.env`. Without
    LUMOS_API_TOKEN a source can only be previewed.

    Raises:
        ConfigError: no such folder, or a setting cannot be meant.
        StateError: the state folder, the ledger or the archive cannot be used.
    """
    settings = read_settings(Path(path))
    with open_context(settings, with_lumos=settings.api_token is not None) as context:
        yield context


def sync(
    source: Source,
    workspace: RunContext,
    *,
    transform: "Transforms | None" = None,
    allow_removals: bool = False,
    as_of: date | None = None,
    from_archive: str | None = None,
    step: Step = at_once,
) -> Outcome:
    """Brings the source's app in Lumos to what the source says now; returns what came of it.

    What a run before this one left half done is brought to its end first. An error that is none of
    ours is a bug; it is raised without its text, which may quote a row.

    Args:
        source: of the workspace.
        workspace: open.
        transform: called between reading and judging: gets the accounts' rows, every column as
            text, and returns them. It may drop rows, which the outcome counts, and change columns;
            the column `source row` must stay as it is. For other tables, a function by the table's
            name.
        allow_removals: approve the plan that is held, and carry it out if it is still the same.
        as_of: read the exports of this day.
        from_archive: upload the snapshot of this accepted run again.
        step: runs each stage, `step("extract", stage)`; a flow may make a task of it.

    Raises:
        GuardError: a guard holds the plan, nothing was uploaded; `error.run_id` is the held run.
        IngestError: the run failed; the ledger has the same line.
    """
    context = replace(workspace, transforms=to_transforms(transform))
    state = workspace.settings.state
    outcome = without_text(
        partial(
            sync_source,
            source,
            context,
            allow_removals=allow_removals,
            step=_without_text(step, state),
            origin=SnapshotOrigin(as_of, from_archive),
        ),
        state,
    )
    if outcome.run.state == "held":
        raise held_error(source.name, outcome.run.run_id, outcome.planned)
    return outcome


def preview(
    source: Source, workspace: RunContext, *, transform: "Transforms | None" = None
) -> Preview:
    """Returns what a sync would do now: `planned` has the plan, the rejects and the verdict.

    Nothing is uploaded, and a guard raises nothing.

    Raises:
        IngestError: the source cannot be read whole, or not under its file.
    """
    context = replace(workspace, transforms=to_transforms(transform))
    return without_text(partial(preview_source, source, context), workspace.settings.state)


def send_activity(source: Source, workspace: RunContext, *, step: Step = at_once) -> Sending:
    """Sends the source's activity since its watermark, and moves the watermark on.

    Raises:
        IngestError: the run failed; the ledger has the same line.
    """
    state = workspace.settings.state
    return without_text(partial(send, source, workspace, step=_without_text(step, state)), state)


def backfill(
    source: Source,
    workspace: RunContext,
    *,
    since: str | date | datetime,
    until: str | date | datetime,
    window: str = "1d",
    again: bool = False,
) -> list[Sending]:
    """Sends the activity from `since` on, before `until`, by windows; returns what was sent.

    Windows that are done are passed over, unless `again`: after a failure, the same call goes on.
    A time without a zone is of the source file's `activity.timezone`.

    Raises:
        ConfigError: a time or a duration cannot be meant.
        IngestError: a window's run failed; those after it are left for the next call.
    """
    spans = to_spans(source, str(since), str(until), window, workspace.now())
    sent = without_text(
        lambda: list(send_windows(source, spans, workspace, again=again)), workspace.settings.state
    )
    return [one.sending for one in sent if one.sending is not None]


def _without_text(step: Step, state: Path) -> Step:
    """Returns `step` of stages whose bugs have lost their text: a task's errors are kept."""
    return lambda name, stage: step(name, partial(without_text, stage, state))
