"""A directory's accounts and groups, read whole in one pass each, whatever it is read through."""

import polars as pl

from extractors.directory.absence.searches import seen_accounts, seen_groups
from extractors.directory.absence.seen import with_addresses
from extractors.directory.absence.status import check_status_is_seen
from extractors.directory.accounts import (
    find_accounts,
    find_policies,
    is_active_directory,
    profile_of,
    service_dns,
    to_account_rows,
    users_search,
)
from extractors.directory.accounts_ad import with_logons
from extractors.directory.dn import check_dn
from extractors.directory.entries import Searches
from extractors.directory.group_tables import (
    effective_of,
    to_associations,
    to_entitlements,
    to_raw_table,
)
from extractors.directory.groups import (
    check_members_are_named,
    find_groups,
    group_texts,
    groups_search,
    members_of,
    with_groups_between,
)
from extractors.directory.members import Effective
from extractors.directory.request import DirectoryRequest
from extractors.directory.warnings import account_notes, member_notes
from schemas.raw import LastRead, Probe, Raw
from schemas.tables import ROW


def read_directory(request: DirectoryRequest) -> Raw:
    """Reads the accounts, the groups, and who is in which.

    Raises:
        ConfigError: a filter is none.
        SourceIncompleteError: no accounts, no groups, or none has what is needed.
    """
    source, find = request.source, request.find
    _check_bases(request)
    user_search = users_search(source, request.account_fields, request.base_dn)
    group_search = groups_search(request)
    accounts, left_out = find_accounts(source, find, user_search)
    if request.logons is not None:
        accounts = with_logons(accounts, request.logons)
    said = check_status_is_seen(request, accounts, _where(request, user_search))
    policies = find_policies(source, find, accounts, request.base_dn)
    seen = {"users": seen_accounts(request, user_search, accounts, policies)}
    services = service_dns(source, find, user_search)
    rows, stand_ins = to_account_rows(request, accounts, services, policies)
    if "email" in rows.columns:
        seen["users"] = with_addresses(seen["users"], accounts, rows["email"].to_list())
    table = to_raw_table("accounts", rows, _where(request, user_search))
    notes = account_notes(request, accounts, policies, left_out)
    notes = (*notes, *(f"{table.origin}: {note}" for note in said))
    proof = f"{table.origin}: {len(accounts):,} accounts, {request.proof}"
    if stand_ins:
        proof += f"; for {stand_ins:,} without an address or both names login and kind stand"
    if group_search is None:
        remembered = LastRead(seen=seen)
        return Raw(
            table, None, None, None, request.taken_at, (proof,), notes, remembered=remembered
        )
    accounts = accounts.only((*profile_of(source).link_attributes, "memberOf"))
    groups = find_groups(find, group_search)
    seen["groups"] = seen_groups(request, group_search, groups, seen["users"])
    check_members_are_named(request, accounts, groups)
    with_others = with_groups_between(request, group_search, accounts, groups)
    members = members_of(request, user_search, accounts, with_others)
    effective = effective_of(members, len(groups), nested=source.nested_groups == "effective")
    texts = group_texts(request, accounts, with_others)
    origin = _where(request, group_search)
    associations = to_associations(_ids(request, rows), texts, effective, origin)
    return Raw(
        accounts=table,
        entitlements=to_entitlements(texts, len(groups), origin),
        resources=None,
        associations=associations,
        taken_at=request.taken_at,
        proof=(
            proof,
            f"{origin}: {len(groups):,} groups, {request.proof}",
            _count_text(effective),
        ),
        warnings=(
            *notes,
            *(f"{origin}: {note}" for note in member_notes(members, find, user_search)),
        ),
        remembered=LastRead(seen=seen),
    )


def probe_directory(request: DirectoryRequest) -> tuple[Probe, ...]:
    """Returns what the first accounts and groups look like.

    Raises:
        ConfigError: a filter is none.
        SourceIncompleteError: no accounts, no groups, or none has what is needed.
    """
    source, find = request.source, request.find
    _check_bases(request)
    user_search = users_search(source, request.account_fields, request.base_dn)
    group_search = groups_search(request)
    accounts, _ = find_accounts(source, find, user_search)
    if is_active_directory(source):
        check_status_is_seen(request, accounts, _where(request, user_search))
    rows, _ = to_account_rows(request, accounts, set())
    probes = [
        Probe(
            "accounts",
            _where(request, user_search),
            f"{len(accounts):,} accounts{request.part}",
            tuple(name for name in rows.columns if name != ROW),
        )
    ]
    if group_search is not None:
        groups = find_groups(find, group_search)
        probes.append(
            Probe(
                "entitlements",
                _where(request, group_search),
                f"{len(groups):,} groups{request.part}",
                ("entitlement_type", "integration_specific_id", "label", "description"),
            )
        )
    return tuple(probes)


def _where(request: DirectoryRequest, search: Searches) -> str:
    return f"{request.origin} {search.where}".strip()


def _check_bases(request: DirectoryRequest) -> None:
    source = request.source
    bases: list[tuple[str, str | None]] = [("source.base_dn", request.base_dn)]
    bases += [("source.users.base", branch.base) for branch in source.user_branches]
    bases += [("source.groups.base", branch.base) for branch in source.group_branches]
    for key, base in bases:
        if base is not None:
            check_dn(base, key)


def _count_text(effective: Effective) -> str:
    through = int(effective.links["through"].is_not_null().sum())
    text = f"{effective.links.height:,} memberships, {through:,} of them through groups in groups"
    return f"{text}, {effective.deepest} deep at most" if through else text


def _ids(request: DirectoryRequest, rows: pl.DataFrame) -> pl.Series:
    """Returns the accounts' ids: of the attribute that the source file names."""
    return rows[request.account_fields.id_attribute or "integration_specific_id"]
