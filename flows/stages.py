"""The order of a sync, as plain functions: extract, transform, plan, publish. No Prefect here.

`sync_source` is the one order. A command calls its stages at once; the Prefect flow hands in a
`step` that makes each a task.
"""

import getpass
import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from flows.planning import Planned, check_rejects, extract, make_plan, transform
from flows.publishing import accepted_snapshot, publish, save_held
from flows.settling import end_badly, settle
from flows.summary import plan_summary, run_counts
from flows.workspace import Tools
from loaders.apps import create_app, find_app
from loaders.leases import Lease, app_lease
from loaders.lumos_api import LumosApi
from schemas.errors import ConfigError, IngestError
from schemas.run import Run
from schemas.source_file import Source

_log = logging.getLogger(__name__)

Step = Callable[[str, Callable[[], Any]], Any]
"""Runs a stage by name: `step("extract", stage)` returns what `stage()` returns."""


def at_once(_name: str, stage: Callable[[], Any]) -> Any:  # noqa: ANN401 - a stage's own type
    """The step of a command that a person types: in this process, with no server to wait for."""
    return stage()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one sync: the run's state is done, held or unchanged."""

    run: Run
    planned: Planned
    settled: tuple[str, ...]


def sync_source(
    source: Source, tools: Tools, *, allow_removals: bool = False, step: Step = at_once
) -> Outcome:
    """Brings the source's app to what the source says now; a plan that a guard stops is held.

    What the last run left is settled before the source is read: a job under way is waited for, a
    plan that may have been sent is sent again, the same bytes.

    Raises:
        IngestError: the run failed; where it had begun, the ledger has the same line.
    """
    api = lumos_of(tools)
    app_id = find_app(api, source.file.app)
    with app_lease(tools.ledger, _lease_key(source, app_id, tools), now=tools.now) as lease:
        # Another process may have made the app while this one waited to be alone.
        app_id = app_id or find_app(api, source.file.app)
        if app_id is None and source.file.app.create is None:
            raise no_such_app(source)
        settled = settle(source, tools, lease)
        tools.ledger.abandon_reading(source.name, tools.now())
        run = tools.ledger.start_run(source.name, actor(), tools.now())
        try:
            planned = _plan(source, tools, run, app_id, step, allow_removals=allow_removals)
            run = _carry_out(source, tools, lease, run, app_id, planned, step)
        except IngestError as error:
            end_badly(tools, run.run_id, error)
            raise
    return Outcome(run, planned, settled)


def _plan(
    source: Source,
    tools: Tools,
    run: Run,
    app_id: str | None,
    step: Step,
    *,
    allow_removals: bool,
) -> Planned:
    """Extract, transform, plan; the raw rows are let go as soon as they are normalized."""
    base = tools.ledger.accepted_into(app_id) if app_id else None
    last = accepted_snapshot(base, tools)
    normalized = step(
        "transform",
        partial(transform, source, tools, step("extract", partial(extract, source, tools)), last),
    )
    tools.archive.save_frame(source.name, run.run_id, "rejects", normalized.rejects)
    tools.ledger.update_run(run.run_id, app_id=app_id, counts=run_counts(normalized))
    check_rejects(source, normalized)
    planned: Planned = step(
        "plan",
        partial(make_plan, source, tools, normalized, last, base, app_id, allow_removals),
    )
    return planned


def _carry_out(
    source: Source,
    tools: Tools,
    lease: Lease,
    run: Run,
    app_id: str | None,
    planned: Planned,
    step: Step,
) -> Run:
    """Holds, skips or publishes; the run as it ended."""
    run = tools.ledger.update_run(
        run.run_id,
        base_run_id=planned.base.run_id if planned.base else None,
        plan=plan_summary(planned.plan, planned.verdict),
        counts=run_counts(planned.normalized, planned.plan),
    )
    snapshot = planned.normalized.snapshot
    if planned.verdict.is_held:
        return save_held(run, snapshot, str(planned.verdict), tools)
    if planned.plan.is_empty and source.file.upload.unchanged == "skip":
        return tools.ledger.update_run(run.run_id, state="unchanged", ended_at=tools.now())
    if planned.verdict.lifts:
        run = tools.ledger.update_run(run.run_id, allowed_by=run.actor, allowed_at=tools.now())
    app_id = app_id or create_app(lumos_of(tools), source.file.app)
    run = replace(run, app_id=app_id)
    published: Run = step("publish", partial(publish, source, run, snapshot, tools, lease))
    return published


def lumos_of(tools: Tools) -> LumosApi:
    """The Lumos API of `tools`; a command that comes here has opened it."""
    if tools.api is None:
        raise ConfigError("this needs the Lumos API: set LUMOS_API_TOKEN")
    return tools.api


def actor() -> str:
    """Who runs this: `user@host`; the user's number where it has no name."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def _lease_key(source: Source, app_id: str | None, tools: Tools) -> str:
    return f"{tools.settings.api_url} {app_id or source.file.app.name}"


def no_such_app(source: Source) -> ConfigError:
    """The error of a source whose app is not in Lumos and may not be made."""
    return ConfigError(
        f"{source.path}: app.name: Lumos has no app of this exact name; correct it, or say under "
        "app.create how it may be made"
    )
