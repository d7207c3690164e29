"""The guards' verdict on a plan: let it pass, hold it, or let a held one through for a person."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from loaders.lumos.accounts import read_accounts
from loaders.lumos.client import LumosApi
from schemas.plan import Breach
from schemas.run import Run, SeenBreach
from schemas.snapshot import Snapshot
from schemas.source_file.guards import Guards
from schemas.statuses import CAN_LOG_IN, GONE
from transforms.plan.guards import FLOOR

IN_LUMOS = "accounts that Lumos holds"
"""What a share is of where there is no accepted snapshot to go by."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guards say of a plan.

    Attributes:
        breaches: the guards it breaks.
        approves_run: the held run whose plan this is, where a person lets that one through; None
            where no one has to or does.
        stale_approval_of: the held run that was to be let through, where the plan is no longer the
            same.
    """

    breaches: tuple[Breach, ...]
    approves_run: str | None = None
    stale_approval_of: str | None = None

    @property
    def is_held(self) -> bool:
        """Whether nothing may be uploaded."""
        return bool(self.breaches) and self.approves_run is None

    def __str__(self) -> str:
        if not self.breaches:
            return "the guards let it pass"
        breaches = "; ".join(map(str, self.breaches))
        if self.approves_run:
            return f"let through by a person, held as run {self.approves_run}: {breaches}"
        stale = (
            f"; the source has moved since run {self.stale_approval_of} was held"
            if self.stale_approval_of
            else ""
        )
        return f"held: {breaches}{stale}"


def decide(
    breaches: tuple[Breach, ...],
    held: Run | None,
    app_id: str | None,
    base: Run | None,
    content_hash: Callable[[], str],
) -> Verdict:
    """The verdict on a plan that breaks `breaches`.

    Args:
        breaches: the guards it breaks.
        held: the run whose plan a person lets through, if one was held and a person does.
        app_id: the app it would go to.
        base: the accepted run the plan is against.
        content_hash: the hash of the plan's snapshot; asked for only where it decides.
    """
    if not breaches or held is None or not all(breach.is_removal for breach in breaches):
        return Verdict(breaches)
    seen = (held.app_id, held.base_run_id, held.breaches)
    if seen != (app_id, base.run_id if base else None, seen_breaches(breaches)):
        return Verdict(breaches, stale_approval_of=held.run_id)
    if held.content_hash != content_hash():
        return Verdict(breaches, stale_approval_of=held.run_id)
    return Verdict(breaches, approves_run=held.run_id)


def seen_breaches(breaches: tuple[Breach, ...]) -> tuple[SeenBreach, ...]:
    """The breaches as a person sees them, in an order that does not depend on the guards'."""
    return tuple(
        sorted(
            SeenBreach(breach.guard, breach.found, breach.base, breach.limit) for breach in breaches
        )
    )


def live_breaches(
    api: LumosApi, app_id: str, snapshot: Snapshot, guards: Guards
) -> tuple[Breach, ...]:
    """What an upload would take away from the accounts that Lumos holds in the app.

    For a first upload there is no accepted snapshot to compare with, but the app may have been fed
    by other means, or the ledger may be new. And after an upload that failed, or whose end nobody
    saw, the app may hold what was never accepted. Then what Lumos holds is the base: ids and
    statuses, for it tells no more.

    Raises:
        LumosError: the app's accounts could not be read.
    """
    live = read_accounts(api, app_id).filter(~pl.col("status").is_in(GONE).fill_null(value=False))
    now = snapshot.accounts.select(
        unique_identifier="integration_specific_id", status_now="user_status"
    )
    both = live.join(now, on="unique_identifier", how="left")
    can = pl.col("status").is_in(CAN_LOG_IN) & ~pl.col("status_now").is_in(CAN_LOG_IN)
    limits = (
        ("max_removed_accounts", guards.max_removed_accounts, both["status_now"].null_count()),
        ("max_deactivated_accounts", guards.max_deactivated_accounts, both.filter(can).height),
    )
    breaches = []
    for guard, limit, count in limits:
        allowed = limit.allowed(live.height, FLOOR)
        if count > allowed:
            breach = Breach(
                guard, str(limit), allowed, count, live.height, is_removal=True, table=IN_LUMOS
            )
            breaches.append(breach)
    return tuple(breaches)
