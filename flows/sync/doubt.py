"""What an app may hold that no accepted run left: sent and not accepted, or told by Lumos alone."""

import logging

import polars as pl

from flows.run.context import RunContext
from flows.sync.request_files import content_hash
from flows.sync.verdict import IN_LUMOS
from loaders.lumos.accounts import compare_accounts
from schemas.errors import StateError
from schemas.plan import Breach
from schemas.run import Run
from schemas.snapshot import Snapshot
from schemas.source_file.guards import Guards
from schemas.statuses import OF_LUMOS
from transforms.snapshot.in_doubt import extended, lost_to_rejects, to_live_snapshot

_log = logging.getLogger(__name__)

MOST_DOUBTS = 5
"""Of so many uploads that were not accepted, the newest ones, each may be what the app holds."""

OF_REJECTS = "accounts that Lumos holds, whose rows are rejects here"


def doubted_snapshots(doubtful: list[Run], base: Run | None, context: RunContext) -> list[Snapshot]:
    """What the uploads that were not accepted would have left, newest first, each once."""
    seen = {base.content_hash} if base else set()
    snapshots: list[Snapshot] = []
    for run in doubtful:
        if run.content_hash in seen or len(snapshots) == MOST_DOUBTS:
            continue
        seen.add(run.content_hash)
        try:
            snapshot = context.archive.saved_snapshot(run.source, run.run_id)
            if content_hash(snapshot) == run.content_hash:  # else it was never sent
                snapshots.append(snapshot)
        except StateError as error:
            _log.warning(
                "run %s, which was not accepted, is not compared with: %s", run.run_id, error
            )
    return snapshots


def kept_from(
    last: Snapshot | None, doubts: tuple[Snapshot, ...], live: pl.DataFrame | None
) -> Snapshot | None:
    """What rejected rows keep their records of; None where nobody knows of any account."""
    snapshots = [one for one in (last, *doubts) if one is not None]
    if live is not None and live.height:
        snapshots.append(to_live_snapshot(live))
    if not snapshots:
        return None
    kept = snapshots[0]
    for more in snapshots[1:]:
        kept = extended(kept, more)
    return kept


def stricter(*breaches: tuple[Breach, ...]) -> tuple[Breach, ...]:
    """The breaches of several comparisons; of one guard and the same kind of rows the greatest."""
    strictest: dict[tuple[str, str | None], Breach] = {}
    for breach in (one for group in breaches for one in group):
        key = breach.guard, breach.of or breach.table
        other = strictest.get(key)
        if other is None or breach.found - breach.allowed > other.found - other.allowed:
            strictest[key] = breach
    return tuple(strictest.values())


def full_app_breaches(live: pl.DataFrame, guards: Guards, *, is_fed: bool) -> tuple[Breach, ...]:
    """Whether a first sync goes into an app that Lumos already fills.

    Lumos tells ids and statuses alone: what the accounts hold is not compared.

    Args:
        live: the accounts that Lumos holds.
        guards: what the source file allows.
        is_fed: whether a run of this ledger has sent something to the app.
    """
    count = live.height
    if not count or is_fed or guards.first_into_full_app == "allow":
        return ()
    full = Breach("first_into_full_app", "hold", 0, count, count, of=IN_LUMOS)
    return (full,)


def strayed(base: Run, last: Snapshot, live: pl.DataFrame) -> int:
    """How many accounts Lumos holds otherwise than `base` left them, as if another upload had come.

    Either something else feeds the app, or ledger and archive are older than what it was fed: both
    restored from one backup, they cannot tell by each other.

    Args:
        base: the run that was accepted last.
        last: the snapshot it left.
        live: the accounts that Lumos holds.
    """
    sent = last.accounts.select(unique_identifier="integration_specific_id", status="user_status")
    differences = compare_accounts(sent, live)
    by_lumos = pl.col("found_status").is_in(OF_LUMOS).fill_null(value=False)
    count = differences.filter(~by_lumos).height
    if count:
        _log.warning(
            "%s: Lumos holds %d accounts otherwise than run %s left them, the last accepted one: "
            "something else has fed the app since; or ledger and archive were restored from a "
            "backup, and the app has gone on: then say so with lumos-ingest repair --reason WHY, "
            "and look at a preview",
            *(base.source, count, base.run_id),
        )
    return count


def strayed_breaches(count: int, live: pl.DataFrame, guards: Guards) -> tuple[Breach, ...]:
    """Whether Lumos holds accounts otherwise than the last accepted run left them."""
    if not count or guards.changed_in_lumos == "allow":
        return ()
    key = "changed_in_lumos"
    return (Breach(key, "hold", 0, count, live.height, of=IN_LUMOS),)


def reject_breaches(
    live: pl.DataFrame, snapshot: Snapshot, rejects: pl.DataFrame
) -> tuple[Breach, ...]:
    """Accounts that would be removed because of a rejected row, which is no removal."""
    lost = lost_to_rejects(live, snapshot, rejects)
    if not lost:
        return ()
    key = "max_removed_accounts"
    return (Breach(key, "0", 0, lost, live.height, of=OF_REJECTS),)
