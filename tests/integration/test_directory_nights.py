"""Night after night, reading what changed gives what reading everything gives.

Each night a few things happen to a directory that nobody would think of together: accounts come,
go, come again under the same name, move into and out of the base, units are renamed, groups are
edited, and what a server generates comes to mean others.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ldap3 import MODIFY_ADD, MODIFY_DELETE, MODIFY_REPLACE, SUBTREE, Connection, Server, Tls
from pydantic import SecretStr

from extractors.read import read_source
from schemas.source_file.columns import Named
from schemas.source_file.kinds.directory_source import ActiveDirectorySource, LdapSource
from tests.directory_tree import Tree

if TYPE_CHECKING:
    from schemas.raw import Raw, ReaderState

NAMED = Named(frozenset({"title", "manager", "employeeType", "dn"}), frozenset())
NIGHTS, MOST_EVENTS = 14, 6
PEOPLE = tuple(f"p{number}" for number in range(9))
TEAMS = tuple(f"t{number}" for number in range(5))
UNITS = ("East", "West", "North")


@dataclass
class Place:
    """A directory to which things happen, and how it is read.

    Attributes:
        admin: who may do anything there.
        base: its root. Below it lie OU=People (with units), OU=Away, OU=Groups and OU=Others.
        person: makes an account's class and attributes from its name.
        group: likewise a group's.
        naming: the attribute of a person's RDN.
        make: makes the source, with these keys besides.
        password: the reading account's.
        extra: what may happen only here.
    """

    admin: Connection
    base: str
    person: Callable[[str], dict[str, Any]]
    group: Callable[[str], dict[str, Any]]
    naming: str
    make: Callable[[dict[str, Any]], Any]
    password: str
    extra: tuple[Callable[[random.Random], object], ...] = ()
    states: dict[str, ReaderState | None] = field(default_factory=dict)

    def dns(self, of: str, below: str = "") -> list[str]:
        """The DNs of all entries that a filter finds, in a fixed order."""
        self.admin.search(f"{below}{self.base}", of, SUBTREE, attributes=["1.1"])
        entries = [one for one in self.admin.response if one["type"] == "searchResEntry"]
        return sorted(one["dn"] for one in entries)

    def people(self) -> list[str]:
        return [dn for dn in self.dns("(title=*)") if dn.lower().startswith(self.naming)]

    def teams(self) -> list[str]:
        """The groups, without the one that is always there."""
        return [dn for dn in self.dns("(description=team)") if not dn.lower().startswith("cn=all,")]

    def homes(self) -> list[str]:
        units = self.dns("(|(ou=East)(ou=West)(ou=North))")
        return [*units, f"OU=People,{self.base}", f"OU=Away,{self.base}"]

    def read(self, night: int, delta: dict[str, Any] | None, way: str = "") -> Raw:
        raw = read_source(
            self.make({"delta": delta} if delta is not None else {}),
            Path(),
            now=datetime.now(UTC) + timedelta(hours=night),
            resolve=lambda _secret: SecretStr(self.password),
            named=NAMED,
            state=self.states.get(way),
        )
        if way:
            self.states[way] = raw.state
        return raw


def add_person(place: Place, chance: random.Random) -> object:
    name = chance.choice(PEOPLE)
    dn = f"{place.naming}={name},{chance.choice(place.homes())}"
    return place.admin.add(dn, attributes=place.person(name))


def drop_person(place: Place, chance: random.Random) -> object:
    people = place.people()
    return bool(people) and place.admin.delete(chance.choice(people))


def make_anew(place: Place, chance: random.Random) -> object:
    """Another account under the name of one that goes."""
    people = place.people()
    if not people:
        return False
    dn = chance.choice(people)
    name = dn.partition(",")[0].partition("=")[2]
    return place.admin.delete(dn) and place.admin.add(dn, attributes=place.person(name))


def move_person(place: Place, chance: random.Random) -> object:
    people = place.people()
    if not people:
        return False
    dn = chance.choice(people)
    name = chance.choice([dn.partition(",")[0].partition("=")[2], *PEOPLE])
    rdn = f"{place.naming}={name}"
    return place.admin.modify_dn(dn, rdn, new_superior=chance.choice(place.homes()))


def rename_unit(place: Place, chance: random.Random) -> object:
    units = place.dns("(|(ou=East)(ou=West)(ou=North))")
    return bool(units) and place.admin.modify_dn(chance.choice(units), f"OU={chance.choice(UNITS)}")


def add_team(place: Place, chance: random.Random) -> object:
    name = chance.choice(TEAMS)
    dn = f"CN={name},OU={chance.choice(['Groups', 'Others'])},{place.base}"
    return place.admin.add(dn, attributes=place.group(name))


def drop_team(place: Place, chance: random.Random) -> object:
    teams = place.teams()
    return bool(teams) and place.admin.delete(chance.choice(teams))


def edit_team(place: Place, chance: random.Random) -> object:
    teams, members = place.teams(), [*place.people(), *place.teams()]
    if not teams or not members:
        return False
    what = chance.choice([MODIFY_ADD, MODIFY_ADD, MODIFY_DELETE])
    return place.admin.modify(chance.choice(teams), {"member": [(what, [chance.choice(members)])]})


def edit_person(place: Place, chance: random.Random) -> object:
    people = place.people()
    if not people:
        return False
    changes: list[dict[str, Any]] = [
        {"title": [(MODIFY_REPLACE, [f"T{chance.randrange(99)}"])]},
        {"manager": [(MODIFY_REPLACE, [chance.choice(people)])]},
        {"manager": [(MODIFY_REPLACE, [])]},
        {"employeeType": [(MODIFY_REPLACE, [chance.choice(["staff", "temp", "out"])])]},
    ]
    return place.admin.modify(chance.choice(people), chance.choice(changes))


EVENTS = (
    *(add_person, add_person, add_person, drop_person, make_anew, move_person, move_person),
    *(rename_unit, add_team, drop_team, edit_team, edit_team, edit_team, edit_person, edit_person),
)


def tables(raw: Raw) -> list[Any]:
    """Every row of every table, in a fixed order, without its number."""
    assert raw.entitlements is not None
    assert raw.associations is not None
    found = (raw.accounts, raw.entitlements, raw.associations)
    return [sorted(map(repr, one.rows.drop("source row").iter_rows(named=True))) for one in found]


def check_nights(place: Place, ways: tuple[str, ...], seed: int) -> None:
    chance = random.Random(seed)
    for unit in UNITS[:2]:
        place.admin.add(f"OU={unit},OU=People,{place.base}", "organizationalUnit")
    for name in (*PEOPLE[:6], *TEAMS[:3]):
        (add_team if name in TEAMS else add_person)(place, chance)
    steady = place.person("steady")
    place.admin.add(f"{place.naming}=steady,OU=People,{place.base}", attributes=steady)
    place.admin.add(f"CN=all,OU=Groups,{place.base}", attributes=place.group("all"))
    happened: list[str] = []
    for night in range(NIGHTS):
        for _ in range(chance.randint(1, MOST_EVENTS)):
            extra = place.extra and chance.random() < 0.2
            event = chance.choice(place.extra) if extra else chance.choice(EVENTS)
            done = event(chance) if extra else event(place, chance)  # type: ignore[call-arg, arg-type]
            if done:
                happened.append(f"{night} {getattr(event, '__name__', 'extra')}")
        whole = tables(place.read(night, None))
        for way in ways:
            raw = place.read(night, {"by": way}, way)
            assert tables(raw) == whole, (seed, way, happened)
            # Groups beside the entitlements are searched for when they are first needed.
            accounts = next(one for one in raw.proof if "entries" in one)
            assert night == 0 or "all of" not in accounts, (seed, way, happened)
    assert len(happened) > NIGHTS


@contextmanager
def bound(host: str, login: tuple[str, str], **how: Any) -> Iterator[Connection]:
    server = Server(host, get_info="NO_INFO", **how)
    with Connection(server, *login, return_empty_attributes=False) as admin:
        yield admin


def inet_person(name: str) -> dict[str, Any]:
    return {
        "objectClass": "inetOrgPerson",
        "uid": name,
        "cn": name,
        "sn": name,
        "mail": f"{name}@corp.example",
        "title": "New",
        "employeeType": "staff",
    }


def ldap_source(host: str, port: int, base: str, login: str, **keys: Any) -> Callable[..., Any]:
    return lambda more: LdapSource(
        kind="ldap",
        host=host,
        port=port,
        protocol="ldap",
        base_dn=base,
        username=login,
        password={"env": "LDAP_PASSWORD"},
        users={"base": f"ou=People,{base}", "filter": "(&(title=*)(!(employeeType=out)))"},
        groups={"base": f"ou=Groups,{base}"},
        id="uid",
        group_id="cn",
        **keys,
        **more,
    )


@pytest.mark.xdist_group("directory_delta")
def test_nights_of_a_domain(tmp_path_factory: pytest.TempPathFactory) -> None:
    from tests.samba_ad_server import running_samba_ad

    with running_samba_ad(tmp_path_factory.mktemp("ad"), 10) as server:
        unit = f"OU=Nights,{server.base}"
        logins = iter(range(10_000))

        def person(name: str) -> dict[str, Any]:
            return {
                "objectClass": "user",
                "sAMAccountName": f"{name}-{next(logins)}",
                "userAccountControl": 514,
                "title": "New",
            }

        def group(name: str) -> dict[str, Any]:
            login = f"{name}-{next(logins)}"
            return {"objectClass": "group", "sAMAccountName": login, "description": "team"}

        def make(more: dict[str, Any]) -> ActiveDirectorySource:
            return ActiveDirectorySource(
                kind="active_directory",
                host=server.host,
                ca_file=str(server.authority.file),
                base_dn=unit,
                username=server.admin[0],
                password={"env": "LDAP_PASSWORD"},
                users={"base": f"OU=People,{unit}"},
                groups={"base": f"OU=Groups,{unit}"},
                **more,
            )

        tls = Tls(ca_certs_file=str(server.authority.file))
        with bound(server.host, server.admin, use_ssl=True, tls=tls) as admin:
            for dn in (
                unit,
                *(f"OU={one},{unit}" for one in ("People", "Away", "Groups", "Others")),
            ):
                admin.add(dn, "organizationalUnit")
            place = Place(admin, unit, person, group, "CN", make, server.admin[1])
            check_nights(place, ("usn_changed", "dirsync"), 1)


DYNAMIC = """dn: cn=nightly,ou=Groups,dc=example,dc=org
objectClass: groupOfURLs
cn: nightly
memberURL: ldap:///ou=People,dc=example,dc=org??sub?(employeeType=staff)

dn: ou=Away,dc=example,dc=org
objectClass: organizationalUnit
ou: Away

dn: ou=Others,dc=example,dc=org
objectClass: organizationalUnit
ou: Others

dn: uid=template,dc=example,dc=org
objectClass: inetOrgPerson
uid: template
cn: template
sn: template
employeeType: lent

dn: uid=lent,ou=People,dc=example,dc=org
objectClass: inetOrgPerson
objectClass: labeledURIObject
uid: lent
cn: lent
sn: lent
title: Steady
mail: lent@corp.example
labeledURI: ldap:///uid=template,dc=example,dc=org?employeeType?base?(objectClass=*)

"""
OVERLAYS = """overlay refint
refint_attributes member manager
refint_nothing cn=admin,dc=example,dc=org
overlay dynlist
dynlist-attrset groupOfURLs memberURL member
dynlist-attrset labeledURIObject labeledURI
"""


@pytest.mark.xdist_group("directory_delta")
def test_nights_of_an_openldap(tmp_path_factory: pytest.TempPathFactory) -> None:
    from tests.openldap_server import running_openldap

    home = tmp_path_factory.mktemp("slapd")
    tree = Tree(users_count=10, teams_count=2)
    with running_openldap(home, tree, more_ldif=DYNAMIC, overlays=OVERLAYS) as server:
        make = ldap_source(server.host, server.port, server.base, server.reader[0])

        def group(name: str) -> dict[str, Any]:
            steady = [f"uid=steady,{server.people}"]
            kind = {"objectClass": "groupOfNames", "cn": name, "description": "team"}
            return {**kind, "member": steady}

        with bound(server.host, server.admin, port=server.port) as admin:

            def lock(chance: random.Random) -> object:
                relax = ("1.3.6.1.4.1.4203.666.5.12", True, None)
                what = [(MODIFY_REPLACE, chance.choice([["20260501000000Z"], []]))]
                return admin.modify(
                    chance.choice(place.people()), {"pwdAccountLockedTime": what}, controls=[relax]
                )

            def lend(chance: random.Random) -> object:
                what = [(MODIFY_REPLACE, [f"lent{chance.randrange(99)}"])]
                return admin.modify(f"uid=template,{server.base}", {"employeeType": what})

            place = Place(admin, server.base, inet_person, group, "uid", make, server.reader[1])
            place.extra = (lock, lend)
            check_nights(place, ("modify_timestamp", "syncrepl"), 3)


DS389 = """dn: {base}
objectClass: domain
dc: tern
aci: (targetattr="*")(version 3.0; acl "r"; allow(read,search,compare) userdn="ldap:///anyone";)

dn: ou=People,{base}
objectClass: organizationalUnit
ou: People

dn: ou=Away,{base}
objectClass: organizationalUnit
ou: Away

dn: ou=Groups,{base}
objectClass: organizationalUnit
ou: Groups

dn: ou=Others,{base}
objectClass: organizationalUnit
ou: Others

dn: cn=template,{base}
objectClass: cosTemplate
objectClass: ldapsubentry
objectClass: extensibleObject
cn: template
departmentNumber: 1

dn: cn=service,{base}
objectClass: ldapsubentry
objectClass: cosSuperDefinition
objectClass: cosPointerDefinition
cn: service
cosTemplateDn: cn=template,{base}
cosAttribute: title override

dn: uid=old,ou=People,{base}
objectClass: inetOrgPerson
uid: old
cn: old
sn: old
title: Old
mail: old@tern.example

dn: cn=old,ou=Groups,{base}
objectClass: groupOfNames
cn: old
description: team
member: uid=old,ou=People,{base}
"""


@pytest.mark.xdist_group("directory_delta")
def test_nights_of_a_389(tmp_path_factory: pytest.TempPathFactory) -> None:
    from tests.ds389_server import running_ds389

    base = "dc=tern,dc=example"
    with running_ds389(tmp_path_factory.mktemp("389"), base, DS389.format(base=base)) as server:
        make = ldap_source(server.host, server.port, base, server.admin[0])

        def group(name: str) -> dict[str, Any]:
            return {"objectClass": "groupOfNames", "cn": name, "description": "team"}

        with bound(server.host, server.admin, port=server.port) as admin:

            def generate(chance: random.Random) -> object:
                titles = chance.choice([[], ["Lent"], ["Given"]])
                return admin.modify(f"cn=template,{base}", {"title": [(MODIFY_REPLACE, titles)]})

            def lock(chance: random.Random) -> object:
                value = [(MODIFY_REPLACE, chance.choice([["true"], []]))]
                return admin.modify(chance.choice(place.people()), {"nsAccountLock": value})

            place = Place(admin, base, inet_person, group, "uid", make, server.admin[1])
            place.extra = (generate, lock)
            check_nights(place, ("modify_timestamp",), 4)
