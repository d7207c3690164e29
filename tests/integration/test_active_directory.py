"""A real Samba Active Directory: what only a domain has."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from extractors.directory.accounts_ad import Logons, add_logons, with_logons
from extractors.directory.entries import Entries, Search, Searches, to_entries
from extractors.directory.ldap.protocol.connection import connected
from extractors.directory.ldap.protocol.forest import check_one_domain, controllers_of
from extractors.directory.values import first_texts
from extractors.read import read_source
from schemas.errors import (
    ConfigError,
    SourceError,
    SourceFormatError,
    SourceUnavailableError,
)
from schemas.source_file.columns import Named
from schemas.source_file.kinds.directory_source import ActiveDirectorySource, LdapSource

if TYPE_CHECKING:
    from schemas.raw import Raw
    from schemas.source_file.secrets import Secret
    from tests.samba_ad_server import SambaAd

pytest_plugins = ["tests.samba_ad_server"]

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def to_source(server: SambaAd, **keys: Any) -> tuple[ActiveDirectorySource, Any]:
    made = {
        "kind": "active_directory",
        "host": server.host,
        "protocol": "ldaps",
        "ca_file": str(server.authority.file),
        "base_dn": server.base,
        "username": server.reader[0],
        "password": {"env": "AD_PASSWORD"},
    }

    def resolve(_secret: Secret) -> SecretStr:
        return SecretStr(server.reader[1])

    return ActiveDirectorySource.model_validate(made | keys), resolve


def read(server: SambaAd, columns: set[str] | None = None, **keys: Any) -> Raw:
    source, resolve = to_source(server, **keys)
    named = Named(frozenset(columns or ()), frozenset())
    return read_source(source, Path(), now=NOW, resolve=resolve, named=named)


def test_the_whole_domain_is_read_from_its_root(samba_ad_server: SambaAd) -> None:
    """The server hints at its parts for DNS by referrals, which hold no accounts."""
    raw = read(samba_ad_server)

    names = set(raw.accounts.rows["username"])
    assert {"Administrator", "krbtgt", "user00000", "svc-backup", "msa1$", "gmsa1$"} <= names
    assert not {"pc1$", "DC1$", "gone0"} & names
    assert raw.entitlements is not None
    assert "Domain Admins" in set(raw.entitlements.rows["label"])


def test_a_domain_is_not_read_as_another_directory(samba_ad_server: SambaAd) -> None:
    source, resolve = to_source(samba_ad_server)
    keys = source.model_dump(exclude_unset=True, exclude={"kind"})
    with pytest.raises(ConfigError, match=r"source\.kind: the server is an Active Directory: say"):
        read_source(LdapSource(kind="ldap", **keys), Path(), now=NOW, resolve=resolve)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"authentication": "anonymous", "username": None, "password": None}, "wants a username"),
        ({"username": "reader"}, "wants the name with its domain"),
        ({"protocol": "ldaps", "port": 389}, "say protocol: starttls, or port: 636"),
        ({"protocol": "starttls", "port": 636}, "say protocol: ldaps, or port: 389"),
    ],
)
def test_what_a_domain_does_not_take_is_told_with_what_to_write(
    keys: dict[str, Any], words: str, samba_ad_server: SambaAd
) -> None:
    with pytest.raises(SourceError, match=words):
        read(samba_ad_server, **keys)


def test_every_member_of_a_large_group_is_read(samba_ad_server: SambaAd) -> None:
    raw = read(samba_ad_server, page_size=100)

    assert raw.entitlements is not None
    assert raw.associations is not None
    groups = dict(raw.entitlements.rows.select("label", "integration_specific_id").rows())
    held = raw.associations.rows.filter(integration_specific_entitlement_id=groups["everyone"])
    assert held.height == samba_ad_server.users_count


@pytest.mark.parametrize("protocol", ["ldaps", "starttls"])
def test_the_other_authority_is_not_trusted(samba_ad_server: SambaAd, protocol: str) -> None:
    other = str(samba_ad_server.other_authority.file)

    with pytest.raises(SourceUnavailableError, match="its certificate is not trusted"):
        read(samba_ad_server, protocol=protocol, ca_file=other)


def test_a_misspelt_attribute_is_found_in_the_schema(samba_ad_server: SambaAd) -> None:
    with pytest.raises(SourceFormatError, match="no attribute 'departmen'; did you mean"):
        read(samba_ad_server, {"departmen"})


def test_ids_and_times_are_text(samba_ad_server: SambaAd) -> None:
    raw = read(samba_ad_server, {"objectSid", "whenCreated", "pwdLastSet"})

    row = raw.accounts.rows.filter(username="user00003").row(0, named=True)
    assert row["last_login"] == "2025-01-01T00:00:00Z"
    assert row["objectSid"].startswith("S-1-5-21-")
    assert row["whenCreated"].endswith("Z")
    assert len(row["integration_specific_id"]) == 36
    described = raw.entitlements.rows.filter(label="outer")["description"].to_list()
    assert described == ["What outer may do (universal security group, managed by user00000)"]


def test_a_domain_s_controllers_are_found_in_its_configuration(samba_ad_server: SambaAd) -> None:
    source, resolve = to_source(samba_ad_server)

    with connected(source, Path(), resolve) as (connection, _):
        assert controllers_of(connection) == ["dc1.corp.example"]
        check_one_domain(connection, samba_ad_server.base)


def test_the_newest_logon_of_all_controllers_counts() -> None:
    users = Searches((Search("DC=x", "(cn=*)", "subtree", ()),))
    logons: Logons = {}

    for known in ({b"ann": b"5", b"bob": b"0"}, {b"ann": b"133801632000000000"}, {b"ann": b"7"}):
        add_logons(logons, lambda _, known=known: answer(known), users)

    assert logons == {b"ann": b"133801632000000000"}
    accounts = with_logons(answer({b"ann": b"1", b"bob": b"1"}), logons)
    assert first_texts(accounts, "lastLogonTimestamp") == ["2025-01-01T00:00:00Z", None]


def answer(logons: dict[bytes, bytes]) -> Entries:
    """What one controller says."""
    return to_entries(
        (f"CN={guid.decode()}", {"objectGUID": [guid], "lastLogon": [value]})
        for guid, value in logons.items()
    )
