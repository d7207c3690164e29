"""From raw rows to a snapshot: every table conformed, linked, and what was rejected kept as it last was."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from schemas.contracts import EntitlementsContract
from schemas.raw import Raw, RawTable
from schemas.snapshot import Snapshot
from schemas.source_file import SourceFile
from schemas.tables import ENTITLEMENTS, RESOURCES, ROW
from transforms.accounts import KEY as ACCOUNT_KEY
from transforms.accounts import to_accounts
from transforms.associations import (
    CellPieces,
    Linked,
    conform_associations,
    entitlement_ids,
    link_cells,
    link_table,
    pieces_of,
)
from transforms.conform import Conformed
from transforms.entitlements import (
    ENTITLEMENT_KEY,
    RESOURCE_KEY,
    named_only,
    to_entitlements,
    to_resources,
)
from transforms.held import recode, sorted_once, unpack
from transforms.keep import NO_RECORD, KeptRecords, kept_pairs, kept_records
from transforms.rejects import TableCount, failures, no_rejects
from transforms.rows import row_numbers


@dataclass(frozen=True, slots=True)
class Normalized:
    """A snapshot and the account of how it came to be.

    Attributes:
        snapshot: canonical tables, what rejects keep included.
        rejects: `REJECTS`, by table, then line.
        counts: by table name.
        warnings: what a person should know.
    """

    snapshot: Snapshot
    rejects: pl.DataFrame
    counts: dict[str, TableCount]
    warnings: tuple[str, ...]


def to_snapshot(raw: Raw, file: SourceFile, last: Snapshot, now: datetime) -> Normalized:
    """The snapshot that `raw` describes.

    Args:
        raw: a whole read.
        file: how its columns are meant.
        last: the last accepted snapshot, for what rejects keep; an empty one where they keep
            nothing.
        now: for times that cannot be, UTC.

    Raises:
        SourceFormatError: a column that the file names is missing, or an unknown one is refused.
    """
    accounts, warnings = to_accounts(raw.accounts, file, now)
    kept = _kept(last.accounts, accounts, raw.accounts, ACCOUNT_KEY)
    rows = _together(accounts.records, kept.records, ACCOUNT_KEY)
    ids = rows["integration_specific_id"]
    resources, resource_count, resource_rejects = _resources(raw, file, last)

    cells = [
        pieces_of(raw.accounts.rows[one.column].gather(accounts.index), one)
        for one in file.entitlements
    ]
    grants = conform_associations(raw.associations, file) if raw.associations else None
    catalogue, entitlement_count, entitlement_rejects = _catalogue(raw, file, last, cells, grants)

    linked = _linked(raw, file, accounts, ids, catalogue, cells, grants)
    reject_keys = _association_keys(linked)
    types = tuple(one.type for one in file.entitlements) if raw.associations else None
    carried = last.held.filter(
        kept_pairs(last, reject_keys, kept.records["integration_specific_id"], types)
    )
    catalogue, needed = _with_needed(catalogue, last, carried)
    if needed:
        linked = _linked(raw, file, accounts, ids, catalogue, cells, grants)
    held, association_count = _held(last, rows, catalogue, linked, carried, grants)

    counts = {"accounts": _with_kept(accounts.count, kept), "associations": association_count}
    if raw.entitlements:
        counts["entitlements"] = entitlement_count
    if raw.resources:
        counts["resources"] = resource_count
    rejects = pl.concat(
        [accounts.rejects, entitlement_rejects, resource_rejects, *(one.rejects for one in linked)]
    )
    return Normalized(
        Snapshot(rows, catalogue, resources, held),
        rejects,
        counts,
        (*raw.warnings, *warnings, *_unreadable_warning(kept)),
    )


def _kept(last: pl.DataFrame, now: Conformed, table: RawTable, key: list[str]) -> KeptRecords:
    """What the rejects of `table` keep of `last`; the reader's own rejects hold guessed keys."""
    guessed = table.rejects["key"]
    certain = now.rejects.join(
        table.rejects.select("file", "row"), on=["file", "row"], how="anti", maintain_order="left"
    )
    return kept_records(last, now.records, certain["key"], guessed, key)


def _together(records: pl.DataFrame, kept: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Both, in `records`' columns, sorted by `key`; a kept record lacks what the source no longer has."""
    if kept.height:
        same = [column for column in records.columns if column in kept.columns]
        records = pl.concat([records, kept.select(same)], how="diagonal")
    if len(key) == 1 and records[key[0]].is_sorted():
        return records
    return records.sort(key)


def _with_kept(count: TableCount, kept: KeptRecords) -> TableCount:
    return TableCount(count.read, count.accepted, count.merged, count.rejected, kept.records.height)


def _unreadable_warning(kept: KeptRecords) -> tuple[str, ...]:
    if not kept.for_unreadable:
        return ()
    return (
        f"{kept.for_unreadable} accounts that are missing were kept: a rejected row has no readable id, "
        "and may be any of them",
    )


def _resources(
    raw: Raw, file: SourceFile, last: Snapshot
) -> tuple[pl.DataFrame, TableCount, pl.DataFrame]:
    if raw.resources is None:
        return pl.DataFrame(schema=RESOURCES), TableCount(), no_rejects()
    found = to_resources(raw.resources, file)
    kept = _kept(last.resources, found, raw.resources, RESOURCE_KEY)
    together = _together(found.records, kept.records, RESOURCE_KEY)
    return together, _with_kept(found.count, kept), found.rejects


def _catalogue(
    raw: Raw,
    file: SourceFile,
    last: Snapshot,
    cells: list[CellPieces],
    grants: Conformed | None,
) -> tuple[pl.DataFrame, TableCount, pl.DataFrame]:
    """The entitlements: those of a table of their own, then those that only cells or associations name."""
    named = [named_only(one.ids) for one in cells]
    if raw.entitlements is None and grants is not None:
        named.append(named_only(entitlement_ids(grants.records)))
    said = pl.DataFrame(schema=ENTITLEMENTS)
    count, rejects = TableCount(), no_rejects()
    if raw.entitlements is not None:
        found = to_entitlements(raw.entitlements, file)
        kept = _kept(last.entitlements, found, raw.entitlements, ENTITLEMENT_KEY)
        said = pl.concat([found.records, kept.records])
        count, rejects = _with_kept(found.count, kept), found.rejects
    only_named = pl.concat([pl.DataFrame(schema=ENTITLEMENTS), *named]).unique()
    only_named = only_named.join(said, on=ENTITLEMENT_KEY, how="anti")
    broken = failures(only_named, EntitlementsContract.to_schema())["index"]
    sound = only_named.with_row_index("n").filter(~pl.col("n").is_in(broken.implode())).drop("n")
    sound = sound.filter(~pl.struct(ENTITLEMENT_KEY).is_duplicated())
    return _in_order(pl.concat([said, sound])), count, rejects


def _in_order(entitlements: pl.DataFrame) -> pl.DataFrame:
    return entitlements.sort("integration_specific_resource_id", "integration_specific_id")


def _with_needed(
    catalogue: pl.DataFrame, last: Snapshot, carried: pl.DataFrame
) -> tuple[pl.DataFrame, int]:
    """The catalogue with the entitlements that only carried associations still need, and how many those are."""
    used = last.entitlements[carried["entitlement"].unique().sort().to_list()]
    needed = used.join(catalogue, on=ENTITLEMENT_KEY, how="anti")
    return (
        _in_order(pl.concat([catalogue, needed])) if needed.height else catalogue
    ), needed.height


def _linked(
    raw: Raw,
    file: SourceFile,
    accounts: Conformed,
    ids: pl.Series,
    catalogue: pl.DataFrame,
    cells: list[CellPieces],
    grants: Conformed | None,
) -> list[Linked]:
    linked = []
    if cells:
        account_rows = row_numbers(accounts.records["integration_specific_id"], ids)
        at = pl.DataFrame(
            {
                ROW: raw.accounts.rows[ROW].gather(accounts.index),
                "account_id": accounts.records["integration_specific_id"],
            }
        ).with_columns(pl.lit(raw.accounts.origin).alias("file"))
        for one, column in zip(cells, file.entitlements, strict=True):
            linked.append(link_cells(one, account_rows, catalogue, column, at))
    if raw.associations is not None and grants is not None:
        linked.append(link_table(raw.associations, grants, ids, catalogue))
    return linked


def _association_keys(linked: list[Linked]) -> pl.Series:
    keys = pl.concat([pl.Series("key", dtype=pl.String), *(one.rejects["key"] for one in linked)])
    return keys.filter((keys != NO_RECORD).fill_null(value=True))


def _held(
    last: Snapshot,
    accounts: pl.DataFrame,
    catalogue: pl.DataFrame,
    linked: list[Linked],
    carried: pl.DataFrame,
    grants: Conformed | None,
) -> tuple[pl.DataFrame, TableCount]:
    found = pl.concat([pl.Series(dtype=pl.UInt64), *(one.packed for one in linked)])
    now = sorted_once(found)
    read = sum(one.read for one in linked)
    merged = found.len() - now.len() + (grants.count.merged if grants else 0)
    count = TableCount(read, now.len(), merged, read - now.len() - merged)
    if not carried.height:
        return unpack(now), count
    ids = accounts["integration_specific_id"]
    moved = recode(
        carried,
        row_numbers(last.accounts["integration_specific_id"], ids),
        row_numbers(last.entitlements.select(ENTITLEMENT_KEY), catalogue.select(ENTITLEMENT_KEY)),
    )
    together = sorted_once(pl.concat([now, moved]))
    return unpack(together), TableCount(
        count.read, count.accepted, count.merged, count.rejected, together.len() - now.len()
    )
