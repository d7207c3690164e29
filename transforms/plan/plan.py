"""The plan: a snapshot against the last accepted one."""

from dataclasses import dataclass

import polars as pl

from schemas.plan import ACCOUNT_CHANGES, ENTITLEMENT_CHANGES, Changes, Plan
from schemas.snapshot import Snapshot, associations_of
from schemas.statuses import CAN_LOG_IN
from schemas.tables import ACCOUNTS, ENTITLEMENT_KEY, ENTITLEMENTS
from transforms.associations.pairs import packed_of, recode, row_numbers, unpack
from transforms.parallel import both, two_at_once

ACCOUNT_KEY = ["integration_specific_id"]


@dataclass(frozen=True, slots=True)
class _Matched:
    """Where the rows of two versions of a table stand.

    Attributes:
        now: row numbers now of the rows in both, ascending.
        before: their row numbers before, pair by pair.
        added: row numbers now of the rows that are new.
        removed: row numbers before of the rows that are gone.
        now_of_before: each row before -> its row now, null where it is gone.
    """

    now: pl.Series
    before: pl.Series
    added: pl.Series
    removed: pl.Series
    now_of_before: pl.Series


def to_plan(snapshot: Snapshot, last: Snapshot | None) -> Plan:
    """What `snapshot` changes against `last`; against None, everything is an add."""
    before = last if last is not None else snapshot_of_nothing(snapshot)
    accounts = _matched(snapshot.accounts, before.accounts, ACCOUNT_KEY)
    entitlements = _matched(snapshot.entitlements, before.entitlements, ENTITLEMENT_KEY)
    (account_changes, changed_fields), (associations, association_changes, went_along) = both(
        lambda: _account_changes(snapshot, before, accounts),
        lambda: _association_changes(snapshot, before, accounts, entitlements),
    )
    entitlement_changes = _entitlement_changes(snapshot, before, entitlements)
    flips = account_changes.filter(pl.col("fields").list.contains("user_status"))
    labels, labels_before = snapshot.attribute_labels, before.attribute_labels
    return Plan(
        is_first=last is None,
        accounts=_counted(account_changes, before.accounts.height, snapshot.accounts.height),
        entitlements=_counted(
            entitlement_changes, before.entitlements.height, snapshot.entitlements.height
        ),
        associations=associations,
        deactivated=flips.filter(
            pl.col("status_before").is_in(CAN_LOG_IN) & ~pl.col("status_after").is_in(CAN_LOG_IN)
        ).height,
        removed_of_removed_accounts=went_along,
        by_status=_tally(snapshot.accounts["user_status"]),
        status_flips=_tally(
            flips.select(pl.format("{} → {}", "status_before", "status_after")).to_series()
        ),
        changed_fields=changed_fields,
        attributes_added=tuple(one for one in labels if one not in labels_before),
        attributes_removed=tuple(one for one in labels_before if one not in labels),
        fields_filled=_filled_only_in(snapshot, before) if last else (),
        fields_emptied=_filled_only_in(before, snapshot) if snapshot.accounts.height else (),
        account_changes=account_changes,
        entitlement_changes=entitlement_changes,
        association_changes=association_changes,
    )


def snapshot_of_nothing(like: Snapshot) -> Snapshot:
    """An empty snapshot with the columns of `like`."""
    return Snapshot(
        like.accounts.clear(),
        like.entitlements.clear(),
        like.resources.clear(),
        like.grants.clear(),
    )


def _matched(now: pl.DataFrame, before: pl.DataFrame, key: list[str]) -> _Matched:
    """`now` and `before` matched by the columns `key`, unique in each."""
    if now.select(key).equals(before.select(key)):
        same = pl.int_range(now.height, dtype=pl.UInt32, eager=True)
        return _Matched(same, same, same.clear(), same.clear(), same)
    now_of_before = row_numbers(before.select(key), now.select(key))
    is_in_both = now_of_before.is_not_null()
    pairs = pl.DataFrame(
        {"now": now_of_before.filter(is_in_both), "before": is_in_both.arg_true().cast(pl.UInt32)}
    ).sort("now")
    is_new = pl.repeat(value=True, n=now.height, eager=True).scatter(pairs["now"], False)
    return _Matched(
        pairs["now"],
        pairs["before"],
        is_new.arg_true().cast(pl.UInt32),
        (~is_in_both).arg_true().cast(pl.UInt32),
        now_of_before,
    )


def _differing(
    now: pl.DataFrame, before: pl.DataFrame, rows: _Matched, fields: list[str]
) -> pl.DataFrame:
    """The matched rows in which `fields` differ: `now` and `before` (row numbers), and which do.

    A field that one version lacks is null there.
    """

    def differs_in(name: str) -> pl.Series:
        is_other = _column(now, name, rows.now).ne_missing(_column(before, name, rows.before))
        return is_other.alias(name)

    differs = pl.DataFrame(list(two_at_once(differs_in, fields)))
    some = differs.select(pl.any_horizontal(pl.all())).to_series()
    named = differs.filter(some).select(
        fields=pl.concat_arr(pl.when(pl.col(name)).then(pl.lit(name)) for name in fields)
        .arr.to_list()
        .list.eval(pl.element().drop_nulls())
    )
    return named.select(
        rows.now.filter(some).alias("now"), rows.before.filter(some).alias("before"), "fields"
    )


def _column(table: pl.DataFrame, name: str, rows: pl.Series) -> pl.Series:
    if name not in table.columns:
        return pl.Series([None]).new_from_index(0, rows.len())
    column = table[name]
    return column if rows.len() == table.height and rows.is_sorted() else column.gather(rows)


def _filled_only_in(one: Snapshot, other: Snapshot) -> tuple[str, ...]:
    """The fields that some account of `one` has, and none of `other`."""
    return tuple(
        name
        for name in ACCOUNTS
        if one.accounts[name].null_count() < one.accounts.height
        and other.accounts[name].null_count() == other.accounts.height
    )


def _account_changes(
    snapshot: Snapshot, before: Snapshot, accounts: _Matched
) -> tuple[pl.DataFrame, dict[str, int]]:
    fields = [*ACCOUNTS, *sorted({*snapshot.attribute_labels, *before.attribute_labels})]
    differences = _differing(snapshot.accounts, before.accounts, accounts, fields[1:])
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
    tally = _tally(differences["fields"].explode())
    changes = changes.with_columns(pl.col("fields").fill_null([])).sort("integration_specific_id")
    return changes, {name: tally[name] for name in fields if name in tally}


def _entitlement_changes(
    snapshot: Snapshot, before: Snapshot, entitlements: _Matched
) -> pl.DataFrame:
    """Changes of the catalogue; a resource's new label changes the entitlements it scopes."""
    now, then = _with_resource_label(snapshot), _with_resource_label(before)
    fields = [name for name in now.columns if name not in ENTITLEMENT_KEY]
    differences = _differing(now, then, entitlements, fields)
    keys, keys_before = now.select(ENTITLEMENT_KEY), then.select(ENTITLEMENT_KEY)
    changes = pl.concat(
        [
            pl.DataFrame(schema=ENTITLEMENT_CHANGES),
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


def _association_changes(
    snapshot: Snapshot, before: Snapshot, accounts: _Matched, entitlements: _Matched
) -> tuple[Changes, pl.DataFrame, int]:
    """The counts, the frame, and how many removed associations went with their account."""
    now = packed_of(snapshot.grants)
    then = recode(before.grants, accounts.now_of_before, entitlements.now_of_before)
    went = _without(before.grants, accounts.now_of_before, entitlements.now_of_before)
    if now.equals(then):  # most nights, and far faster than to look for each
        added = dropped = now.clear()
    else:
        added = now.filter(~now.is_in(then.implode()))
        dropped = then.filter(~then.is_in(now.implode()))
    added_rows = _spelled(snapshot, unpack(added), "added")
    dropped_rows = _spelled(snapshot, unpack(dropped), "removed")
    went_rows = _spelled(before, went, "removed")
    went_along = int(accounts.now_of_before.gather(went["account"]).is_null().sum())
    removed = dropped.len() + went.height
    counts = Changes(before.grants.height, snapshot.grants.height, added.len(), 0, removed)
    return counts, pl.concat([added_rows, dropped_rows, went_rows]), went_along


def _without(grants: pl.DataFrame, account: pl.Series, entitlement: pl.Series) -> pl.DataFrame:
    """The pairs of `grants` that lack an end under new row numbers."""
    if not account.null_count() and not entitlement.null_count():
        return grants.clear()
    lost_account, lost_entitlement = account.is_null(), entitlement.is_null()
    return grants.filter(
        lost_account.gather(grants["account"]) | lost_entitlement.gather(grants["entitlement"])
    )


def _spelled(snapshot: Snapshot, grants: pl.DataFrame, change: str) -> pl.DataFrame:
    pairs = Snapshot(snapshot.accounts, snapshot.entitlements, snapshot.resources, grants)
    return associations_of(pairs).with_columns(change=pl.lit(change))


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
