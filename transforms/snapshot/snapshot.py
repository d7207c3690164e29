"""From raw rows to a snapshot: tables conformed and linked, what was rejected kept as it was."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

import polars as pl

from schemas.export_file import ExportFile
from schemas.raw import Raw, RawTable
from schemas.snapshot import Snapshot
from schemas.source_file.file import SourceFile
from schemas.tables import ENTITLEMENT_KEY, GRANTS, LINES, RESOURCES, ROW
from transforms.associations.collect import GrantSources
from transforms.associations.from_table import of_nothing
from transforms.associations.link import Linked, with_entitlement_rows
from transforms.associations.pairs import packed_of, row_numbers, sorted_once, unpack
from transforms.snapshot.close import closed, still_held
from transforms.snapshot.entitlements import Catalogue, to_catalogue, with_needed
from transforms.snapshot.keep_associations import (
    AssociationRejects,
    kept_association_rows,
    kept_pairs,
    pairs_of_accounts,
    to_association_rejects,
)
from transforms.snapshot.keep_last import (
    CarriedForward,
    count_carried,
    keep_last,
    kept_before,
    kept_rows,
)
from transforms.snapshot.kept import completed_rows, no_kept, since_first_kept
from transforms.snapshot.oddities import cut_warnings, entitlement_warnings
from transforms.tables.accounts import KEY as ACCOUNT_KEY
from transforms.tables.accounts import to_accounts
from transforms.tables.columns import with_wanted_names
from transforms.tables.conform import Conformed
from transforms.tables.entitlements import RESOURCE_KEY, to_resources
from transforms.tables.left_out import is_left_out
from transforms.tables.rejects import TableCount, no_rejects
from transforms.tables.several_rows import account_ids, is_superseded


@dataclass(frozen=True, slots=True)
class Normalized:
    """A snapshot and the account of how it came to be.

    Attributes:
        snapshot: canonical tables, what rejects keep included.
        rejects: `REJECTS`, by table, then line.
        counts: by table name.
        warnings: what a person should know.
        files: the exports that were read, which are archived once the snapshot is accepted.
        kept: `KEPT`: what rejects keep, since when, and the lines that cannot be read.
        lines: `LINES`: where each account of the snapshot was read, in its order; no row where the
            snapshot was not read from a source.
        older: what of it may be older than what was accepted last; empty for nothing.
        emptied_status: the columns of the status that are blank in every row, and in the last
            accepted read were not.
        proof: what shows that the read was whole, a sentence a part.
    """

    snapshot: Snapshot
    rejects: pl.DataFrame
    counts: dict[str, TableCount]
    warnings: tuple[str, ...]
    files: tuple[ExportFile, ...] = ()
    kept: pl.DataFrame = field(default_factory=no_kept)
    lines: pl.DataFrame = field(default_factory=partial(pl.DataFrame, schema=LINES))
    older: str = ""
    emptied_status: tuple[str, ...] = ()
    proof: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rows:
    """A read without what is no row of its tables.

    Attributes:
        raw: its tables; what was left out is counted as dropped.
        left_out: the ids of accounts that were.
    """

    raw: Raw
    left_out: pl.Series


def to_rows(raw: Raw, file: SourceFile, now: datetime) -> Rows:
    """What of `raw` says what is: without what `leave_out` names, and associations of nothing.

    Raises:
        SourceFormatError: a column that the file names is missing.
    """
    accounts, older = _newest_only(_ruled(raw.accounts, file), file, now)
    associations = raw.associations and _ruled(raw.associations, file)
    if associations is not None:
        no_line = pl.repeat(False, associations.rejects.height, dtype=pl.Boolean, eager=True)
        associations = _without(associations, of_nothing(associations, file), no_line)
    left_out = pl.Series("key", [], dtype=pl.String)
    if accounts.rows.height < raw.accounts.rows.height:
        before, after = (account_ids(one, file, now) for one in (raw.accounts, accounts))
        if before is not None and after is not None:
            left_out = before.filter(~before.is_in(after.implode())).drop_nulls().alias("key")
    whole = replace(
        raw,
        warnings=(*raw.warnings, *older),
        accounts=accounts,
        entitlements=raw.entitlements and _ruled(raw.entitlements, file),
        resources=raw.resources and _ruled(raw.resources, file),
        associations=associations,
    )
    return Rows(whole, left_out)


def _ruled(table: RawTable, file: SourceFile) -> RawTable:
    return _without(table, *is_left_out(table, file.leave_out))


def _newest_only(
    table: RawTable, file: SourceFile, now: datetime
) -> tuple[RawTable, tuple[str, ...]]:
    """The accounts without rows that a newer one supersedes, and what to say of these."""
    older = is_superseded(table, file, now)
    if not older.any():
        return table, ()
    note = f"{table.origin}: {older.sum()} rows have a newer row of their account: left out"
    return _without(table, older, pl.repeat(False, table.rejects.height, eager=True)), (note,)


def _without(table: RawTable, rows: pl.Series, lines: pl.Series) -> RawTable:
    """`table` without the rows and the lines where the masks are true, counted as dropped."""
    count = int(rows.sum()) + int(lines.sum())
    if not count:
        return table
    return replace(
        table,
        rows=table.rows.filter(~rows),
        rejects=table.rejects.filter(~lines) if lines.any() else table.rejects,
        dropped_count=table.dropped_count + count,
    )


def to_snapshot(
    raw: Raw, file: SourceFile, last: Snapshot, now: datetime, kept: pl.DataFrame | None = None
) -> Normalized:
    """The snapshot that `raw` describes.

    Args:
        raw: a whole read.
        file: how its columns are meant.
        last: the last accepted snapshot, for what rejects keep; an empty one where they keep none.
        now: for times that cannot be, UTC.
        kept: `KEPT` of the run that left `last`.

    Raises:
        SourceFormatError: a column that the file names is missing or is there in two spellings, an
            unknown one is refused, or the cells of entitlements are cut off.
    """
    before = no_kept() if kept is None else kept
    rows = to_rows(with_wanted_names(raw, file), file, now)
    del raw
    accounts, warnings = to_accounts(rows.raw.accounts, file, now, last.accounts)
    warnings = (*warnings, *cut_warnings(rows.raw.accounts, file))
    carried = _kept_accounts(rows, accounts, last, before)
    sources = GrantSources.read(rows.raw, file, accounts)
    rejected = rows.raw.accounts.rows.select(pl.all().gather(accounts.rejected_index))
    # From here on of the cells only the rejected rows' are wanted, and where each row stood. The
    # rest is let go before as much is needed for the accounts in their order.
    rows = _without_cells(rows)
    people, account_rows = _in_order(accounts, carried.records)
    accounts = replace(accounts, rows=accounts.rows.select(*ACCOUNT_KEY, "user_status"))
    resources, resource_count, resource_rejects, kept_resources = _resources(
        rows.raw, file, last, before
    )
    catalogue = to_catalogue(
        rows.raw.entitlements,
        file,
        last,
        sources.named(rows.raw),
        kept_before(before, "entitlements"),
    )
    missing = pl.concat([rows.left_out, accounts.row_rejects["key"].drop_nulls()]).unique()
    linked = sources.linked(
        rows.raw, people, account_rows, catalogue.entitlements, catalogue.of_two_types, missing
    )
    del sources
    links = _carried(rejected, file, last, carried, accounts, linked, before)
    snapshot, linked = _with_needed(people, catalogue, resources, last, links, linked)
    linked, not_given = _without_more(linked, snapshot, last, accounts)
    grants, association_count, also = _grants(snapshot, last, linked, links)
    snapshot = replace(snapshot, grants=grants)
    rejects_of_links = [one.rejects for one in linked]
    del linked

    counts = {"accounts": count_carried(accounts.count, carried), "associations": association_count}
    if rows.raw.entitlements:
        counts["entitlements"] = catalogue.count
    if rows.raw.resources:
        counts["resources"] = resource_count
    now_kept = [
        kept_rows("accounts", carried, ACCOUNT_KEY),
        completed_rows(accounts),
        kept_association_rows(last, also, links.rejects),
    ]
    if catalogue.kept:
        now_kept.append(kept_rows("entitlements", catalogue.kept, ENTITLEMENT_KEY))
    if kept_resources:
        now_kept.append(kept_rows("resources", kept_resources, RESOURCE_KEY))
    return Normalized(
        snapshot,
        pl.concat(
            [
                accounts.rejects,
                catalogue.rejects,
                resource_rejects,
                *rejects_of_links,
            ]
        ),
        counts,
        (
            *rows.raw.warnings,
            *warnings,
            *not_given,
            *entitlement_warnings(snapshot, last, catalogue.of_two_types),
        ),
        rows.raw.files,
        since_first_kept(pl.concat(now_kept), before, now),
        _lines(rows.raw.accounts, accounts, account_rows, people.height),
        older=rows.raw.older,
        proof=rows.raw.proof,
    )


def _without_cells(rows: Rows) -> Rows:
    """`rows` with where its accounts stood in the source alone."""
    accounts = rows.raw.accounts
    return replace(
        rows, raw=replace(rows.raw, accounts=replace(accounts, rows=accounts.rows.select(ROW)))
    )


def _kept_accounts(
    rows: Rows, accounts: Conformed, last: Snapshot, before: pl.DataFrame
) -> CarriedForward:
    """The accounts that rejects keep, none more open than its own row says."""
    kept = keep_last(
        last.accounts, accounts, rows.raw.accounts, ACCOUNT_KEY, kept_before(before, "accounts")
    )
    if not kept.records.height:
        return kept
    of_rows = accounts.rows.select(pl.all().gather(accounts.rejected_index))
    return replace(kept, records=closed(kept.records, of_rows))


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


def _lines(table: RawTable, accounts: Conformed, rows: pl.Series, count: int) -> pl.DataFrame:
    """`LINES` of the snapshot's `count` accounts; `rows` are those of the accepted ones."""
    places = table.places(table.rows[ROW].gather(accounts.accepted_index))
    names = pl.Enum(places["file"].unique(maintain_order=True))  # one byte a row, not the text
    file = pl.repeat(None, count, dtype=names, eager=True)
    line = pl.repeat(None, count, dtype=pl.UInt32, eager=True)
    return pl.DataFrame(
        {
            "file": file.scatter(rows, places["file"].cast(names)),
            "line": line.scatter(rows, places["row"]),
        }
    )


def _together(records: pl.DataFrame, kept: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Both, in `records`' columns, sorted by `key`."""
    if kept.height:
        same = [column for column in records.columns if column in kept.columns]
        records = pl.concat([records, kept.select(same)], how="diagonal")
    return records if records[key[0]].is_sorted() else records.sort(key)


def _resources(
    raw: Raw, file: SourceFile, last: Snapshot, before: pl.DataFrame
) -> tuple[pl.DataFrame, TableCount, pl.DataFrame, CarriedForward | None]:
    """The resources, their count and rejects, and what is kept of them."""
    if raw.resources is None:
        return pl.DataFrame(schema=RESOURCES), TableCount(), no_rejects(), None
    conformed = to_resources(raw.resources, file)
    known = kept_before(before, "resources")
    kept = keep_last(last.resources, conformed, raw.resources, RESOURCE_KEY, known)
    together = _together(conformed.records, kept.records, RESOURCE_KEY)
    return together, count_carried(conformed.count, kept), conformed.rejects, kept


@dataclass(frozen=True, slots=True)
class _CarriedLinks:
    """Associations of the last snapshot (`GRANTS`, under its own row numbers) that are kept.

    Attributes:
        of_accounts: with the rejected accounts that hold them.
        of_rejects: for rejected associations.
        rejects: these.
    """

    of_accounts: pl.DataFrame
    of_rejects: pl.DataFrame
    rejects: AssociationRejects

    @property
    def all(self) -> pl.DataFrame:
        """Both."""
        if not self.of_rejects.height:
            return self.of_accounts
        return pl.concat([self.of_accounts, self.of_rejects]).unique()


def _carried(
    rejected: pl.DataFrame,
    file: SourceFile,
    last: Snapshot,
    kept: CarriedForward,
    accounts: Conformed,
    linked: list[Linked],
    before: pl.DataFrame,
) -> _CarriedLinks:
    """The associations of `last` that rejects keep; `rejected` are the raw rows of accounts."""
    rejects = pl.concat([no_rejects(), *(one.rejects for one in linked)])
    ids = last.accounts[ACCOUNT_KEY[0]]
    of_links = to_association_rejects(rejects, ids, kept_before(before, "associations"))
    of_rejects = kept_pairs(last, of_links)
    none = pl.DataFrame(schema=GRANTS)
    if not file.entitlements or not kept.records.height:
        # Where no cell of an account says what it holds, its rejected row took nothing along.
        return _CarriedLinks(none, of_rejects, of_links)
    owners = kept.records[ACCOUNT_KEY[0]]
    own = accounts.rows[ACCOUNT_KEY[0]].gather(accounts.rejected_index)
    is_kept = own.is_in(owners.implode())
    cells, any_row = rejected.filter(is_kept), file.several_rows == "merge"
    held, said = still_held(last, cells, own.filter(is_kept), file.entitlements, any_row=any_row)
    silent = pairs_of_accounts(last, owners.filter(~owners.is_in(said.implode())))
    return _CarriedLinks(pl.concat([held, silent]), of_rejects, of_links)


def _with_needed(
    people: pl.DataFrame,
    catalogue: Catalogue,
    resources: pl.DataFrame,
    last: Snapshot,
    links: _CarriedLinks,
    linked: list[Linked],
) -> tuple[Snapshot, list[Linked]]:
    """The tables but for the grants, and `linked` under the numbers of their entitlements."""
    entitlements = with_needed(catalogue.entitlements, last, links.all)
    if entitlements.height > catalogue.entitlements.height:
        # Numbered again, not linked again: what is only carried is no end for a new association.
        moved = row_numbers(
            catalogue.entitlements.select(ENTITLEMENT_KEY), entitlements.select(ENTITLEMENT_KEY)
        )
        linked = [with_entitlement_rows(one, moved) for one in linked]
    return Snapshot(people, entitlements, resources, last.grants.clear()), linked


def _without_more(
    linked: list[Linked], snapshot: Snapshot, last: Snapshot, accounts: Conformed
) -> tuple[list[Linked], tuple[str, ...]]:
    """`linked` without what is new to accounts whose row says nobody; a warning where some was.

    Who they are is their last record's word, so they hold no more than they did by that.
    """
    ids = accounts.rows[ACCOUNT_KEY[0]].gather(accounts.completed_index)
    if not ids.len():
        return linked, ()
    owners = row_numbers(ids, snapshot.accounts[ACCOUNT_KEY[0]])
    held = packed_of(_renumbered(pairs_of_accounts(last, ids), last, snapshot).drop_nulls())
    rest, left_out = [], 0
    for one in linked:
        is_theirs = unpack(one.packed)["account"].is_in(owners.implode())
        is_new = is_theirs & ~one.packed.is_in(held.implode())
        count = int(is_new.sum())
        left_out += count
        rest.append(
            replace(one, packed=one.packed.filter(~is_new), dropped=one.dropped + count)
            if count
            else one
        )
    if not left_out:
        return linked, ()
    what = "association is" if left_out == 1 else "associations are"
    note = (
        f"{left_out} new {what} left out, of accounts whose rows have neither an e-mail address "
        "nor both names: they hold no more than before"
    )
    return rest, (note,)


def _renumbered(grants: pl.DataFrame, last: Snapshot, snapshot: Snapshot) -> pl.DataFrame:
    """`grants` of `last` under the row numbers of `snapshot`; null for what it does not have."""
    return pl.DataFrame(
        {
            "account": row_numbers(
                last.accounts["integration_specific_id"],
                snapshot.accounts["integration_specific_id"],
            ).gather(grants["account"]),
            "entitlement": row_numbers(
                last.entitlements.select(ENTITLEMENT_KEY),
                snapshot.entitlements.select(ENTITLEMENT_KEY),
            ).gather(grants["entitlement"]),
        }
    )


def _grants(
    snapshot: Snapshot, last: Snapshot, linked: list[Linked], links: _CarriedLinks
) -> tuple[pl.DataFrame, TableCount, pl.DataFrame]:
    """Who holds what now, what became of every association, and what was kept for rejected ones.

    The last is of `last`, and without what is held now all the same.
    """
    packed = pl.concat([pl.Series(dtype=pl.UInt64), *(one.packed for one in linked)])
    now = sorted_once(packed)
    count = TableCount(
        read=sum(one.read for one in linked),
        accepted=now.len(),
        merged=sum(one.merged for one in linked) + packed.len() - now.len(),
        rejected=sum(one.rejected for one in linked),
        dropped=sum(one.dropped for one in linked),
    ).check("associations")
    carried = links.all
    if not carried.height:
        return unpack(now), count, carried
    moved = _renumbered(carried, last, snapshot)
    is_there = moved.select(pl.all_horizontal(pl.all().is_not_null())).to_series()
    moved, carried = moved.filter(is_there), carried.filter(is_there)
    packed = packed_of(moved)
    together = sorted_once(pl.concat([now, packed]))
    also = carried.filter(~packed.is_in(now.implode())).join(
        links.of_rejects, on=list(GRANTS), how="semi"
    )
    return unpack(together), replace(count, kept=together.len() - now.len()), also
