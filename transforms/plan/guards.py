"""Guards: whether a plan is plausible. A breach uploads nothing; a person decides."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from fnmatch import translate

import polars as pl

from schemas.guards import GUARD, GUARDS
from schemas.plan import Breach, Counted, Plan
from schemas.source_file.guards import Guards, Watched
from schemas.source_file.quantities import Limit, duration_text
from schemas.tables import ENTITLEMENT_KEY
from transforms.tables.rejects import TableCount

EMPTIED_FROM = 3
"""An entitlement with as many holders is emptied when none of them holds it any more.

But where all of them left: accounts that go have a bound of their own.
"""

REPLACED = 2
"""With as many, when all are there still and others hold it in their place."""

_SHOWN = 10
_ORDER = {guard.key: place for place, guard in enumerate(GUARDS)}


def check_guards(plan: Plan, counts: dict[str, TableCount], guards: Guards) -> tuple[Breach, ...]:
    """The guards that the plan breaks, in order; where none, it may be uploaded."""
    return broken(judge(plan, counts, guards))


def broken(judged: Iterable[Breach]) -> tuple[Breach, ...]:
    """Those that are broken; accounts that are gone are told once, of all or of those that could.

    Two thirds of the accounts gone are two thirds of those that could log in, or about.
    """
    kept: list[Breach] = []
    for one in judged:
        is_told = one.guard == "max_removed_accounts" and one.guard in {two.guard for two in kept}
        if one.is_broken and not is_told:
            kept.append(one)
    return tuple(kept)


def judge(plan: Plan, counts: dict[str, TableCount], guards: Guards) -> tuple[Breach, ...]:
    """What each guard counts and allows, broken or not, in the order of `GUARDS`.

    Shares are of those it can happen to in the last accepted snapshot; of rejects, of the rows
    read, without those that a transform dropped, table by table: the many associations of a few
    accounts must not make room for rejected accounts. A first run gives and takes nothing.
    """
    judged = [_least(plan, guards), *_rejected(counts, guards)]
    if not plan.is_first:
        judged += [judged_of(one, getattr(guards, one.guard)) for one in plan.counted]
        judged += [_emptied(plan, guards), *_per_entitlement(plan, guards)]
        judged += [line for watched in guards.watched for line in _watched(plan, watched)]
    return tuple(sorted(judged, key=lambda one: _ORDER[one.guard]))


_COMES_BY = {
    "max_swapped_emails": {"max_changed_emails", "max_added_accounts"},
    "max_respelled_ids": {"max_added_accounts", "max_removed_accounts"},
}
"""By what else of a night the count of a guard can grow over a window."""


def check_window(tonight: Plan, since: Plan, guards: Guards) -> tuple[Breach, ...]:
    """The shares that are broken, doubled, against a snapshot accepted a while ago.

    And what is never allowed, which is not allowed bit by bit either. Only by what goes on tonight:
    a night that adds nothing to a drift is no reason to hold.

    Args:
        tonight: the plan against the last accepted snapshot.
        since: the plan against the older one.
        guards: the source file's.
    """
    goes_on = {(one.guard, one.of) for one in tonight.counted if one.found}
    begun = {guard for guard, _ in goes_on}
    lost = tonight.holder_changes.filter(pl.col("lost") > 0).select(ENTITLEMENT_KEY)
    lately = since.holder_changes.join(lost, on=ENTITLEMENT_KEY, how="semi", nulls_equal=True)
    found = [_emptied(replace(since, holder_changes=lately), guards)]
    for one in since.counted:
        limit = getattr(guards, one.guard)
        comes_by = _COMES_BY.get(one.guard, set())
        if limit.is_share and (one.guard, one.of) in goes_on:
            found.append(doubled(one, limit, guards.window))
        elif comes_by & begun and not limit.is_share:
            found.append(judged_of(one, limit))
    return broken(found)


_GIVES = frozenset({"max_added_accounts", "max_activated_accounts", "max_added_associations"})


def check_older(plan: Plan, older: str) -> tuple[Breach, ...]:
    """What a plan gives that comes from something older: a person decides on any of it.

    It may be that things are as they were; or whoever was closed meanwhile is opened.

    Args:
        plan: what the snapshot changes.
        older: what it comes from (`Normalized.older`); nothing is older where it is empty.
    """
    if not older:
        return ()
    given = (one for one in plan.counted if one.guard in _GIVES and one.found)
    return broken(_line(one, f"none from {older}", 0) for one in given)


def check_emptied_status(plan: Plan, columns: tuple[str, ...]) -> tuple[Breach, ...]:
    """Whoever can log in since columns of the status are blank in every row, which they were not.

    Absence is no good news: a person decides on any of them.
    """
    if not columns:
        return ()
    names = ", ".join(map(repr, columns))
    limit = f"none where the status is told by {names}, blank in every row now"
    opened = (one for one in plan.counted if one.guard == "max_activated_accounts" and one.found)
    return broken(_line(one, limit, 0) for one in opened)


def judged_of(counted: Counted, limit: Limit) -> Breach:
    """A count beside what `limit` allows."""
    allowed = limit.allowed(counted.base, counted.floor or GUARD[counted.guard].floor)
    return _line(counted, str(limit), allowed)


def doubled(counted: Counted, limit: Limit, window: timedelta) -> Breach:
    """A count over a window beside twice what `limit` allows of a night."""
    allowed = 2 * limit.allowed(counted.base, counted.floor or GUARD[counted.guard].floor)
    return _line(counted, f"{limit}, doubled over {duration_text(window)}", allowed)


def _line(counted: Counted, limit: str, allowed: int) -> Breach:
    return Breach(
        counted.guard,
        limit,
        allowed,
        counted.found,
        counted.base,
        table=GUARD[counted.guard].table,
        of=counted.of,
        ids=counted.ids,
    )


def _least(plan: Plan, guards: Guards) -> Breach:
    """An empty snapshot is never uploaded, whatever the file says."""
    count, least = plan.accounts.after, max(guards.min_accounts, 1)
    return Breach(
        "min_accounts",
        str(guards.min_accounts),
        least,
        count,
        count,
        table="accounts",
    )


def _rejected(counts: dict[str, TableCount], guards: Guards) -> Iterable[Breach]:
    limit, floor = guards.max_rejected_rows, GUARD["max_rejected_rows"].floor
    for table, count in counts.items():
        allowed = limit.allowed(count.judged, floor)
        yield Breach(
            "max_rejected_rows",
            str(limit),
            allowed,
            count.rejected,
            count.judged,
            table=table,
            of=table,
        )


def _emptied(plan: Plan, guards: Guards) -> Breach:
    """Entitlements none of whose holders holds them any more, gone from the catalogue or not."""
    is_emptied = (
        (pl.col("before") >= EMPTIED_FROM)
        & (pl.col("lost") == pl.col("before"))
        & (pl.col("lost_by_others") > 0)
    )
    is_replaced = (
        (pl.col("before") == REPLACED)
        & (pl.col("lost_by_others") == REPLACED)
        & (pl.col("gained") > 0)
    )
    emptied = plan.holder_changes.filter(is_emptied | is_replaced)
    counted = Counted(
        "max_emptied_entitlements", emptied.height, plan.entitlements.before, "entitlements",
        ids=_named(emptied),
    )  # fmt: skip
    return judged_of(counted, guards.max_emptied_entitlements)


def _per_entitlement(plan: Plan, guards: Guards) -> Iterable[Breach]:
    """The entitlement that goes furthest beyond what one may lose, and may gain.

    What comes and goes with accounts that do is bounded with them.
    """
    bounds = guards.per_entitlement
    had = pl.col("before")
    losing = plan.holder_changes.filter(had >= bounds.from_holders)
    gaining = plan.holder_changes.filter(~pl.col("is_new")).with_columns(
        had.clip(lower_bound=bounds.from_holders).alias("before")
    )
    return (
        *_worst("per_entitlement.max_removed", losing, "lost_by_others", bounds.max_removed),
        *_worst("per_entitlement.max_added", gaining, "gained_by_others", bounds.max_added),
    )


def _watched(plan: Plan, watched: Watched) -> Iterable[Breach]:
    """The same of the entitlements that are watched: by their label, before or now.

    One that is given such a label is given to all who hold it, and taken from all by losing it.
    """
    pattern = re.compile(translate(watched.label), re.IGNORECASE)

    def is_watched(label: str) -> pl.Series:
        labels = plan.holder_changes[label].to_list()
        found = [one is not None and pattern.match(one) is not None for one in labels]
        return pl.Series(found, dtype=pl.Boolean)

    is_now, was = is_watched("label"), is_watched("label_before")
    has = pl.col("before") + pl.col("gained") - pl.col("lost")
    rows = plan.holder_changes.with_columns(
        gained=pl.when(is_now & was).then("gained").when(is_now).then(has).otherwise(0),
        lost=pl.when(is_now & was).then("lost").when(was).then("before").otherwise(0),
        before=pl.when(was).then("before").otherwise(0),
    ).filter(is_now | was)
    return (
        *_worst("watched.max_added", rows, "gained", watched.max_added),
        *_worst("watched.max_removed", rows, "lost", watched.max_removed),
    )


def _worst(key: str, rows: pl.DataFrame, column: str, limit: Limit) -> Iterable[Breach]:
    """The one row that is furthest beyond its limit, with how many are; none where none changed."""
    lines = [
        (found - limit.allowed(base, GUARD[key].floor), found, base)
        for found, base in rows.select(column, "before").iter_rows()
        if found
    ]
    if not lines:
        return ()
    _, found, base = max(lines)
    beyond = pl.Series([over > 0 for over, _, _ in lines])
    several = int(beyond.sum())
    of = "holders of an entitlement" + (f" ({several} entitlements do)" if several > 1 else "")
    changed = rows.filter(pl.col(column) > 0).filter(beyond).sort(column, descending=True)
    counted = Counted(key, found, base, of, ids=_named(changed))
    return (judged_of(counted, limit),)


def _named(holders: pl.DataFrame) -> tuple[str, ...]:
    label = pl.coalesce("label", "label_before")
    named = holders.head(_SHOWN).select(
        pl.format("{} (had {}, +{}, -{})", label, "before", "gained", "lost")
    )
    return tuple(named.to_series().to_list())
