"""Reads that go on from the last one are what whole reads are, whatever happened meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ldap3 import MODIFY_ADD, MODIFY_DELETE, MODIFY_REPLACE, Connection, Server, Tls
from pydantic import SecretStr

from extractors.read import read_source
from schemas.directory_sources import ActiveDirectorySource, LdapSource
from schemas.source_columns import Named
from tests.directory_tree import PEOPLE, Tree, group_dn, user_dn

if TYPE_CHECKING:
    from schemas.raw import Raw
    from schemas.secrets import Secret
    from tests.openldap_server import OpenLdap
    from tests.samba_ad_server import SambaAd

pytest_plugins = ["tests.openldap_server", "tests.samba_ad_server"]

NOW = datetime(2026, 6, 1, tzinfo=UTC)
NAMED = Named(frozenset({"title"}), frozenset())
Change = Callable[[Connection], Any]


@pytest.fixture
def openldap(tmp_path: Path) -> Iterator[OpenLdap]:
    from tests.openldap_server import running_openldap

    with running_openldap(tmp_path, Tree(users_count=40, teams_count=5)) as server:
        # Its last change is of another second than its entries: these are not fetched anew.
        time.sleep(1.1)
        with bound(Server(server.host, server.port), *server.admin) as admin:
            admin.modify(server.base, {"description": [(MODIFY_REPLACE, ["touched"])]})
        yield server


def read(source: LdapSource | ActiveDirectorySource, password: str, **given: Any) -> Raw:
    def resolve(_secret: Secret) -> SecretStr:
        return SecretStr(password)

    return read_source(source, Path(), **{"now": NOW, "named": NAMED, **given}, resolve=resolve)


def tree_source(server: OpenLdap, **keys: Any) -> LdapSource:
    made = {
        "kind": "ldap",
        "host": server.host,
        "port": server.port,
        "protocol": "ldap",
        "base_dn": server.base,
        "username": server.reader[0],
        "password": {"env": "LDAP_PASSWORD"},
        "users": {"base": server.people, "filter": "(!(employeeType=left))"},
        "delta": {},
    }
    return LdapSource.model_validate(made | keys)


def told(raw: Raw) -> tuple[Any, ...]:
    """What a read says, in an order of its own."""
    assert raw.entitlements is not None
    assert raw.associations is not None
    tables = (raw.accounts.rows, raw.entitlements.rows, raw.associations.rows)
    return tuple(
        sorted(map(str, rows.drop("source row").select(sorted(rows.columns[1:])).rows()))
        for rows in tables
    )


@contextmanager
def bound(server: Server, name: str, password: str) -> Iterator[Connection]:
    connection = Connection(server, name, password, auto_bind=True)
    try:
        yield connection
    finally:
        connection.unbind()


def how(raw: Raw) -> str:
    return raw.proof[-1]


def rename_user(admin: Connection) -> None:
    admin.modify_dn(user_dn(5), "uid=renamed")


CHANGES: dict[str, tuple[Change, str]] = {
    "nothing": (lambda _: None, "fetched anew"),
    "a title": (lambda c: c.modify(user_dn(1), {"title": [(MODIFY_REPLACE, ["New"])]}), "anew"),
    "a title is gone": (lambda c: c.modify(user_dn(1), {"title": [(MODIFY_DELETE, [])]}), "anew"),
    "a member more": (
        lambda c: c.modify(group_dn("inner"), {"member": [(MODIFY_ADD, [user_dn(9)])]}),
        "anew",
    ),
    "a member fewer": (
        lambda c: c.modify(group_dn("inner"), {"member": [(MODIFY_DELETE, [user_dn(4)])]}),
        "anew",
    ),
    "a new person": (
        lambda c: c.add(
            f"uid=new,{PEOPLE}",
            ["inetOrgPerson"],
            {"cn": "New", "sn": "New", "uid": "new", "departmentNumber": "D1"},
        ),
        "anew",
    ),
    "a person deleted": (lambda c: c.delete(user_dn(4)), "anew"),
    "a group deleted": (lambda c: c.delete(group_dn("inner")), "anew"),
    "a person who no longer matches": (
        lambda c: c.modify(user_dn(2), {"employeeType": [(MODIFY_REPLACE, ["left"])]}),
        "anew",
    ),
    "a person in a dynamic group": (
        lambda c: c.modify(user_dn(3), {"departmentNumber": [(MODIFY_REPLACE, ["D1"])]}),
        "anew",
    ),
    "a rename": (rename_user, "all was read: an entry was renamed or moved"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_going_on_finds_what_reading_all_finds(openldap: OpenLdap, name: str) -> None:
    change, said = CHANGES[name]
    source, password = tree_source(openldap), openldap.reader[1]
    first = read(source, password)
    assert how(first) == "delta: all was read: nothing is kept of an earlier read"
    with bound(Server(openldap.host, openldap.port), *openldap.admin) as admin:
        change(admin)
        assert name == "nothing" or admin.result["description"] == "success"

    second = read(source, password, last=first.kept)
    third = read(source, password, last=second.kept)

    assert said in how(second)
    assert told(second) == told(read(source, password))
    assert told(third) == told(second)
    assert "fetched anew" in how(third)
    if name != "nothing":
        assert told(second) != told(first)


def test_a_login_that_the_server_notes_by_itself_is_seen(openldap: OpenLdap) -> None:
    source, password = tree_source(openldap), openldap.reader[1]
    first = read(source, password)
    with bound(Server(openldap.host, openldap.port), user_dn(1), "pw-u000001"):
        pass

    second = read(source, password, last=first.kept)

    logins = dict(second.accounts.rows.select("username", "last_login").rows())
    assert logins["u000001"] is not None
    assert told(second) == told(read(source, password))


def test_a_membership_that_the_server_derives_by_itself_is_seen(openldap: OpenLdap) -> None:
    """`memberOf` of a person changes, and nothing counts it."""
    source, password = tree_source(openldap, membership="member_of"), openldap.reader[1]
    first = read(source, password)
    with bound(Server(openldap.host, openldap.port), *openldap.admin) as admin:
        admin.modify(group_dn("inner"), {"member": [(MODIFY_ADD, [user_dn(9)])]})

    second = read(source, password, last=first.kept)

    assert "fetched anew" in how(second)
    assert told(second) == told(read(source, password))
    assert told(second) != told(first)


@pytest.mark.parametrize(
    ("keys", "given", "said"),
    [
        ({"groups": {"filter": "(cn=team*)"}}, {}, "are not those of the last read"),
        ({"users": {}}, {}, "are not those of the last read"),
        (
            {},
            {"named": Named(frozenset({"title", "employeeType"}), frozenset())},
            "not those of the last",
        ),
        ({}, {"now": NOW + timedelta(days=7)}, "older than delta.full_every"),
        ({}, {"now": NOW - timedelta(days=1)}, "older than delta.full_every"),
        ({"delta": {"full_every": "1h"}}, {"now": NOW + timedelta(hours=2)}, "older than"),
    ],
)
def test_another_question_or_too_old_an_answer_reads_everything(
    openldap: OpenLdap, keys: dict[str, Any], given: dict[str, Any], said: str
) -> None:
    password = openldap.reader[1]
    first = read(tree_source(openldap), password)

    second = read(tree_source(openldap, **keys), password, last=first.kept, **given)

    assert said in how(second)


def test_what_was_kept_holds_no_password(openldap: OpenLdap) -> None:
    kept = read(tree_source(openldap), openldap.reader[1]).kept

    assert kept is not None
    assert "pw-u" not in str(kept.to_dicts())
    assert not any("password" in name.lower() for name in kept.columns)


def domain_source(server: SambaAd, **keys: Any) -> ActiveDirectorySource:
    made = {
        "kind": "active_directory",
        "host": server.host,
        "protocol": "ldaps",
        "ca_file": str(server.authority.file),
        "base_dn": server.base,
        "username": server.reader[0],
        "password": {"env": "AD_PASSWORD"},
        "users": {"base": f"OU=People,{server.base}"},
        "delta": {},
    }
    return ActiveDirectorySource.model_validate(made | keys)


def test_a_domain_is_gone_on_from_by_its_usn(samba_ad_server: SambaAd) -> None:
    server = samba_ad_server
    source, password = domain_source(server), server.reader[1]
    people, groups = f"OU=People,{server.base}", f"OU=Groups,{server.base}"
    first = read(source, password)
    tls = Tls(ca_certs_file=str(server.authority.file))
    host = Server(server.host, use_ssl=True, tls=tls)
    with bound(host, *server.admin) as admin:
        steps: list[Change] = [
            lambda c: c.modify(f"CN=User 00011,{people}", {"title": [(MODIFY_REPLACE, ["X"])]}),
            lambda c: c.modify(
                f"CN=inner,{groups}", {"member": [(MODIFY_ADD, [f"CN=User 00012,{people}"])]}
            ),
            lambda c: c.add(
                f"CN=Later,{people}", ["user"], {"sAMAccountName": "later", "sn": "Later"}
            ),
            lambda c: c.delete(f"CN=Later,{people}"),
            lambda c: c.modify_dn(f"CN=User 00012,{people}", "CN=User Twelve"),
            lambda c: c.modify_dn(f"CN=User Twelve,{people}", "CN=User 00012"),
        ]
        kept = first.kept
        for step in steps:
            step(admin)
            assert admin.result["description"] == "success"
            again = read(source, password, last=kept)
            is_rename = steps.index(step) >= 4
            assert ("all was read" in how(again)) is is_rename
            assert told(again) == told(read(source, password))
            kept = again.kept
