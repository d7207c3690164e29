"""What servers do otherwise than one would think, against the servers: docs/servers.md."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ldap3 import MODIFY_REPLACE, Connection, Server
from pydantic import SecretStr

from extractors.read import read_source
from schemas.source_file.columns import Named
from schemas.source_file.kinds.directory_source import LdapSource
from tests.ds389_server import running_ds389
from tests.openldap_server import running_slapd

if TYPE_CHECKING:
    from schemas.raw import Raw

BASE = "dc=tern,dc=example"
DATABASE = """
database mdb
suffix {suffix}
rootdn cn=admin,dc=tern,dc=example
directory {home}/db{number}
maxsize 16777216
dbnosync
access to * by * read
"""


def database(number: int, suffix: str, *lines: str) -> str:
    text = DATABASE.replace("{number}", str(number)).replace("{suffix}", suffix)
    return text + "".join(f"{line}\n" for line in lines)


def read(port: int, columns: set[str] | None = None, secret: str = "secret", **keys: Any) -> Raw:
    made: dict[str, Any] = {
        "kind": "ldap",
        "host": "127.0.0.1",
        "port": port,
        "protocol": "ldap",
        "base_dn": BASE,
        "username": f"cn=admin,{BASE}",
        "password": {"env": "LDAP_PASSWORD"},
        "id": "uid",
        "group_id": "cn",
    }
    return read_source(
        LdapSource.model_validate(made | keys),
        Path(),
        now=datetime.now(UTC),
        resolve=lambda _secret: SecretStr(secret),
        named=Named(frozenset(columns or ()), frozenset()),
    )


def person(name: str, below: str, *lines: str) -> str:
    more = "".join(f"{line}\n" for line in lines)
    named = f"uid: {name}\ncn: {name}\nsn: {name}\n"
    return f"dn: uid={name},{below}\nobjectClass: inetOrgPerson\n{named}{more}\n"


def group(name: str, below: str, *members: str) -> str:
    named = "".join(f"member: {member}\n" for member in members)
    return f"dn: cn={name},{below}\nobjectClass: groupOfNames\ncn: {name}\n{named}\n"


def binds(server: Server, dn: str, password: str) -> bool:
    connection = Connection(server, dn, password)
    try:
        return bool(connection.bind())
    finally:
        connection.unbind()


def held(raw: Raw) -> set[tuple[str, str]]:
    assert raw.associations is not None
    return set(raw.associations.rows.drop("source row", "path").rows())


@pytest.mark.parametrize("page_size", [1, 2, 5, 10, None])
def test_a_subordinate_database_is_read_whole_where_the_last_page_was_full(
    tmp_path: Path, page_size: int | None
) -> None:
    """OpenLDAP 2.5.13 goes on in the wrong database on a connection whose last page was full."""
    below = f"ou=sub,{BASE}"
    top = f"dn: {BASE}\nobjectClass: domain\ndc: tern\n\n"
    top += "".join(person(f"a{number}", BASE) for number in range(6))
    top += "".join(group(f"g{number}", BASE, f"uid=a{number},{BASE}") for number in range(5))
    sub = f"dn: {below}\nobjectClass: organizationalUnit\nou: sub\n\n"
    sub += "".join(person(f"b{number}", below) for number in range(4))
    sub += "".join(group(f"h{number}", below, f"uid=b{number},{below}") for number in range(3))
    config = database(1, below, "subordinate") + database(0, BASE, "rootpw secret")
    with running_slapd(tmp_path, config, {BASE: top, below: sub}) as port:
        raw = read(port, page_size=page_size, status_from="none")

    assert raw.accounts.rows.height == 10
    assert held(raw) == {
        *((f"a{number}", f"g{number}") for number in range(5)),
        *((f"b{number}", f"h{number}") for number in range(3)),
    }


POLICY = """dn: {base}
objectClass: domain
dc: tern

dn: ou=Policies,{base}
objectClass: organizationalUnit
ou: Policies

dn: cn=default,ou=Policies,{base}
objectClass: pwdPolicy
objectClass: device
cn: default
pwdAttribute: userPassword
pwdLockout: TRUE
pwdMaxFailure: 1
pwdLockoutDuration: 1

dn: ou=People,{base}
objectClass: organizationalUnit
ou: People

"""


def test_who_mistyped_a_password_is_no_suspended_account(tmp_path: Path) -> None:
    """OpenLDAP leaves pwdAccountLockedTime when its time is over, and takes a bind again."""
    people = f"ou=People,{BASE}"
    tree = POLICY.format(base=BASE) + person("ann", people, "userPassword: Right-1")
    tree += person("bob", people, "userPassword: Right-1") + person("cy", people)
    overlay = "overlay ppolicy", f"ppolicy_default cn=default,ou=Policies,{BASE}"
    config = database(0, BASE, "rootpw secret", *overlay)
    with running_slapd(tmp_path, config, {BASE: tree}) as port:
        server = Server("127.0.0.1", port, get_info="NO_INFO")
        dn = f"uid=ann,{people}"
        assert not binds(server, dn, "wrong")
        assert not binds(server, dn, "Right-1")
        relax = ("1.3.6.1.4.1.4203.666.5.12", True, None)
        with Connection(server, f"cn=admin,{BASE}", "secret") as admin:
            for name, lock in (
                ("bob", {"pwdAccountLockedTime": [(MODIFY_REPLACE, ["000001010000Z"])]}),
                ("cy", {"pwdEndTime": [(MODIFY_REPLACE, ["20200101000000Z"])]}),
            ):
                assert admin.modify(f"uid={name},{people}", lock, controls=[relax])
        time.sleep(2)

        raw = read(port, groups=None, base_dn=people)
        assert binds(server, dn, "Right-1")

    statuses = dict(raw.accounts.rows.select("username", "user_status").rows())
    assert statuses == {"ann": "ACTIVE", "bob": "SUSPENDED", "cy": "SUSPENDED"}


def test_389_locks_people_for_a_while_for_good_and_by_hand(tmp_path: Path) -> None:
    """Each way as the server itself writes it: accountUnlockTime, 1970 for good, nsAccountLock."""
    tree = f"dn: {BASE}\nobjectClass: domain\ndc: tern\n\n"
    for name in ("ann", "bob", "cy", "di"):
        tree += person(name, BASE, "userPassword: Right-pass-1")
    with running_ds389(tmp_path, BASE, tree) as running:
        server = Server(running.host, running.port, get_info="NO_INFO")
        with Connection(server, *running.admin) as admin:

            def set_policy(**words: str) -> None:
                changes = {name: [(MODIFY_REPLACE, [word])] for name, word in words.items()}
                assert admin.modify("cn=config", changes)

            set_policy(passwordLockout="on", passwordMaxFailure="1", passwordLockoutDuration="600")
            assert not binds(server, f"uid=ann,{BASE}", "wrong")
            set_policy(passwordUnlock="off")
            assert not binds(server, f"uid=bob,{BASE}", "wrong")
            lock = {"nsAccountLock": [(MODIFY_REPLACE, ["true"])]}
            assert admin.modify(f"uid=cy,{BASE}", lock)
        assert not binds(server, f"uid=ann,{BASE}", "Right-pass-1")
        login, password = running.admin
        raw = read(running.port, {"is_locked_out"}, groups=None, username=login, secret=password)

    shown = raw.accounts.rows.select("username", "user_status", "is_locked_out").rows()
    assert sorted(shown) == [
        ("ann", "ACTIVE", "true"),
        ("bob", "SUSPENDED", "false"),
        ("cy", "SUSPENDED", "false"),
        ("di", "ACTIVE", "false"),
    ]


def test_aliases_are_followed_where_the_file_says_so(tmp_path: Path) -> None:
    people, guests = f"ou=People,{BASE}", f"ou=Guests,{BASE}"
    tree = f"dn: {BASE}\nobjectClass: domain\ndc: tern\n\n"
    for name, dn in (("People", people), ("Guests", guests)):
        tree += f"dn: {dn}\nobjectClass: organizationalUnit\nou: {name}\n\n"
    tree += person("ann", people) + person("gus", guests)
    for name, target in (("one", f"uid=gus,{guests}"), ("two", f"uid=ann,{people}")):
        tree += f"dn: cn={name},{people}\nobjectClass: alias\nobjectClass: extensibleObject\n"
        tree += f"cn: {name}\naliasedObjectName: {target}\n\n"
    with running_slapd(tmp_path, database(0, BASE, "rootpw secret"), {BASE: tree}) as port:
        keys = {"groups": None, "users": {"base": people}, "status_from": "none"}
        plain = read(port, **keys)
        followed = read(port, dereference="search", **keys)

    assert plain.accounts.rows["username"].to_list() == ["ann"]
    assert sorted(followed.accounts.rows["username"]) == ["ann", "gus"]
