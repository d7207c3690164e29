"""The order of a sync, as plain functions: extract, transform, plan, publish. No Prefect here.

`sync_source` is the one order. A command calls its stages at once; the Prefect flow hands in a
`step` that makes each a task.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from extractors.exports.archiving import archive_exports
from flows.notices.notify import with_notices
from flows.run.app_identity import app_of
from flows.run.attempt import Stages, attempt
from flows.run.consistency import check_consistent
from flows.run.context import RunContext, Step, at_once, lumos_of, no_such_app
from flows.run.locks import AppLocks, app_locks
from flows.sync.held import approve_waiting
from flows.sync.origin import THE_SOURCE, SnapshotOrigin, check_origin, normalized_of
from flows.sync.plan import Planned, Target, check_rejects, make_plan, to_target
from flows.sync.publish import READING, publish, save_held
from flows.sync.recover import goes_on, recover_interrupted
from flows.sync.summary import breach_summary, plan_summary, read_summary, run_counts
from flows.sync.verdict import seen_breaches
from loaders.lumos.apps import create_app
from schemas.errors import ConfigError
from schemas.export_file import ExportFile
from schemas.run import Run, RunScope
from schemas.source_file.file import Source
from schemas.source_file.zones.exports import Dropped

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one sync.

    Attributes:
        run: done, held or unchanged.
        planned: its snapshot and its plan.
        recovered: the runs that had been cut off and were brought to their end before.
        origin: what the snapshot was taken from.
    """

    run: Run
    planned: Planned
    recovered: tuple[str, ...]
    origin: SnapshotOrigin = THE_SOURCE


def sync_source(
    source: Source,
    context: RunContext,
    *,
    allow_removals: bool = False,
    step: Step = at_once,
    origin: SnapshotOrigin = THE_SOURCE,
) -> Outcome:
    """Brings the source's app to what the source says now; a plan that a guard stops is held.

    A plan that was held and that a person approved is carried out. With `allow_removals` the one
    that waits is approved first.

    Another `origin` gives the snapshot of a past day, or one that was accepted before; it goes
    through plan and guards like any other.

    What the last run left is recovered before the source is read: a job under way is waited for, a
    plan that may have been sent is sent again, the same bytes.

    Raises:
        IngestError: the run failed; where it had begun, the ledger has the same line.
        BugError: so it did, for a reason of our own.
    """

    def work() -> Outcome:
        return _sync(source, context, origin, step, allow_removals=allow_removals)

    return with_notices(source, "sync", context, work)


def _sync(
    source: Source,
    context: RunContext,
    origin: SnapshotOrigin,
    step: Step,
    *,
    allow_removals: bool,
) -> Outcome:
    check_origin(source, origin, context)
    with app_locks(context) as locks:
        app_id = _take_app(source, context, locks)
        check_consistent(source.name, context)
        recovered = recover_interrupted(source, app_id, context, locks)
        if allow_removals:
            approve_waiting(source, context)

        stages = Stages(step)

        def work(run: Run) -> tuple[Run, Planned]:
            planned, target = _plan(source, context, run, stages, origin)
            run = _carry_out(source, context, locks, run, planned, target, stages)
            if run.state in {"done", "unchanged"}:
                _archive(source, context, planned.normalized.files)
            return run, planned

        window = source.file.guards.window
        scope = RunScope(source.name, app_id)
        run, planned = attempt(scope, context, work, goes_on, window, stages)
    return Outcome(run, planned, recovered, origin)


def _take_app(source: Source, context: RunContext, locks: AppLocks) -> str | None:
    """The app's id, its lease taken; None where the app is yet to be made.

    Raises:
        ConfigError: it is not in Lumos, and may not be made; or a person must say which it is.
        LumosError: Lumos could not be asked.
        BusyError: another run is at work on it.
    """
    app = source.file.app
    # By the name it goes by until it has an id, so that two runs never make it twice.
    locks.take(app.id or app.name or "")
    app_id = app_of(source, context)
    if app_id is not None:
        locks.take(app_id)
    elif app.create is None:
        raise no_such_app(source)
    return app_id


def _plan(
    source: Source,
    context: RunContext,
    run: Run,
    step: Step,
    origin: SnapshotOrigin,
) -> tuple[Planned, Target]:
    """Extract, transform, plan; the raw rows are let go as soon as they are normalized."""
    target = to_target(source, run.app_id, context)
    _check_feeds_alone(source, target, context)
    normalized = normalized_of(source, origin, target, context, step, run.run_id)
    context.archive.save_frame(source.name, run.run_id, "rejects", normalized.rejects)
    context.archive.save_frame(source.name, run.run_id, "kept", normalized.kept)
    context.archive.save_frame(source.name, run.run_id, "lines", normalized.lines)
    context.ledger.update_run(
        run.run_id, expect=READING, counts=run_counts(normalized), plan=read_summary(normalized)
    )
    check_rejects(source, normalized)
    planner = partial(make_plan, source, context, normalized, target)
    return step("plan", planner), target


def _carry_out(
    source: Source,
    context: RunContext,
    locks: AppLocks,
    run: Run,
    planned: Planned,
    target: Target,
    step: Step,
) -> Run:
    """Holds, skips or publishes; the run as it ended."""
    locks.check()
    run = context.ledger.update_run(
        run.run_id,
        expect=READING,
        base_run_id=planned.base.run_id if planned.base else None,
        plan={
            **read_summary(planned.normalized),
            **plan_summary(planned.plan, planned.verdict),
            "guards": [breach_summary(judged) for judged in planned.judged],
        },
        breaches=seen_breaches(planned.verdict.breaches),
        counts=run_counts(planned.normalized, planned.plan),
    )
    snapshot = planned.normalized.snapshot
    if planned.verdict.is_held:
        return save_held(run, snapshot, str(planned.verdict), context)
    may_skip = source.file.upload.unchanged == "skip" and target.is_certain
    if planned.plan.is_empty and may_skip:
        return context.ledger.update_run(
            run.run_id, expect=READING, state="unchanged", ended_at=context.now()
        )
    approval = planned.verdict.decision
    if approval is not None and planned.verdict.approves_run:
        run = context.ledger.update_run(
            run.run_id,
            approved_by=approval.actor,
            approved_at=approval.decided_at,
            approves_run_id=approval.run_id,
        )
    if run.app_id is None:
        app_id = create_app(lumos_of(context), source.file.app, check=locks.check)
        locks.take(app_id)
        run = context.ledger.update_run(run.run_id, app_id=app_id)
    published: Run = step(
        "publish", partial(publish, source, run, lambda: snapshot, context, locks)
    )
    return published


def _archive(source: Source, context: RunContext, files: Sequence[ExportFile]) -> None:
    """Moves the accepted run's exports; what cannot be moved is a warning, the upload is done."""
    options = source.file.source
    if isinstance(options, Dropped):
        workspace = context.settings.workspace
        for problem in archive_exports(options, files, workspace, context.resolve):
            _log.warning("%s: %s", source.name, problem)


def _check_feeds_alone(source: Source, target: Target, context: RunContext) -> None:
    """Two sources that feed one app under two names of it would remove each other's accounts.

    Raises:
        ConfigError: the app was last fed by another source that this workspace still has.
    """
    feeders = [target.base] if target.base else target.doubtful[:1]
    other = feeders[0].source if feeders else source.name
    folder = context.settings.workspace / "sources"
    if other != source.name and any(
        (folder / f"{other}.{end}").exists() for end in ("yaml", "yml")
    ):
        raise ConfigError(
            f"{source.path}: app: the source {other} feeds the same app; an upload is a snapshot "
            "of its app, so each would remove the other's accounts"
        )
