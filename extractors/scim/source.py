"""A source of kind `scim`: users as accounts, groups, roles and entitlements as entitlements."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from extractors.directory.members import paths_of
from extractors.scim.groups import (
    GROUPS,
    MEMBERS,
    GroupRows,
    Memberships,
    group_of,
    groups_to_rows,
    to_memberships,
)
from extractors.scim.listing import Lister, Listing, Page, Paging, side_by_side, to_paging
from extractors.scim.service import ScimService, opened_service
from extractors.scim.users import (
    EMAIL,
    ID,
    UserColumns,
    UserRows,
    to_user_columns,
    users_to_rows,
)
from extractors.text_rows import raw_table
from schemas.errors import SourceIncompleteError
from schemas.raw import PATH, Probe, Raw, RawTable
from schemas.source_file.columns import Named
from schemas.source_file.kinds.scim_source import ScimSource
from schemas.source_file.secrets import Resolve

_USERS, _GROUPS = "/Users", "/Groups"
_GROUP = "Group"
_TWICE = {"key": pl.String(), "value": pl.String()}
_TWICE_REASON = "has one attribute twice, in one spelling or in two: which of them holds?"
_ENTITLEMENT = ("entitlement_type", "integration_specific_id", "label")
_ASSOCIATION = ("account_id", "integration_specific_entitlement_id", PATH)


def read_scim_source(
    source: ScimSource,
    workspace: Path,
    *,
    now: datetime,
    resolve: Resolve,
    named: Named,
    id_column: str = "",
    sleep: Callable[[float], None] = time.sleep,
) -> Raw:
    """Reads every user and every group, and who holds what.

    Args:
        source: where and how.
        workspace: what paths are relative to.
        now: the moment of the read, UTC.
        resolve: fetches secrets.
        named: columns and fields that the source file names.
        id_column: the column that accounts have their id from; empty for the users' own.
        sleep: waits for so many seconds.

    Raises:
        ConfigError: a secret or the CA file is not in its place, or a column is no attribute.
        SourceUnavailableError: the service cannot be reached, or refuses the login.
        SourceIncompleteError: not all came, or there is no user.
        SourceFormatError: an answer is not as SCIM has it.
    """
    columns = to_user_columns(source, named)
    with opened_service(source, workspace, resolve, sleep) as service:
        paging = to_paging(service, source.pagination, source.page_size, source.pages_at_once)
        users = Lister(service, _USERS, users_to_rows(columns), paging).read()
        groups = groups_of(source, service, paging)
        base = service.base
    table, people = _accounts(users, columns, f"{base}{_USERS}", id_column)
    listed = _Groups.of(groups)
    memberships = to_memberships(
        people.user_ids, listed.rows["id"], listed.members, people.claims,
        nested=source.nested_groups == "effective",
    )  # fmt: skip
    entitlements, associations = _holdings(people, listed, memberships, columns, base)
    return Raw(
        accounts=table,
        entitlements=entitlements,
        resources=None,
        associations=associations,
        taken_at=now,
        proof=(users.proof, *([groups.proof] if groups else [])),
        warnings=(
            *_column_notes(table, columns, people),
            *_member_notes(memberships, listed, base),
        ),
    )


def probe_scim_source(
    source: ScimSource,
    workspace: Path,
    *,
    resolve: Resolve,
    named: Named,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[Probe, ...]:
    """Reads the first users and groups, and how many there are.

    Raises:
        ConfigError, SourceUnavailableError, SourceIncompleteError, SourceFormatError: as
            `read_scim_source`.
    """
    columns = to_user_columns(source, named)
    with opened_service(source, workspace, resolve, sleep) as service:
        paging = to_paging(service, source.pagination, source.page_size, source.pages_at_once)
        users = Lister(service, _USERS, users_to_rows(columns), paging).first(10)
        if not users.ids.len():
            raise _no_user(f"{service.base}{_USERS}")
        names = tuple(columns.cells)
        probes = [Probe("accounts", f"{service.base}{_USERS}", _count(users.total, "users"), names)]
        if source.groups:
            groups = Lister(service, _GROUPS, groups_to_rows, paging).first(10)
            said = _count(groups.total, "groups")
            probes.append(Probe("entitlements", f"{service.base}{_GROUPS}", said, _ENTITLEMENT))
    return tuple(probes)


def _count(total: int | None, what: str) -> str:
    return f"{what}, of which the service tells no number" if total is None else f"{total:,} {what}"


def _no_user(origin: str) -> SourceIncompleteError:
    return SourceIncompleteError(f"{origin}: no user there: an empty snapshot is never uploaded")


def groups_of(
    source: ScimSource, service: ScimService, paging: Paging
) -> Listing[GroupRows] | None:
    """Returns the groups; where none of them shows a member, as each shows itself.

    `members` need not be in a list of groups (RFC 7643, 7: what is returned is the service's own).
    """
    if not source.groups:
        return None
    listing = Lister(service, _GROUPS, groups_to_rows, paging).read()
    if any(page.rows.members.height for page in listing.pages):
        return listing
    ids = [group_id for page in listing.pages for group_id in page.rows.groups["id"]]
    alone = side_by_side(lambda group_id: group_of(service, group_id), ids, paging.at_once)
    shown = [Page(pl.Series("id", [], pl.String), rows, None, None) for rows in alone]
    return replace(listing, pages=[*listing.pages, *shown])


@dataclass(frozen=True, slots=True)
class _People:
    """All users, in the order in which they came.

    Attributes:
        user_ids: of the rows, then of those that have none.
        account_ids: likewise, under the column that accounts have their id from.
        held, claims: as in `UserRows`.
        twice: (`key`, `value`) of users that have no row.
        lost_managers: by column: how many name a manager that is no user.
    """

    user_ids: pl.Series
    account_ids: pl.Series
    held: pl.DataFrame
    claims: pl.DataFrame
    twice: pl.DataFrame
    lost_managers: dict[str, int]


def _accounts(
    listing: Listing[UserRows], columns: UserColumns, origin: str, id_column: str
) -> tuple[RawTable, _People]:
    pages = [page.rows for page in listing.pages]
    users = pl.concat(page.frame for page in pages)
    # A user that moved from one page to another while they were read is there twice.
    users = users.unique(ID, keep="first", maintain_order=True)
    twice = _twice_frame(row for page in pages for row in page.twice)
    if not users.height and not twice.height:
        raise _no_user(origin)
    lost = {}
    for name in sorted(columns.managers):
        addresses = (
            users[name]
            .to_frame("id")
            .join(users.select(id=ID, address=EMAIL), on="id", how="left", maintain_order="left")[
                "address"
            ]
        )
        lost[name] = int(
            (users[name].is_not_null() & ~users[name].is_in(users[ID].implode())).sum()
        )
        users = users.with_columns(addresses.alias(name))
    kept = [
        name
        for name in columns.cells
        if name in columns.stated or users[name].null_count() < users.height
    ]
    key = id_column if id_column in columns.cells else ID
    rejected = twice["key"] if key in {ID, "integration_specific_id"} else twice["key"].clear()
    missing = pl.Series([None] * (twice.height - rejected.len()), dtype=pl.String)
    people = _People(
        pl.concat([users[ID], twice["key"]]),
        pl.concat([users[key].alias(ID), rejected.alias(ID), missing.alias(ID)]),
        pl.concat(page.held for page in pages).unique(maintain_order=True),
        pl.concat(page.claims for page in pages),
        twice,
        lost,
    )
    rejects = twice if rejected.len() else twice.with_columns(key=pl.lit(None, pl.String))
    return raw_table("accounts", users.select(kept), origin, _rejected(rejects)), people


def _rejected(twice: pl.DataFrame) -> pl.DataFrame:
    return twice.with_columns(reason=pl.lit(_TWICE_REASON))


def _twice_frame(rows: Iterable[tuple[str, str]]) -> pl.DataFrame:
    return pl.DataFrame(sorted(set(rows)), schema=_TWICE, orient="row")


@dataclass(frozen=True, slots=True)
class _Groups:
    """All groups: `GROUPS`, their `MEMBERS`, and (`key`, `value`) of those that have no row."""

    rows: pl.DataFrame
    members: pl.DataFrame
    twice: pl.DataFrame

    @classmethod
    def of(cls, listing: Listing[GroupRows] | None) -> "_Groups":
        pages: Sequence[GroupRows] = [page.rows for page in listing.pages] if listing else []
        if not pages:
            return cls(pl.DataFrame(schema=GROUPS), pl.DataFrame(schema=MEMBERS), _twice_frame(()))
        rows = pl.concat(page.groups for page in pages)
        return cls(
            rows.unique("id", keep="first", maintain_order=True),
            pl.concat(page.members for page in pages),
            _twice_frame(row for page in pages for row in page.twice),
        )


def _holdings(
    people: _People, groups: _Groups, memberships: Memberships, columns: UserColumns, base: str
) -> tuple[RawTable, RawTable]:
    """Returns entitlements and associations: groups, roles, entitlements, and who holds them."""
    links = memberships.effective.links
    labels = groups.rows["label"].to_list()
    named = people.held.group_by("type", "id", maintain_order=True).agg(pl.col("label").min())
    kinds = pl.repeat(_GROUP, groups.rows.height, dtype=pl.String, eager=True)
    entitlements = pl.concat(
        [
            groups.rows.select(kinds.alias(_ENTITLEMENT[0]), "id", "label"),
            named.select(pl.col("type").alias(_ENTITLEMENT[0]), "id", "label"),
        ]
    ).rename({"id": _ENTITLEMENT[1]})
    numbers = pl.DataFrame([people.user_ids.alias("user"), people.account_ids.alias("account")])
    held = people.held.join(numbers, on="user", how="inner", maintain_order="left")
    none = pl.lit(None, pl.String)
    associations = pl.concat(
        [
            pl.DataFrame(
                [
                    people.account_ids.gather(links["account"]).alias(_ASSOCIATION[0]),
                    groups.rows["id"].gather(links["group"]).alias(_ASSOCIATION[1]),
                    paths_of(memberships.effective, labels).alias(PATH),
                ]
            ),
            held.select(
                pl.col("account").alias(_ASSOCIATION[0]),
                pl.col("id").alias(_ASSOCIATION[1]),
                none.alias(PATH),
            ),
        ]
    )
    return (
        raw_table(
            "entitlements",
            entitlements,
            f"{base}{_GROUPS}",
            _rejected(_as_entitlements(groups.twice)),
        ),
        raw_table(
            "associations",
            associations,
            f"{base}{_GROUPS}",
            _rejected(_unread(people, groups, columns)),
        ),
    )


def _unread(people: _People, groups: _Groups, columns: UserColumns) -> pl.DataFrame:
    """Returns what cannot be told of associations, as rejects that keep the last accepted ones.

    That is who is in a group that has no row, and what a user without a row has itself.
    """
    account, entitlement = pl.col("key"), pl.lit(None, pl.String)
    of_groups = groups.twice.select(_association_key(entitlement, account), "value")
    if not columns.kinds:
        return of_groups
    of_users = people.twice.select(_association_key(account, entitlement), "value")
    return pl.concat([of_groups, of_users])


def _as_entitlements(twice: pl.DataFrame) -> pl.DataFrame:
    key = pl.struct(
        pl.col("key").alias("integration_specific_id"),
        pl.lit("").alias("integration_specific_resource_id"),
    )
    return twice.with_columns(key.struct.json_encode().alias("key"))


def _association_key(account: pl.Expr, entitlement: pl.Expr) -> pl.Expr:
    key = pl.struct(
        account.alias("account_id"),
        entitlement.alias("integration_specific_entitlement_id"),
        pl.lit("").alias("integration_specific_resource_id"),
    )
    return key.struct.json_encode().alias("key")


def _column_notes(table: RawTable, columns: UserColumns, people: _People) -> list[str]:
    """Returns what a person should know of columns: an attribute that nobody has may be a typo."""
    rows = table.rows
    empty = [
        name
        for name in sorted(columns.stated & set(rows.columns))
        if rows.height and rows[name].null_count() == rows.height
    ]
    notes = [f"{table.origin}: no user has {name}" for name in empty]
    return notes + [
        f"{table.origin}: {name}: {count:,} users name one that is no user: left empty"
        for name, count in people.lost_managers.items()
        if count
    ]


def _member_notes(memberships: Memberships, groups: _Groups, base: str) -> list[str]:
    if groups.rows.height and not groups.members.height:
        return [f"{base}{_GROUPS}: no group shows a member, in the list or alone"]
    if not memberships.unmatched_times:
        return []
    count = f"{memberships.unmatched_times:,} times, {memberships.unmatched_count:,} members"
    return [f"{base}{_GROUPS}: {count} are neither users nor groups (deleted?): they are left out"]
