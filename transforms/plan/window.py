"""The guards over a window: what drifts night by night, each night within its bounds."""

from collections.abc import Callable, Sequence

from schemas.plan import Breach, Plan
from schemas.snapshot import Snapshot
from schemas.source_file.guards import Guards
from transforms.plan.guards import check_guards, check_window
from transforms.plan.plan import to_plan

Saved = Callable[[], Snapshot | None]
"""Fetches an accepted snapshot; None where it is there no more."""


def window_breaches(
    plan: Plan, snapshot: Snapshot, last: Snapshot, earlier: Sequence[Saved], guards: Guards
) -> tuple[Breach, ...]:
    """The shares that `snapshot` breaks, doubled, against what was accepted a window ago.

    But for those that tonight's changes break by themselves.

    A night that was beyond its own bounds was let through by a person, or announced in the source
    file: what drifted is counted from there.

    Args:
        plan: what `snapshot` changes against `last`.
        snapshot: the one in question.
        last: the snapshot that was accepted last.
        earlier: those accepted before it, oldest first: the first is a window old, or the oldest
            there is. None is fetched on a night that has nothing of what a share bounds, and only
            that one unless a share is broken.
        guards: the source file's.
    """
    if not any(one.found for one in plan.counted):
        return ()
    oldest = next(filter(None, (saved() for saved in earlier)), None)
    if oldest is None:
        return ()
    tonight = {(one.guard, one.of) for one in check_guards(plan, {}, guards)}
    drifted = check_window(plan, to_plan(snapshot, oldest), guards)
    breaches = tuple(one for one in drifted if (one.guard, one.of) not in tonight)
    return _since_the_last_word(breaches, plan, snapshot, [*earlier, lambda: last], guards)


def _since_the_last_word(
    breaches: tuple[Breach, ...],
    plan: Plan,
    snapshot: Snapshot,
    nights: Sequence[Saved],
    guards: Guards,
) -> tuple[Breach, ...]:
    """`breaches`, each counted from the newest night that was itself beyond its bound."""
    kept: list[Breach] = []
    newer: Snapshot | None = None
    for saved in reversed(nights):
        if not breaches:
            break
        older = saved()
        if newer is not None and older is not None:
            step = check_guards(to_plan(newer, older), {}, guards)
            beyond = {(one.guard, one.of) for one in step}
            if any((one.guard, one.of) in beyond for one in breaches):
                since = check_window(plan, to_plan(snapshot, newer), guards)
                kept += [one for one in since if (one.guard, one.of) in beyond]
                breaches = tuple(one for one in breaches if (one.guard, one.of) not in beyond)
        newer = older or newer
    return (*breaches, *kept)
