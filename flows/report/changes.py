"""What a run's plan changes, by account, entitlement and department: from its saved snapshot."""

from dataclasses import dataclass

import polars as pl

from flows.report.hashes import Names
from flows.run.context import RunContext
from schemas.errors import StateError
from schemas.plan import Plan
from schemas.run import Run
from schemas.snapshot import Snapshot
from schemas.statuses import CAN_LOG_IN
from transforms.plan.plan import to_plan

ACCOUNTS_SHOWN = 100
"""Accounts that a page lists; the rest is a number."""

MOVERS_SHOWN = 12
"""Entitlements, and departments, that a page lists."""

_ID = "integration_specific_id"
_DEPARTMENTS = ("department", "division", "business unit", "cost cent", "team", "unit", "org")
"""What attributes are called that say where a person works, in parts of lower case."""

_MOST_DEPARTMENTS = 200
"""Of an attribute that has more values, none is a department."""


@dataclass(frozen=True, slots=True)
class Mover:
    """An entitlement or a department, and how much of it changes.

    Attributes:
        name: as the page may name it.
        before: how many accounts it had; None where that is not told.
        gained: how many come.
        lost: how many go.
        changed: how many stay and are otherwise changed; None of an entitlement.
    """

    name: str
    before: int
    gained: int
    lost: int
    changed: int | None = None


@dataclass(frozen=True, slots=True)
class ChangedAccount:
    """An account that changes.

    Attributes:
        name: as the page may name it.
        change: `removed`, `closed`, `opened`, `added` or `changed`.
        detail: its statuses, and the fields that are others.
    """

    name: str
    change: str
    detail: str


@dataclass(frozen=True, slots=True)
class ChangesShown:
    """What a plan changes.

    Attributes:
        opened: accounts that could not log in and can now.
        entitlements: those that gain or lose most holders.
        more_entitlements: how many more do.
        department: the attribute's label; None where no attribute says that.
        departments: where most accounts change.
        more_departments: how many more there are.
        accounts: those that change, what takes away first.
        more_accounts: how many more there are.
    """

    opened: int
    entitlements: tuple[Mover, ...]
    more_entitlements: int
    department: str | None
    departments: tuple[Mover, ...]
    more_departments: int
    accounts: tuple[ChangedAccount, ...]
    more_accounts: int


def changes_of(run: Run, context: RunContext, names: Names) -> ChangesShown | str:
    """What the run's plan changes; or why the page does not tell that."""
    if run.kind != "sync" or run.content_hash is None:
        return "This run came to no plan." if run.state != "unchanged" else "Nothing changes."
    if run.base_run_id is None and run.plan.get("is_first") is False:
        return (
            "It was compared with what the app may hold, not with an accepted run: what changes "
            "account by account is not kept."
        )
    try:
        now, before = _snapshots(run, context)
    except StateError as error:
        return f"What changes account by account is not kept any more: {error}"
    return _shown(to_plan(now, before), now, before, names)


def _snapshots(run: Run, context: RunContext) -> tuple[Snapshot, Snapshot | None]:
    """The run's snapshot, and the one it was compared with; None of a first run.

    Raises:
        StateError: either is kept no more, or is damaged.
    """
    now = context.archive.saved_snapshot(run.source, run.run_id)
    if run.base_run_id is None:
        return now, None
    base = context.ledger.run(run.base_run_id)
    if base is None:
        raise StateError(f"the ledger has no run {run.base_run_id}")
    return now, context.archive.saved_snapshot(base.source, base.run_id)


def _shown(plan: Plan, now: Snapshot, before: Snapshot | None, names: Names) -> ChangesShown:
    told = plan.account_changes.with_columns(change=_kind())
    moved = plan.holder_changes.sort(pl.col("gained") + pl.col("lost"), descending=True)
    department = _department(now)
    places = _places(told, now, before, department) if department and before else []
    accounts = () if plan.is_first else _accounts(told, names)
    return ChangesShown(
        opened=0 if plan.is_first else told.filter(pl.col("change") == "opened").height,
        entitlements=tuple(
            Mover(names.of(label), had, gained, lost)
            for label, had, gained, lost in moved.head(MOVERS_SHOWN)
            .select(pl.coalesce("label", "label_before", _ID), "before", "gained", "lost")
            .iter_rows()
        ),
        more_entitlements=max(0, moved.height - MOVERS_SHOWN),
        department=department if before else None,
        departments=tuple(
            Mover(names.of(name), had, came, went, changed)
            for name, had, came, went, changed in places[:MOVERS_SHOWN]
        ),
        more_departments=max(0, len(places) - MOVERS_SHOWN),
        accounts=accounts,
        more_accounts=0 if plan.is_first else told.height - len(accounts),
    )


def _kind() -> pl.Expr:
    """What becomes of an account, `opened` and `closed` told apart from what else changes."""
    can = pl.col("status_after").is_in(CAN_LOG_IN)
    could = pl.col("status_before").is_in(CAN_LOG_IN)
    is_changed = pl.col("change") == "changed"
    return (
        pl.when(is_changed & could & ~can)
        .then(pl.lit("closed"))
        .when(is_changed & can & ~could)
        .then(pl.lit("opened"))
        .otherwise("change")
    )


_ORDER = ("removed", "closed", "opened", "added", "changed")
"""What takes away, then what gives: what a person must see."""


def _accounts(told: pl.DataFrame, names: Names) -> tuple[ChangedAccount, ...]:
    order = pl.col("change").replace_strict(dict(zip(_ORDER, range(len(_ORDER)), strict=True)))
    first = told.sort(order, _ID).head(ACCOUNTS_SHOWN)
    columns = (_ID, "change", "fields", "status_before", "status_after")
    return tuple(
        ChangedAccount(names.of(account), change, _detail(fields, status_before, status_after))
        for account, change, fields, status_before, status_after in first.select(
            columns
        ).iter_rows()
    )


def _detail(fields: list[str], before: str | None, after: str | None) -> str:
    moved = f"{before} → {after}" if before and after and before != after else after or before
    others = [field for field in fields if field != "user_status"]
    return ", ".join(filter(None, [moved, *others]))


def _department(now: Snapshot) -> str | None:
    """The custom attribute that says where people work, by its label and how many values it has."""
    few = [
        label
        for label in now.attribute_labels
        if 1 < now.accounts[label].n_unique() <= _MOST_DEPARTMENTS
    ]
    called = (label for part in _DEPARTMENTS for label in few if part in label.lower())
    return next(called, few[0] if len(few) == 1 else None)


def _places(
    told: pl.DataFrame, now: Snapshot, before: Snapshot, label: str
) -> list[tuple[str | None, int, int, int, int]]:
    """By value of the attribute: accounts before, that come, that go, that change; most first.

    One that moves goes from where it was, and comes to where it is.
    """
    columns = [pl.col(_ID), pl.lit(None, pl.String).alias("was")]
    had = before.accounts
    was = (
        had.select(_ID, pl.col(label).alias("was")) if label in had.columns else had.select(columns)
    )
    both = (
        told.select(_ID, "change")
        .join(was, on=_ID, how="left")
        .join(now.accounts.select(_ID, pl.col(label).alias("is")), on=_ID, how="left")
    )
    moves = (pl.col("change") == "added") | pl.col("is").ne_missing(pl.col("was"))
    comes = both.filter(moves & (pl.col("change") != "removed"))
    goes = both.filter(moves & (pl.col("change") != "added"))
    stays = both.filter(~moves)
    tallies = [
        was.group_by(pl.col("was").alias("place")).len("had"),
        comes.group_by(pl.col("is").alias("place")).len("came"),
        goes.group_by(pl.col("was").alias("place")).len("went"),
        stays.group_by(pl.col("is").alias("place")).len("stayed"),
    ]
    table = tallies[0]
    for tally in tallies[1:]:
        table = table.join(tally, on="place", how="full", coalesce=True, nulls_equal=True)
    table = table.with_columns(pl.col("had", "came", "went", "stayed").fill_null(0).cast(pl.Int64))
    total = pl.col("came") + pl.col("went") + pl.col("stayed")
    ordered = table.filter(total > 0).sort(total, "place", descending=[True, False])
    return ordered.select("place", "had", "came", "went", "stayed").rows()
