"""The guards' verdict on a plan: let it pass, hold it, or let a held one through for a person."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from loaders.accounts import read_accounts
from loaders.lumos_api import LumosApi
from schemas.plan import Breach
from schemas.run import Run
from schemas.snapshot import Snapshot
from schemas.source_parts import Guards
from schemas.statuses import GONE
from transforms.guards import FLOOR


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guards say of a plan.

    Attributes:
        breaches: the guards it breaks.
        lifts: the held run whose plan this is, where a person lets that one through; None where no
            one has to or does.
        moved_since: the held run that was to be let through, where the plan is no longer the same.
    """

    breaches: tuple[Breach, ...]
    lifts: str | None = None
    moved_since: str | None = None

    @property
    def is_held(self) -> bool:
        """Whether nothing may be uploaded."""
        return bool(self.breaches) and self.lifts is None

    def __str__(self) -> str:
        if not self.breaches:
            return "the guards let it pass"
        said = "; ".join(map(str, self.breaches))
        if self.lifts:
            return f"let through by a person, held as run {self.lifts}: {said}"
        moved = (
            f"; the source has moved since run {self.moved_since} was held"
            if self.moved_since
            else ""
        )
        return f"held: {said}{moved}"


def judge(
    breaches: tuple[Breach, ...],
    held: Run | None,
    base: Run | None,
    content_hash: Callable[[], str],
) -> Verdict:
    """The verdict on a plan that breaks `breaches`.

    Args:
        breaches: the guards it breaks.
        held: the run whose plan a person lets through, if one was held and a person does.
        base: the accepted run the plan is against.
        content_hash: the hash of the plan's snapshot; asked for only where it decides.
    """
    if not breaches or held is None or not all(breach.is_removal for breach in breaches):
        return Verdict(breaches)
    is_same_base = held.base_run_id == (base.run_id if base else None)
    if is_same_base and held.content_hash == content_hash():
        return Verdict(breaches, lifts=held.run_id)
    return Verdict(breaches, moved_since=held.run_id)


def live_breach(api: LumosApi, app_id: str, snapshot: Snapshot, guards: Guards) -> Breach | None:
    """The breach of a first upload that would remove accounts the app has; None where it would not.

    With nothing accepted before there is no snapshot to compare with, but the app may have been fed
    by other means, or the ledger may be new: what Lumos holds is then the base.

    Raises:
        LumosError: the app's accounts could not be read.
    """
    live = read_accounts(api, app_id).filter(~pl.col("status").is_in(GONE).fill_null(value=False))
    ids = snapshot.accounts["integration_specific_id"]
    found = live.filter(~pl.col("unique_identifier").is_in(ids.implode())).height
    limit = guards.max_removed_accounts
    allowed = limit.allowed(live.height, FLOOR)
    if found <= allowed:
        return None
    return Breach("max_removed_accounts", str(limit), allowed, found, live.height, is_removal=True)
