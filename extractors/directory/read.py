"""A directory's accounts and groups, read whole in one pass each, whatever it is read through."""

import polars as pl

from extractors.directory.accounts import (
    find_accounts,
    model_of,
    service_dns,
    to_account_rows,
    users_search,
)
from extractors.directory.dn import check_dn
from extractors.directory.entries import Search
from extractors.directory.group_tables import (
    effective_of,
    to_associations,
    to_entitlements,
    to_raw_table,
)
from extractors.directory.groups import find_groups, group_texts, groups_search, members_of
from extractors.directory.last_logon import with_logons
from extractors.directory.members import Effective
from extractors.directory.request import DirectoryRequest
from extractors.directory.warnings import account_notes, notes_on
from schemas.raw import Probe, Raw
from schemas.tables import ROW


def read_directory(reading: DirectoryRequest) -> Raw:
    """The accounts, the groups, and who is in which.

    Raises:
        ConfigError: a filter is none.
        SourceIncompleteError: no accounts, no groups, or none has what is needed.
    """
    source, find = reading.source, reading.find
    _check_bases(reading)
    search = users_search(source, reading.wanted, reading.base_dn)
    asked = groups_search(reading)
    accounts, left_out = find_accounts(source, find, search)
    if reading.logons is not None:
        accounts = with_logons(accounts, reading.logons)
    services = service_dns(source, find, search)
    rows = to_account_rows(accounts, source, reading.wanted, services, reading.now)
    table = to_raw_table("accounts", rows, _where(reading, search))
    notes = account_notes(accounts, reading.wanted, left_out, source)
    proof = f"{table.origin}: {len(accounts):,} accounts, {reading.proof}"
    if asked is None:
        return Raw(table, None, None, None, reading.taken_at, (proof,), notes)
    accounts = accounts.only((*model_of(source).link_attributes, "memberOf"))
    groups = find_groups(find, asked)
    members = members_of(reading, search, accounts, groups)
    effective = effective_of(members, nested=source.nested_groups == "effective")
    texts = group_texts(reading, accounts, groups)
    origin = _where(reading, asked)
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


def _where(reading: DirectoryRequest, search: Search) -> str:
    return f"{reading.origin} {search.base}".strip()


def _check_bases(reading: DirectoryRequest) -> None:
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


def _ids(reading: DirectoryRequest, rows: pl.DataFrame) -> pl.Series:
    """The accounts' ids as the file means them."""
    return rows[reading.wanted.id_attribute or "integration_specific_id"]


def probe_directory(reading: DirectoryRequest) -> tuple[Probe, ...]:
    """What the first accounts and groups look like.

    Raises:
        ConfigError: a filter is none.
        SourceIncompleteError: no accounts, no groups, or none has what is needed.
    """
    source, find = reading.source, reading.find
    _check_bases(reading)
    search = users_search(source, reading.wanted, reading.base_dn)
    asked = groups_search(reading)
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
    if asked is not None:
        groups = find_groups(find, asked)
        probes.append(
            Probe(
                "entitlements",
                _where(reading, asked),
                f"{len(groups):,} groups{reading.part}",
                ("entitlement_type", "integration_specific_id", "label", "description"),
            )
        )
    return tuple(probes)
