"""The verdict on a plan: what the guards say of it, and what a person decided of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import polars as pl

from loaders.ledger.decisions import DecidedRun
from schemas.guards import GUARD, is_approvable
from schemas.plan import Breach, Counted
from schemas.run import Decision, Run, SeenBreach
from schemas.snapshot import Snapshot
from schemas.source_file.guards import Guards
from schemas.statuses import CAN_LOG_IN, GONE
from transforms.plan.guards import broken, judged_of

IN_LUMOS = "accounts that Lumos holds"
"""What a share is of where there is no accepted snapshot to go by."""

COULD_IN_LUMOS = f"{IN_LUMOS} and that could log in"


Bearing = Literal["approves", "lapsed", "other_plan", "rejects"]
"""What a person's decision has to do with a plan.

It approves it; it did, and has lapsed; it approved another plan; it rejects it.
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guards say of a plan, and what a person said of it.

    Attributes:
        breaches: the guards it breaks.
        decision: what a person decided of a plan that was held before; None where that has nothing
            to do with this one.
        bearing: what it has to do with this one; None without a decision.
    """

    breaches: tuple[Breach, ...]
    decision: Decision | None = None
    bearing: Bearing | None = None

    @property
    def is_held(self) -> bool:
        """Whether nothing may be uploaded."""
        return bool(self.breaches) and self.bearing != "approves"

    @property
    def approves_run(self) -> str | None:
        """The held run whose plan this is, where a person approved it; None where no one did."""
        return self.decision.run_id if self.decision and self.bearing == "approves" else None

    @property
    def stale_approval_of(self) -> str | None:
        """The held run that a person approved, where this is another plan."""
        return self.decision.run_id if self.decision and self.bearing == "other_plan" else None

    def __str__(self) -> str:
        """What may be logged: not who decided, and not why."""
        if not self.breaches:
            return "the guards let it pass"
        breaches = "; ".join(map(str, self.breaches))
        run_id = self.decision.run_id if self.decision else ""
        match self.bearing:
            case "approves":
                return f"approved by a person, held as run {run_id}: {breaches}"
            case "lapsed":
                return f"held: {breaches}; the approval of run {run_id} has lapsed"
            case "other_plan":
                return (
                    f"held: {breaches}; the source has moved since run {run_id} was held: its "
                    "approval was of another plan"
                )
            case "rejects":
                return f"held: {breaches}; the same plan was rejected as run {run_id}"
            case None:
                return f"held: {breaches}"


def decide(
    breaches: tuple[Breach, ...],
    waiting: DecidedRun | None,
    rejected: DecidedRun | None,
    is_same: Callable[[Run], bool],
    now: datetime,
) -> Verdict:
    """The verdict on a plan that breaks `breaches`.

    An approval is for the very plan that was seen: the same in all that would be uploaded, for the
    same app, against the same accepted run, and with no breach that is new or worse.

    Args:
        breaches: the guards it breaks.
        waiting: the source's held run that waits, and the newest decision on it.
        rejected: the plan for this app, against this run, that a person rejected last.
        is_same: whether a held run's plan is this one; asked only where it decides.
        now: an approval may have lapsed by then.
    """
    if not breaches:
        return Verdict(())
    approval = waiting.decision if waiting is not None else None
    if waiting is None or approval is None or approval.decision != "approve":
        approval = None
    elif approval.has_lapsed(now):
        return Verdict(breaches, approval, "lapsed")
    elif _has_seen(waiting.run, breaches) and is_same(waiting.run):
        return Verdict(breaches, approval, "approves")
    if rejected is not None and is_same(rejected.run):
        return Verdict(breaches, rejected.decision, "rejects")
    return Verdict(breaches, approval, "other_plan") if approval else Verdict(breaches)


def _has_seen(held: Run, breaches: tuple[Breach, ...]) -> bool:
    """Whether who saw the held run has seen each of the breaches, or a worse one."""
    return all(
        is_approvable(breach.guard) and any(seen.covers(breach) for seen in held.breaches)
        for breach in seen_breaches(breaches)
    )


def seen_breaches(breaches: tuple[Breach, ...]) -> tuple[SeenBreach, ...]:
    """The breaches as a person sees them, in an order that does not depend on the guards'."""
    return tuple(
        sorted(
            SeenBreach(breach.guard, breach.found, breach.base, breach.limit, _of(breach))
            for breach in breaches
        )
    )


def _of(breach: Breach) -> str:
    """What its share is of, where that is not the guard's own table: plans held before had none."""
    of = breach.of or breach.table or ""
    return "" if breach.guard in GUARD and of == GUARD[breach.guard].table else of


def live_breaches(live: pl.DataFrame, snapshot: Snapshot, guards: Guards) -> tuple[Breach, ...]:
    """What an upload would take from, and give to, the accounts that Lumos holds in the app.

    For a first upload there is no accepted snapshot to compare with, but the app may have been fed
    by other means, or the ledger may be new. And after an upload that failed, or whose end nobody
    saw, the app may hold what was never accepted. Then what Lumos holds is the base: ids and
    statuses, for it tells no more.
    """
    now = snapshot.accounts.select(
        unique_identifier="integration_specific_id", status_now="user_status"
    )
    both = live.join(now, on="unique_identifier", how="left")
    held = both.filter(~pl.col("status").is_in(GONE).fill_null(value=False))
    could = held.filter(pl.col("status").is_in(CAN_LOG_IN))
    is_gone, can = pl.col("status_now").is_null(), pl.col("status_now").is_in(CAN_LOG_IN)
    opened = both.filter(~pl.col("status").is_in(CAN_LOG_IN) & can)
    counted = (
        ("max_removed_accounts", held.filter(is_gone), held.height, IN_LUMOS),
        ("max_removed_accounts", could.filter(is_gone), could.height, COULD_IN_LUMOS),
        ("max_deactivated_accounts", could.filter(~can), could.height, COULD_IN_LUMOS),
        ("max_activated_accounts", opened, could.height, COULD_IN_LUMOS),
    )
    return broken(
        judged_of(Counted(guard, rows.height, base, of), getattr(guards, guard))
        for guard, rows, base, of in counted
    )
