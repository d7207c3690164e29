"""The accounts of a directory as a raw table: searched, picked out, and under canonical names."""

from collections.abc import Callable
from itertools import chain

import polars as pl

from extractors.directory.absence.seen import STAMPS, addresses_before
from extractors.directory.account_fields import (
    Cells,
    DirectoryProfile,
    RequestedFields,
    check_attributes,
    chosen_addresses,
    one_of_several,
    with_stand_in_names,
)
from extractors.directory.accounts_ad import (
    AD_PROFILE,
    ad_facts,
    ad_fields,
    are_accounts,
)
from extractors.directory.accounts_ldap import ldap_facts, ldap_fields, ldap_profile
from extractors.directory.dn import check_dn, normal_dn
from extractors.directory.entries import Entries, Find, Search, Searches, text_column
from extractors.directory.filter import in_brackets, to_filter
from extractors.directory.locks import DURATION
from extractors.directory.request import DirectoryRequest
from extractors.directory.values import plain_text, to_texts
from schemas.errors import ConfigError, SourceIncompleteError
from schemas.source_file.kinds.directory_source import (
    ActiveDirectorySource,
    Branch,
    DirectorySource,
    LdifSource,
)
from schemas.tables import ROW

_NO_POLICIES = Entries([], {})
_ROOT_TYPES = frozenset({"dc", "o", "c"})


def is_active_directory(source: DirectorySource) -> bool:
    """Whether the entries are those of an Active Directory domain."""
    if isinstance(source, LdifSource):
        return source.model == "active_directory"
    return source.kind == "active_directory"


def profile_of(source: DirectorySource) -> DirectoryProfile:
    """Returns the profile of the source's kind of directory."""
    if is_active_directory(source) or source.kind == "active_directory":
        return AD_PROFILE
    return ldap_profile(source)


def users_search(source: DirectorySource, requested: RequestedFields, base_dn: str) -> Searches:
    """Returns the searches for the accounts.

    Raises:
        ConfigError: a filter is none, or a reference is to no attribute that is read.
    """
    profile = profile_of(source)
    if not isinstance(source, ActiveDirectorySource):
        check_attributes(frozenset({source.id, source.group_id}))
    unnamed = sorted(set(source.references) - set(requested.attributes))
    if unnamed:
        raise ConfigError(
            f"{unnamed[0]} is named by no column or attribute of the file", key="source.references"
        )
    made_from = [profile.field_attributes.get(name, ()) for name in requested.fields]
    made_from += [profile.fact_attributes[name] for name in requested.facts]
    needed = list(chain.from_iterable(made_from))
    needed += [*requested.attributes, *(profile.link_attributes if source.groups else ())]
    if source.groups and source.membership == "member_of":
        needed.append("memberOf")
    needed += STAMPS
    by_name = {name.lower(): name for name in needed}
    return to_searches(
        source.users,
        ("source.users", base_dn, profile.users_filter),
        tuple(by_name.values()),
    )


def to_searches(
    branches: tuple[Branch, ...], defaults: tuple[str, str, str], attributes: tuple[str, ...]
) -> Searches:
    """Returns a search a branch; `defaults` are the branches' key, their base and their filter.

    Raises:
        ConfigError: a filter is none, or what is left out is no DN.
    """
    key, base_dn, filter_text = defaults
    return Searches(
        tuple(
            Search(
                branch.base or base_dn,
                _checked(branch.filter, filter_text, f"{key}.filter"),
                branch.scope,
                attributes,
                tuple(_checked_dn(dn, f"{key}.without") for dn in branch.without),
            )
            for branch in branches
        )
    )


def _checked_dn(dn: str, key: str) -> str:
    check_dn(dn, key)
    return normal_dn(dn)


def find_accounts(source: DirectorySource, find: Find, search: Searches) -> tuple[Entries, int]:
    """Finds the entries that are accounts, and how many computers and trusts are left out.

    Raises:
        SourceIncompleteError: there are none.
    """
    entries = search.read(find)
    accounts = entries.where(are_accounts(entries)) if is_active_directory(source) else entries
    if not len(accounts):
        raise SourceIncompleteError(
            f"{search.where or 'the export'}: no account there: check users.base and "
            "users.filter, and that the reading account may see them"
        )
    return accounts, len(entries) - len(accounts)


def service_dns(source: DirectorySource, find: Find, users: Searches) -> set[str]:
    """Finds the normalized DNs of the accounts that `service_accounts` selects.

    Raises:
        ConfigError: it is no filter.
    """
    if source.service_accounts is None:
        return set()
    text = _checked(source.service_accounts, "", "source.service_accounts")
    services = users.of((), lambda users_filter: f"(&{users_filter}{text})").read(find)
    return {normal_dn(dn) for dn in services.dns}


def find_policies(source: DirectorySource, find: Find, accounts: Entries, base_dn: str) -> Entries:
    """Finds the password policies where an account was locked by one; else none are searched for.

    They may lie outside the base of the accounts; what cannot be seen is not there.
    """
    if profile_of(source) is AD_PROFILE or not accounts.has("pwdAccountLockedTime"):
        return _NO_POLICIES
    parts = normal_dn(base_dn).split(",") if base_dn else []
    inside = sum(part.partition("=")[0] not in _ROOT_TYPES for part in parts)
    for base in dict.fromkeys((",".join(parts[inside:]) or base_dn, base_dn)):
        try:
            return find(Search(base, "(objectClass=pwdPolicy)", "subtree", (DURATION,)))
        except SourceIncompleteError:
            continue
    return _NO_POLICIES


def to_account_rows(
    request: DirectoryRequest,
    entries: Entries,
    services: set[str],
    policies: Entries = _NO_POLICIES,
) -> tuple[pl.DataFrame, int]:
    """Makes a row an entry: the requested fields, then the attributes that the file names.

    `services` are the normalized DNs of accounts of type `service`, `policies` the directory's
    password policies. Returns also for how many the login stands for a name.

    Raises:
        SourceIncompleteError: no entry has the id, or what shows the status.
    """
    source, requested = request.source, request.account_fields
    fields = _fields(request, entries, policies)
    made: dict[str, pl.Series] = {}
    for name in requested.fields:
        if name == "account_type":
            cells = _types(entries, fields.get(name), services)
        else:
            cells = fields[name]() if name in fields else []
        column = text_column(name, cells)
        if _is_kept(column):
            made[name] = column
    _check_needed(made, source, requested, entries)
    is_domain = profile_of(source) is AD_PROFILE
    now = request.now
    facts = ad_facts(entries, now) if is_domain else ldap_facts(entries, now, policies)
    made |= {name: text_column(name, facts[name]()) for name in requested.facts}
    if requested.has_dn:
        made["dn"] = text_column("dn", list(entries.dns))
    for name in requested.attributes:
        is_id = name == requested.id_attribute
        cells = one_of_several(entries, name) if is_id else _named(entries, name, source, fields)
        made[name] = text_column(name, cells)
    stand_ins = 0
    if {"given_name", "family_name"} <= set(requested.fields):
        kind = "Active Directory" if is_domain else "LDAP"
        addresses = ("email",) if "email" in requested.fields else requested.attributes
        made, stand_ins = with_stand_in_names(made, entries, addresses, kind)
    rows = pl.int_range(1, len(entries) + 1, dtype=pl.UInt32, eager=True).alias(ROW)
    return pl.DataFrame([rows, *made.values()]), stand_ins


def _checked(text: str | None, default: str, key: str) -> str:
    if text is None:
        return default
    to_filter(text, key)
    return in_brackets(text)


def _fields(
    request: DirectoryRequest, entries: Entries, policies: Entries
) -> dict[str, Callable[[], Cells]]:
    source, now = request.source, request.now
    before = addresses_before(request.last_seen.get("users"))
    fields: dict[str, Callable[[], Cells]] = {"email": lambda: chosen_addresses(entries, before)}
    if is_active_directory(source) or isinstance(source, ActiveDirectorySource):
        return fields | ad_fields(entries, now)
    return fields | ldap_fields(entries, source, now, policies)


def _is_kept(column: pl.Series) -> bool:
    """Whether the column is part of the table: an id or a status is even where nobody has one."""
    is_needed = column.name in {"integration_specific_id", "user_status"}
    return bool(column.len()) and (is_needed or column.null_count() < column.len())


def _types(entries: Entries, read_types: Callable[[], Cells] | None, services: set[str]) -> Cells:
    types: Cells = read_types() if read_types else ["user"] * len(entries)
    if not services:
        return types
    return [
        "service" if normal_dn(dn) in services else account_type
        for dn, account_type in zip(entries.dns, types, strict=True)
    ]


def _named(
    entries: Entries, name: str, source: DirectorySource, fields: dict[str, Callable[[], Cells]]
) -> Cells:
    """Returns the text of an attribute; of one that names a person, that person's stated field."""
    if name not in source.references:
        return to_texts(entries, name, source.separator)
    person = fields[source.references[name]]()
    by_dn = {normal_dn(dn): cell for dn, cell in zip(entries.dns, person, strict=True)}
    return [
        None if value is None else by_dn.get(normal_dn(plain_text(value)))
        for value in entries.first(name)
    ]


def _check_needed(
    made: dict[str, pl.Series],
    source: DirectorySource,
    requested: RequestedFields,
    entries: Entries,
) -> None:
    profile = profile_of(source)
    for name in ("integration_specific_id", "user_status"):
        if name in made and made[name].null_count() == len(entries):
            raise _unreadable(profile.field_attributes[name][0], name, entries)
    if requested.id_attribute is not None and not entries.has(requested.id_attribute):
        raise _unreadable(requested.id_attribute, "integration_specific_id", entries)


def _unreadable(attribute: str, field: str, entries: Entries) -> SourceIncompleteError:
    return SourceIncompleteError(
        f"none of {len(entries):,} accounts has the attribute {attribute}, needed for {field}: "
        "the reading account lacks the right to read it, or the directory has none"
    )
