"""The accounts of a directory as a raw table: asked for, picked out, and under canonical names."""

from collections.abc import Callable
from datetime import datetime

import polars as pl

from extractors.directory.account_fields import Cells, DirectoryProfile, RequestedFields
from extractors.directory.accounts_ad import (
    AD_MODEL,
    FACT_ATTRIBUTES,
    ad_facts,
    ad_fields,
    are_accounts,
)
from extractors.directory.accounts_ldap import ldap_fields, ldap_model
from extractors.directory.dn import normal_dn
from extractors.directory.entries import Entries, Find, Search, text_column
from extractors.directory.filter import in_brackets, to_filter
from extractors.directory.values import plain_text, to_texts
from schemas.errors import ConfigError, SourceIncompleteError
from schemas.source_file.directory_source import DirectorySource, LdifSource
from schemas.tables import ROW


def is_active_directory(source: DirectorySource) -> bool:
    """Whether the entries are those of an Active Directory domain."""
    if isinstance(source, LdifSource):
        return source.model == "active_directory"
    return source.kind == "active_directory"


def model_of(source: DirectorySource) -> DirectoryProfile:
    """What the source's kind of directory uses."""
    if is_active_directory(source) or source.kind == "active_directory":
        return AD_MODEL
    return ldap_model(source)


def users_search(source: DirectorySource, wanted: RequestedFields, base_dn: str) -> Search:
    """What is asked for the accounts.

    Raises:
        ConfigError: the filter is none, or a reference is to no attribute that is read.
    """
    model = model_of(source)
    unnamed = sorted(set(source.references) - set(wanted.attributes))
    if unnamed:
        raise ConfigError(
            f"{unnamed[0]} is named by no column or attribute of the file", key="source.references"
        )
    needed = [one for name in wanted.fields for one in model.field_attributes.get(name, ())]
    needed += [one for name in wanted.facts for one in FACT_ATTRIBUTES[name]]
    needed += [*wanted.attributes, *(model.link_attributes if source.groups else ())]
    if source.groups and source.membership == "member_of":
        needed.append("memberOf")
    by_name = {name.lower(): name for name in needed}
    return Search(
        source.users.base or base_dn,
        _checked(source.users.filter, model.users_filter, "source.users.filter"),
        source.users.scope,
        tuple(by_name.values()),
    )


def _checked(text: str | None, default: str, key: str) -> str:
    if text is None:
        return default
    to_filter(text, key)
    return in_brackets(text)


def find_accounts(source: DirectorySource, find: Find, search: Search) -> tuple[Entries, int]:
    """The entries that are accounts, and how many that are computers or trusts were left out.

    Raises:
        SourceIncompleteError: there are none.
    """
    found = find(search)
    accounts = found.where(are_accounts(found)) if is_active_directory(source) else found
    if not len(accounts):
        raise SourceIncompleteError(
            f"{search.base}: no account there: check users.base and users.filter, and that the "
            "reading account may see them"
        )
    return accounts, len(found) - len(accounts)


def to_account_rows(
    entries: Entries,
    source: DirectorySource,
    wanted: RequestedFields,
    services: set[str],
    now: datetime,
) -> pl.DataFrame:
    """A row an entry: the fields that are wanted, then the attributes that the file names.

    `services` are the normalized DNs of accounts of type `service`.

    Raises:
        SourceIncompleteError: no entry has the id, or what the status is told by.
    """
    fields = _fields(entries, source, now)
    made: dict[str, pl.Series] = {}
    for name in wanted.fields:
        if name == "account_type":
            cells = _types(entries, fields.get(name), services)
        else:
            cells = fields[name]() if name in fields else []
        column = text_column(name, cells)
        if _is_told(column):
            made[name] = column
    _check_needed(made, source, wanted, entries)
    facts = ad_facts(entries, now) if wanted.facts else {}
    made |= {name: text_column(name, facts[name]()) for name in wanted.facts}
    if wanted.has_dn:
        made["dn"] = text_column("dn", list(entries.dns))
    for name in wanted.attributes:
        made[name] = text_column(name, _named(entries, name, source, fields))
    rows = pl.int_range(1, len(entries) + 1, dtype=pl.UInt32, eager=True).alias(ROW)
    return pl.DataFrame([rows, *made.values()])


def _fields(
    entries: Entries, source: DirectorySource, now: datetime
) -> dict[str, Callable[[], Cells]]:
    if is_active_directory(source) or source.kind == "active_directory":
        return ad_fields(entries, now)
    return ldap_fields(entries, source, now)


def _is_told(column: pl.Series) -> bool:
    """Whether a column is worth having; a status or an id that nobody has is an error instead."""
    is_needed = column.name in {"integration_specific_id", "user_status"}
    return bool(column.len()) and (is_needed or column.null_count() < column.len())


def _types(entries: Entries, told: Callable[[], Cells] | None, services: set[str]) -> Cells:
    types: Cells = told() if told else ["user"] * len(entries)
    if not services:
        return types
    return [
        "service" if normal_dn(dn) in services else one
        for dn, one in zip(entries.dns, types, strict=True)
    ]


def _named(
    entries: Entries, name: str, source: DirectorySource, fields: dict[str, Callable[[], Cells]]
) -> Cells:
    """The text of an attribute; of one that names a person, what the file wants of that person."""
    if name not in source.references:
        return to_texts(entries, name, source.separator)
    person = fields[source.references[name]]()
    by_dn = {normal_dn(dn): cell for dn, cell in zip(entries.dns, person, strict=True)}
    return [
        None if value is None else by_dn.get(normal_dn(plain_text(value)))
        for value in entries.first(name)
    ]


def _check_needed(
    made: dict[str, pl.Series], source: DirectorySource, wanted: RequestedFields, entries: Entries
) -> None:
    model = model_of(source)
    for name in ("integration_specific_id", "user_status"):
        if name in made and made[name].null_count() == len(entries):
            raise _unreadable(model.field_attributes[name][0], name, entries)
    if wanted.id_attribute is not None and not entries.has(wanted.id_attribute):
        raise _unreadable(wanted.id_attribute, "integration_specific_id", entries)


def _unreadable(attribute: str, field: str, entries: Entries) -> SourceIncompleteError:
    return SourceIncompleteError(
        f"none of {len(entries):,} accounts has the attribute {attribute}, needed for {field}: "
        "the reading account lacks the right to read it, or the directory has none"
    )


def service_dns(source: DirectorySource, find: Find, users: Search) -> set[str]:
    """The normalized DNs of the accounts that `service_accounts` selects.

    Raises:
        ConfigError: it is no filter.
    """
    if source.service_accounts is None:
        return set()
    text = _checked(source.service_accounts, "", "source.service_accounts")
    found = find(Search(users.base, f"(&{users.filter}{text})", users.scope, ()))
    return {normal_dn(dn) for dn in found.dns}
