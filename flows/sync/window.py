"""The guards over a window: what drifts night by night, each night within its bounds."""

import logging
from collections.abc import Sequence

from flows.run.context import RunContext
from flows.sync.publish import accepted_snapshot
from schemas.errors import StateError
from schemas.plan import Breach, Plan
from schemas.run import Run
from schemas.snapshot import Snapshot
from schemas.source_file.guards import Guards
from transforms.plan.guards import check_guards, check_window
from transforms.plan.plan import to_plan

_log = logging.getLogger(__name__)


def window_breaches(
    guards: Guards, context: RunContext, base: Run | None, snapshot: Snapshot, plan: Plan
) -> tuple[Breach, ...]:
    """The shares that `snapshot` breaks, doubled, against what was accepted a window ago.

    A night that was beyond its own bounds was let through by a person or announced in the source
    file: what drifted is counted from there. A snapshot that the archive lacks is passed over, and
    a warning says so.

    Args:
        guards: the source file's.
        context: whose ledger and archive have the accepted runs.
        base: the run that was accepted last.
        snapshot: the one in question.
        plan: what it changes against `base`.
    """
    if base is None or base.app_id is None or plan.is_empty or not guards.window:
        return ()
    runs = _one_a_day(context.ledger.accepted_since(base.app_id, context.now() - guards.window))
    earlier = [run for run in runs if run.run_id != base.run_id]
    oldest = next(filter(None, (_saved(run, context) for run in earlier)), None)
    if oldest is None:
        return ()
    breaches = check_window(plan, to_plan(snapshot, oldest), guards)
    if not breaches:
        return ()
    kept: list[Breach] = []
    newer = _saved(base, context)
    for run in reversed(earlier):
        older = _saved(run, context)
        if newer is None or older is None:
            continue
        deliberate = {
            (one.guard, one.of) for one in check_guards(to_plan(newer, older), {}, guards)
        }
        if deliberate & {(one.guard, one.of) for one in breaches}:
            since = check_window(plan, to_plan(snapshot, newer), guards)
            kept += [one for one in since if (one.guard, one.of) in deliberate]
            breaches = tuple(one for one in breaches if (one.guard, one.of) not in deliberate)
        newer = older
    return (*breaches, *kept)


def _one_a_day(runs: Sequence[Run]) -> list[Run]:
    """The first of the runs, and the last of each day, oldest first."""
    days = {run.ended_at.date(): run for run in runs[1:] if run.ended_at}
    return [*runs[:1], *days.values()]


def _saved(run: Run, context: RunContext) -> Snapshot | None:
    try:
        return accepted_snapshot(run, context)
    except StateError as error:
        _log.warning("%s: the guards' window looks no further: %s", run.source, error)
        return None
