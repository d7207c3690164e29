"""A directory's accounts and groups, read whole in one pass each, whatever it is read through."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from extractors.account_fields import Wanted
from extractors.ad_accounts import group_remarks
from extractors.attribute_text import first_texts
from extractors.directory_accounts import (
    account_notes,
    find_accounts,
    is_active_directory,
    model_of,
    service_dns,
    to_account_rows,
    users_search,
)
from extractors.directory_entries import Entries, Find, Search
from extractors.dn import check_dn, normal_dn
from extractors.domain_logons import Logons, with_logons
from extractors.dynamic_groups import add_dynamic_members
from extractors.group_links import Effective
from extractors.group_members import (
    Directory,
    Members,
    add_login_names,
    add_primary_groups,
    add_primary_groups_by_sid,
    named_by_groups,
    named_by_members,
)
from extractors.group_tables import (
    GroupTexts,
    describe,
    effective_of,
    group_labels,
    to_associations,
    to_entitlements,
    to_raw_table,
)
from extractors.ldap_accounts import group_ids
from extractors.ldap_filter import in_brackets, to_filter
from extractors.strangers import notes_on
from schemas.directory_sources import DirectorySource
from schemas.errors import SourceIncompleteError
from schemas.raw import Probe, Raw
from schemas.tables import ROW

_MEMBER_ATTRIBUTES = ("member", "uniqueMember", "memberUid", "memberURL")


@dataclass(frozen=True, slots=True)
class Reading:
    """How a directory is read.

    Attributes:
        source: what its entries mean.
        wanted: what the source file wants of the accounts.
        find: how it is searched.
        base_dn: where, unless the source says otherwise.
        origin: the server or file, for messages.
        now: for what has expired, UTC.
        taken_at: when the data were made, UTC.
        logons: when who last logged in, where the source wants it of all controllers.
        proof: what shows that a search found everything.
        part: what was searched where it was not all.
    """

    source: DirectorySource
    wanted: Wanted
    find: Find
    base_dn: str
    origin: str
    now: datetime
    taken_at: datetime
    logons: Logons | None = None
    proof: str = "to the end of the search"
    part: str = ""


def read_directory(reading: Reading) -> Raw:
    """The accounts, the groups, and who is in which.

    Raises:
        ConfigError: a filter is none.
        SourceIncompleteError: no accounts, no groups, or none has what is needed.
    """
    source, find = reading.source, reading.find
    _check_bases(reading)
    search = users_search(source, reading.wanted, reading.base_dn)
    groups_search = _groups_search(reading)
    accounts, left_out = find_accounts(source, find, search)
    if reading.logons is not None:
        accounts = with_logons(accounts, reading.logons)
    services = service_dns(source, find, search)
    rows = to_account_rows(accounts, source, reading.wanted, services, reading.now)
    table = to_raw_table("accounts", rows, _where(reading, search))
    notes = account_notes(accounts, reading.wanted, left_out, source)
    proof = f"{table.origin}: {len(accounts):,} accounts, {reading.proof}"
    if groups_search is None:
        return Raw(table, None, None, None, reading.taken_at, (proof,), notes)
    groups = _find_groups(find, groups_search)
    members = _members(reading, search, accounts, groups)
    effective = effective_of(members, nested=source.nested_groups == "effective")
    texts = _group_texts(reading, accounts, groups)
    origin = _where(reading, groups_search)
    associations = to_associations(_ids(reading, rows), texts, effective, origin)
    return Raw(
        accounts=table,
        entitlements=to_entitlements(texts, origin),
        resources=None,
        associations=associations,
        taken_at=reading.taken_at,
        proof=(
            proof,
            f"{origin}: {len(groups):,} groups, {reading.proof}",
            _said_of(effective),
        ),
        warnings=(*notes, *(f"{origin}: {note}" for note in notes_on(members, find, search))),
    )


def _where(reading: Reading, search: Search) -> str:
    return f"{reading.origin} {search.base}".strip()


def _check_bases(reading: Reading) -> None:
    source = reading.source
    bases = {
        "source.base_dn": reading.base_dn,
        "source.users.base": source.users.base,
        "source.groups.base": source.groups.base if source.groups else None,
    }
    for key, base in bases.items():
        if base is not None:
            check_dn(base, key)


def _said_of(effective: Effective) -> str:
    through = int(effective.links["through"].is_not_null().sum())
    said = f"{effective.links.height:,} memberships, {through:,} of them through groups in groups"
    return f"{said}, {effective.deepest} deep at most" if through else said


def _groups_search(reading: Reading) -> Search | None:
    branch = reading.source.groups
    if branch is None:
        return None
    model = model_of(reading.source)
    if branch.filter is not None:
        to_filter(branch.filter, "source.groups.filter")
    by_member = reading.source.membership == "member"
    named = _MEMBER_ATTRIBUTES if by_member else ("memberOf", "memberUid", "memberURL")
    return Search(
        branch.base or reading.base_dn,
        in_brackets(branch.filter) if branch.filter is not None else model.groups_filter,
        branch.scope,
        (*model.group_attributes, *named),
    )


def _find_groups(find: Find, search: Search) -> Entries:
    groups = find(search)
    if not len(groups):
        raise SourceIncompleteError(
            f"{search.base}: no group there: check groups.base and groups.filter, and that the "
            "reading account may see them; or say groups: null"
        )
    return groups


def _members(reading: Reading, users: Search, accounts: Entries, groups: Entries) -> Members:
    directory = Directory(accounts, groups)
    if reading.source.membership == "member":
        members = named_by_groups(directory, groups)
    else:
        members = named_by_members(directory, accounts, groups)
    add_login_names(members, accounts, groups)
    if is_active_directory(reading.source):
        add_primary_groups_by_sid(members, accounts, groups)
    else:
        add_primary_groups(members, accounts, groups)
    add_dynamic_members(members, directory, groups, reading.find, users)
    return members


def _group_texts(reading: Reading, accounts: Entries, groups: Entries) -> GroupTexts:
    source = reading.source
    labels = group_labels(groups, first_texts(groups, "cn"))
    descriptions = first_texts(groups, "description")
    if is_active_directory(source) or source.kind == "active_directory":
        names = first_texts(accounts, "sAMAccountName")
        by_dn = {normal_dn(dn): name for dn, name in zip(accounts.dns, names, strict=True) if name}
        ids = first_texts(groups, "objectGUID")
        return GroupTexts(ids, labels, describe(descriptions, group_remarks(groups, by_dn)))
    return GroupTexts(group_ids(groups, source), labels, descriptions)


def _ids(reading: Reading, rows: pl.DataFrame) -> pl.Series:
    """The accounts' ids as the file means them."""
    return rows[reading.wanted.id_attribute or "integration_specific_id"]


def probe_directory(reading: Reading) -> tuple[Probe, ...]:
    """What the first accounts and groups look like.

    Raises:
        ConfigError: a filter is none.
        SourceIncompleteError: no accounts, no groups, or none has what is needed.
    """
    source, find = reading.source, reading.find
    _check_bases(reading)
    search = users_search(source, reading.wanted, reading.base_dn)
    groups_search = _groups_search(reading)
    accounts, _ = find_accounts(source, find, search)
    rows = to_account_rows(accounts, source, reading.wanted, set(), reading.now)
    probes = [
        Probe(
            "accounts",
            _where(reading, search),
            f"{len(accounts):,} accounts{reading.part}",
            tuple(name for name in rows.columns if name != ROW),
        )
    ]
    if groups_search is not None:
        groups = _find_groups(find, groups_search)
        probes.append(
            Probe(
                "entitlements",
                _where(reading, groups_search),
                f"{len(groups):,} groups{reading.part}",
                ("entitlement_type", "integration_specific_id", "label", "description"),
            )
        )
    return tuple(probes)
