"""Which associations came and went, and what that means for each entitlement's holders."""

from dataclasses import dataclass, replace

import polars as pl

from schemas.plan import HOLDER_CHANGES, Changes
from schemas.snapshot import Snapshot, associations_of
from schemas.tables import ENTITLEMENT_KEY
from transforms.associations.pairs import packed_of, recode, unpack
from transforms.plan.matched import Matched


@dataclass(frozen=True, slots=True)
class AssociationChanges:
    """What became of who holds what.

    Attributes:
        counts: how many were, are, came and went.
        frame: `ASSOCIATION_CHANGES`.
        of_removed_accounts: how many went with their account.
        of_added_accounts: how many came with their account.
        holders: `HOLDER_CHANGES`.
    """

    counts: Changes
    frame: pl.DataFrame
    of_removed_accounts: int
    of_added_accounts: int
    holders: pl.DataFrame


def association_changes(
    snapshot: Snapshot, before: Snapshot, accounts: Matched, entitlements: Matched
) -> AssociationChanges:
    """The associations of `snapshot` against those of `before`, pair by pair."""
    now = packed_of(snapshot.grants)
    then = recode(before.grants, accounts.now_of_before, entitlements.now_of_before)
    went = _without(before.grants, accounts.now_of_before, entitlements.now_of_before)
    if now.equals(then):  # most nights, and far faster than to look for each
        added = dropped = unpack(now.clear())
    else:
        added = unpack(now.filter(~now.is_in(then.implode())))
        dropped = unpack(then.filter(~then.is_in(now.implode())))
    is_left = accounts.now_of_before.gather(went["account"]).is_null()
    frame = pl.concat(
        [
            _spelled(snapshot, added, "added"),
            _spelled(snapshot, dropped, "removed"),
            _spelled(before, went, "removed"),
        ]
    )
    counts = Changes(
        before.grants.height, snapshot.grants.height, added.height, 0, dropped.height + went.height
    )
    is_new = added["account"].is_in(accounts.added.implode())
    lost = _rows_before(dropped["entitlement"], entitlements)
    stayed = went.filter(~is_left)["entitlement"]
    return AssociationChanges(
        counts,
        frame,
        int(is_left.sum()),
        int(is_new.sum()),
        _holders(
            (snapshot, before, entitlements),
            {
                "before": before.grants["entitlement"],
                "gained": added["entitlement"],
                "gained_by_others": added["entitlement"].filter(~is_new),
                "lost": pl.concat([lost, went["entitlement"]]),
                "lost_by_others": pl.concat([lost, stayed]),
            },
        )
        if frame.height or _is_relabelled(snapshot, before, entitlements)
        else pl.DataFrame(schema=HOLDER_CHANGES),
    )


def _rows_before(now: pl.Series, rows: Matched) -> pl.Series:
    """The rows before of rows now that are in both versions."""
    pairs = pl.DataFrame({"now": rows.now.cast(pl.UInt32), "before": rows.before.cast(pl.UInt32)})
    return now.to_frame("now").join(pairs, on="now", how="left", maintain_order="left")["before"]


def _is_relabelled(snapshot: Snapshot, before: Snapshot, entitlements: Matched) -> bool:
    labels = snapshot.entitlements["label"].gather(entitlements.now)
    return bool(labels.ne_missing(before.entitlements["label"].gather(entitlements.before)).any())


def _holders(
    tables: tuple[Snapshot, Snapshot, Matched], counted: dict[str, pl.Series]
) -> pl.DataFrame:
    """`HOLDER_CHANGES` from each association's entitlement: its row now if gained, else before."""
    snapshot, before, entitlements = tables
    key = [*ENTITLEMENT_KEY, "label"]
    row_now = entitlements.now_of_before.cast(pl.UInt32)
    there = before.entitlements.select(
        *ENTITLEMENT_KEY,
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("before_row"),
        pl.lit(value=False).alias("is_new"),
        row_now.alias("now_row"),
        label_before="label",
        label=snapshot.entitlements["label"].gather(row_now),
    )
    new = snapshot.entitlements.select(pl.col(key).gather(entitlements.added)).with_columns(
        entitlements.added.cast(pl.UInt32).alias("now_row"), is_new=pl.lit(value=True)
    )
    rows = pl.concat([there, new], how="diagonal")
    for name, found in counted.items():
        at = "now_row" if name.startswith("gained") else "before_row"
        tally = found.to_frame(at).group_by(at).len(name)
        rows = rows.join(tally, on=at, how="left", maintain_order="left")
    is_other = pl.col("label").ne_missing(pl.col("label_before")) & pl.col("now_row").is_not_null()
    is_relabelled = is_other & (pl.col("before") > 0)
    return (
        rows.with_columns(pl.col(*counted).fill_null(0))
        .filter((pl.col("gained") > 0) | (pl.col("lost") > 0) | is_relabelled)
        .select(pl.col(name).cast(dtype) for name, dtype in HOLDER_CHANGES.items())
    )


def _without(grants: pl.DataFrame, account: pl.Series, entitlement: pl.Series) -> pl.DataFrame:
    """The pairs of `grants` that lack an end under new row numbers."""
    if not account.null_count() and not entitlement.null_count():
        return grants.clear()
    lost_account, lost_entitlement = account.is_null(), entitlement.is_null()
    return grants.filter(
        lost_account.gather(grants["account"]) | lost_entitlement.gather(grants["entitlement"])
    )


def _spelled(snapshot: Snapshot, grants: pl.DataFrame, change: str) -> pl.DataFrame:
    pairs = associations_of(replace(snapshot, grants=grants))
    return pairs.with_columns(change=pl.lit(change))
