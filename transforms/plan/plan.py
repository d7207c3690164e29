"""The plan: a snapshot against the last accepted one."""

import polars as pl

from schemas.plan import ACCOUNT_CHANGES, Changes, Plan
from schemas.snapshot import Snapshot
from schemas.statuses import CAN_LOG_IN
from schemas.tables import ACCOUNTS, ENTITLEMENT_KEY, ENTITLEMENTS
from transforms.parallel import both
from transforms.plan.association_changes import association_changes
from transforms.plan.counted import Compared, to_counted
from transforms.plan.identity import lookalikes
from transforms.plan.matched import Matched, differing, matched

ACCOUNT_KEY = ["integration_specific_id"]


def to_plan(snapshot: Snapshot, last: Snapshot | None) -> Plan:
    """What `snapshot` changes against `last`; against None, everything is an add."""
    before = last if last is not None else snapshot_of_nothing(snapshot)
    accounts = matched(snapshot.accounts, before.accounts, ACCOUNT_KEY)
    entitlements = matched(snapshot.entitlements, before.entitlements, ENTITLEMENT_KEY)
    fields = [*ACCOUNTS, *sorted({*snapshot.attribute_labels, *before.attribute_labels})]
    differences, associations = both(
        lambda: differing(snapshot.accounts, before.accounts, accounts, fields[1:]),
        lambda: association_changes(snapshot, before, accounts, entitlements),
    )
    account_changes = _account_changes(snapshot, before, accounts, differences)
    entitlement_changes = _entitlement_changes(snapshot, before, entitlements)
    tally = _tally(differences["fields"].explode())
    compared = Compared(
        snapshot,
        before,
        accounts,
        differences,
        associations,
        _renamed(snapshot.entitlements, before.entitlements, entitlements),
        _renamed(snapshot.resources, before.resources),
        lookalikes(snapshot.accounts, before.accounts, accounts),
    )
    flips = account_changes.filter(pl.col("fields").list.contains("user_status"))
    labels, labels_before = snapshot.attribute_labels, before.attribute_labels
    return Plan(
        is_first=last is None,
        accounts=_counted(account_changes, before.accounts.height, snapshot.accounts.height),
        entitlements=_counted(
            entitlement_changes, before.entitlements.height, snapshot.entitlements.height
        ),
        associations=associations.counts,
        deactivated=flips.filter(
            pl.col("status_before").is_in(CAN_LOG_IN) & ~pl.col("status_after").is_in(CAN_LOG_IN)
        ).height,
        removed_of_removed_accounts=associations.of_removed_accounts,
        by_status=_tally(snapshot.accounts["user_status"]),
        status_flips=_tally(
            flips.select(pl.format("{} → {}", "status_before", "status_after")).to_series()
        ),
        changed_fields={name: tally[name] for name in fields if name in tally},
        attributes_added=tuple(one for one in labels if one not in labels_before),
        attributes_removed=tuple(one for one in labels_before if one not in labels),
        fields_filled=_filled_only_in(snapshot, before) if last else (),
        fields_emptied=_filled_only_in(before, snapshot) if snapshot.accounts.height else (),
        account_changes=account_changes,
        entitlement_changes=entitlement_changes,
        association_changes=associations.frame,
        holder_changes=associations.holders,
        lookalikes=compared.lookalikes,
        counted=to_counted(compared) if last else (),
    )


def snapshot_of_nothing(like: Snapshot) -> Snapshot:
    """An empty snapshot with the columns of `like`."""
    return Snapshot(
        like.accounts.clear(),
        like.entitlements.clear(),
        like.resources.clear(),
        like.grants.clear(),
    )


def _filled_only_in(one: Snapshot, other: Snapshot) -> tuple[str, ...]:
    """The fields that some account of `one` has, and none of `other`."""
    return tuple(
        name
        for name in ACCOUNTS
        if one.accounts[name].null_count() < one.accounts.height
        and other.accounts[name].null_count() == other.accounts.height
    )


def _account_changes(
    snapshot: Snapshot, before: Snapshot, accounts: Matched, differences: pl.DataFrame
) -> pl.DataFrame:
    ids, ids_before = snapshot.accounts[ACCOUNT_KEY[0]], before.accounts[ACCOUNT_KEY[0]]
    status, status_before = snapshot.accounts["user_status"], before.accounts["user_status"]
    added = pl.DataFrame(
        {
            "integration_specific_id": ids.gather(accounts.added),
            "status_after": status.gather(accounts.added),
        }
    ).with_columns(change=pl.lit("added"))
    changed = differences.select("fields", change=pl.lit("changed")).with_columns(
        ids.gather(differences["now"]).alias("integration_specific_id"),
        status_before.gather(differences["before"]).alias("status_before"),
        status.gather(differences["now"]).alias("status_after"),
    )
    removed = pl.DataFrame(
        {
            "integration_specific_id": ids_before.gather(accounts.removed),
            "status_before": status_before.gather(accounts.removed),
        }
    ).with_columns(change=pl.lit("removed"))
    changes = pl.concat(
        [pl.DataFrame(schema=ACCOUNT_CHANGES), added, changed, removed], how="diagonal"
    )
    return changes.with_columns(pl.col("fields").fill_null([])).sort("integration_specific_id")


def _renamed(now: pl.DataFrame, before: pl.DataFrame, rows: Matched | None = None) -> pl.DataFrame:
    """The rows of a catalogue in both versions whose label is another: `id`, and both labels."""
    at = rows or matched(now, before, ACCOUNT_KEY)
    return pl.DataFrame(
        {
            "id": now[ACCOUNT_KEY[0]].gather(at.now),
            "label": now["label"].gather(at.now),
            "label_before": before["label"].gather(at.before),
        }
    ).filter(pl.col("label").ne_missing(pl.col("label_before")))


def _entitlement_changes(
    snapshot: Snapshot, before: Snapshot, entitlements: Matched
) -> pl.DataFrame:
    """Changes of the catalogue; a resource's new label changes the entitlements it scopes."""
    now, then = _with_resource_label(snapshot), _with_resource_label(before)
    fields = [name for name in now.columns if name not in ENTITLEMENT_KEY]
    differences = differing(now, then, entitlements, fields)
    keys, keys_before = now.select(ENTITLEMENT_KEY), then.select(ENTITLEMENT_KEY)
    changes = pl.concat(
        [
            keys.select(pl.all().gather(entitlements.added)).with_columns(change=pl.lit("added")),
            keys.select(pl.all().gather(differences["now"])).with_columns(
                differences["fields"], change=pl.lit("changed")
            ),
            keys_before.select(pl.all().gather(entitlements.removed)).with_columns(
                change=pl.lit("removed")
            ),
        ],
        how="diagonal",
    )
    return changes.with_columns(pl.col("fields").fill_null([])).sort(
        "integration_specific_resource_id", "integration_specific_id"
    )


def _with_resource_label(snapshot: Snapshot) -> pl.DataFrame:
    labels = snapshot.resources.select(
        pl.col("integration_specific_id").alias("integration_specific_resource_id"),
        resource_label="label",
    )
    key = "integration_specific_resource_id"
    catalogue = snapshot.entitlements.select(list(ENTITLEMENTS))
    return catalogue.join(labels, on=key, how="left", maintain_order="left")


def _counted(changes: pl.DataFrame, before: int, after: int) -> Changes:
    tally = _tally(changes["change"])
    return Changes(
        before, after, tally.get("added", 0), tally.get("changed", 0), tally.get("removed", 0)
    )


def _tally(values: pl.Series) -> dict[str, int]:
    """How often each value stands there, most often first, then by value."""
    counts = values.drop_nulls().value_counts(name="n")
    value = counts.columns[0]
    return dict(counts.sort(["n", value], descending=[True, False]).iter_rows())
