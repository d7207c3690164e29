"""From raw rows to a snapshot: tables conformed and linked, what was rejected kept as it was."""

from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from schemas.export_file import ExportFile
from schemas.raw import Raw
from schemas.snapshot import Snapshot
from schemas.source_file.file import SourceFile
from schemas.tables import ENTITLEMENT_KEY, RESOURCES
from transforms.associations.collect import GrantSources
from transforms.associations.link import Linked, with_entitlement_rows
from transforms.associations.pairs import recode, row_numbers, sorted_once, unpack
from transforms.snapshot.entitlements import to_catalogue, with_needed
from transforms.snapshot.keep_last import (
    CarriedForward,
    count_carried,
    has_unreadable,
    keep_last,
    kept_pairs,
)
from transforms.tables.accounts import KEY as ACCOUNT_KEY
from transforms.tables.accounts import to_accounts
from transforms.tables.columns import with_wanted_names
from transforms.tables.conform import NO_RECORD, Conformed
from transforms.tables.entitlements import RESOURCE_KEY, to_resources
from transforms.tables.rejects import TableCount, no_rejects


@dataclass(frozen=True, slots=True)
class Normalized:
    """A snapshot and the account of how it came to be.

    Attributes:
        snapshot: canonical tables, what rejects keep included.
        rejects: `REJECTS`, by table, then line.
        counts: by table name.
        warnings: what a person should know.
        files: the exports that were read, which are archived once the snapshot is accepted.
    """

    snapshot: Snapshot
    rejects: pl.DataFrame
    counts: dict[str, TableCount]
    warnings: tuple[str, ...]
    files: tuple[ExportFile, ...] = ()


def to_snapshot(raw: Raw, file: SourceFile, last: Snapshot, now: datetime) -> Normalized:
    """The snapshot that `raw` describes.

    Args:
        raw: a whole read.
        file: how its columns are meant.
        last: the last accepted snapshot, for what rejects keep; an empty one where they keep none.
        now: for times that cannot be, UTC.

    Raises:
        SourceFormatError: a column that the file names is missing, is there in two spellings, or an
            unknown one is refused.
    """
    raw = with_wanted_names(raw, file)
    accounts, warnings = to_accounts(raw.accounts, file, now)
    kept = keep_last(last.accounts, accounts, raw.accounts, ACCOUNT_KEY)
    rows, account_rows = _in_order(accounts, kept.records)
    resources, resource_count, resource_rejects, kept_resources = _resources(raw, file, last)
    grant_sources = GrantSources.read(raw, file, accounts)
    catalogue = to_catalogue(raw.entitlements, file, last, grant_sources.named(raw))

    linked = grant_sources.linked(raw, rows, account_rows, catalogue.entitlements)
    carried = _carried(file, last, kept, linked)
    entitlements = with_needed(catalogue.entitlements, last, carried)
    if entitlements.height > catalogue.entitlements.height:
        # Numbered again, not linked again: what is only carried is no end for a new association.
        moved = row_numbers(
            catalogue.entitlements.select(ENTITLEMENT_KEY), entitlements.select(ENTITLEMENT_KEY)
        )
        linked = [with_entitlement_rows(one, moved) for one in linked]
    snapshot = Snapshot(rows, entitlements, resources, last.grants.clear())
    grants, association_count = _grants(snapshot, last, linked, carried)

    counts = {"accounts": count_carried(accounts.count, kept), "associations": association_count}
    if raw.entitlements:
        counts["entitlements"] = catalogue.count
    if raw.resources:
        counts["resources"] = resource_count
    return Normalized(
        replace(snapshot, grants=grants),
        pl.concat(
            [
                accounts.rejects,
                catalogue.rejects,
                resource_rejects,
                *(one.rejects for one in linked),
            ]
        ),
        counts,
        (
            *raw.warnings,
            *warnings,
            *_unreadable_warnings(
                accounts=kept.for_unreadable,
                entitlements=catalogue.kept_for_unreadable,
                resources=kept_resources,
                associations=association_count.kept if has_unreadable(_keys_of(linked)) else 0,
            ),
        ),
        raw.files,
    )


def _in_order(accounts: Conformed, kept: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """The accepted and the kept accounts, sorted by id, and the row of each accepted one.

    Ordered before they are gathered, so that a million accounts are copied once.
    """
    candidates, index = accounts.rows, accounts.accepted_index
    if kept.height:
        same = [column for column in candidates.columns if column in kept.columns]
        added = pl.int_range(kept.height, dtype=pl.UInt32, eager=True) + candidates.height
        candidates = pl.concat([candidates, kept.select(same)], how="diagonal")
        index = pl.concat([index, added])
    ids = candidates[ACCOUNT_KEY[0]].gather(index)
    row = pl.int_range(index.len(), dtype=pl.UInt32, eager=True)
    if ids.is_sorted():
        if index.len() < candidates.height:
            candidates = candidates.select(pl.all().gather(index))
        return candidates, row.head(accounts.accepted_index.len())
    # By two columns, though the ids are unique: polars then sorts encoded rows, which lie together,
    # and is done in two thirds of the time.
    order = pl.DataFrame({"id": ids, "row": row}).select(pl.arg_sort_by("id", "row")).to_series()
    rows = candidates.select(pl.all().gather(index.gather(order)))
    return rows, row.clone().scatter(order, row).head(accounts.accepted_index.len())


def _together(records: pl.DataFrame, kept: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Both, in `records`' columns, sorted by `key`."""
    if kept.height:
        same = [column for column in records.columns if column in kept.columns]
        records = pl.concat([records, kept.select(same)], how="diagonal")
    return records if records[key[0]].is_sorted() else records.sort(key)


def _resources(
    raw: Raw, file: SourceFile, last: Snapshot
) -> tuple[pl.DataFrame, TableCount, pl.DataFrame, int]:
    """The resources, their count and rejects, and how many are kept for unreadable rows."""
    if raw.resources is None:
        return pl.DataFrame(schema=RESOURCES), TableCount(), no_rejects(), 0
    conformed = to_resources(raw.resources, file)
    kept = keep_last(last.resources, conformed, raw.resources, RESOURCE_KEY)
    together = _together(conformed.records, kept.records, RESOURCE_KEY)
    return together, count_carried(conformed.count, kept), conformed.rejects, kept.for_unreadable


def _carried(
    file: SourceFile, last: Snapshot, kept: CarriedForward, linked: list[Linked]
) -> pl.DataFrame:
    """The associations of `last` (`GRANTS`, under its own row numbers) that rejects keep."""
    keys = _keys_of(linked)
    # Where no cell of an account says what it holds, its rejected row took nothing along.
    accounts = kept.records["integration_specific_id"]
    owners = accounts if file.entitlements else accounts.clear()
    return kept_pairs(last, keys, owners)


def _keys_of(linked: list[Linked]) -> pl.Series:
    """The keys of the rejected associations that are records at all."""
    keys = pl.concat([pl.Series("key", dtype=pl.String), *(one.rejects["key"] for one in linked)])
    return keys.filter((keys != NO_RECORD).fill_null(value=True))


def _grants(
    snapshot: Snapshot, last: Snapshot, linked: list[Linked], carried: pl.DataFrame
) -> tuple[pl.DataFrame, TableCount]:
    """Who holds what now, with what is carried forward, and what became of every association."""
    packed = pl.concat([pl.Series(dtype=pl.UInt64), *(one.packed for one in linked)])
    now = sorted_once(packed)
    count = TableCount(
        read=sum(one.read for one in linked),
        accepted=now.len(),
        merged=sum(one.merged for one in linked) + packed.len() - now.len(),
        rejected=sum(one.rejected for one in linked),
        dropped=sum(one.dropped for one in linked),
    ).check("associations")
    if not carried.height:
        return unpack(now), count
    ids = snapshot.accounts["integration_specific_id"]
    moved = recode(
        carried,
        row_numbers(last.accounts["integration_specific_id"], ids),
        row_numbers(
            last.entitlements.select(ENTITLEMENT_KEY), snapshot.entitlements.select(ENTITLEMENT_KEY)
        ),
    )
    together = sorted_once(pl.concat([now, moved]))
    return unpack(together), replace(count, kept=together.len() - now.len())


def _unreadable_warnings(**kept: int) -> tuple[str, ...]:
    reason = "were kept: a rejected row has no readable id, and may be any of them"
    return tuple(f"{count} missing {table} {reason}" for table, count in kept.items() if count)
