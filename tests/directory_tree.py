"""A tree for OpenLDAP of any size: users, and groups of every class, nested, dynamic and cyclic.

What it holds can be worked out from a number alone, so that a test knows what must be read.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass

BASE = "dc=example,dc=org"
PEOPLE, GROUPS = f"ou=People,{BASE}", f"ou=Groups,{BASE}"
DEPARTMENTS = 40
READER, LIMITED, UNPAGED = "svc-reader", "svc-limited", "svc-unpaged"
_POSIX_GROUPS = 3

Lines = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Tree:
    """How large the tree is.

    Attributes:
        users_count: the ordinary users `u000000` …; four more have odd names (`odd_users`).
        teams_count: the groups `team000` … of class groupOfNames, each with members of its own.
        teams_a_user: how many teams a user is in.
    """

    users_count: int = 300
    teams_count: int = 20
    teams_a_user: int = 2

    def is_locked(self, number: int) -> bool:
        """Whether the user has pwdAccountLockedTime."""
        return number % 10 == 3

    def is_expired(self, number: int) -> bool:
        """Whether the user's shadowExpire has passed."""
        return number % 15 == 4

    def has_no_shell(self, number: int) -> bool:
        """Whether the user's loginShell is nologin."""
        return number % 20 == 5

    def addresses_of(self, number: int) -> tuple[str, ...]:
        """The user's mail addresses: one in five has two."""
        uid = _uid(number)
        alias = (f"{uid}@alias.example.org",) if number % 5 == 0 else ()
        return (f"{uid}@example.org", *alias)

    def teams_of(self, number: int) -> tuple[int, ...]:
        """The numbers of the teams the user is a direct member of, ascending."""
        steps = (7, 13, 29, 31, 37)[: self.teams_a_user]
        return tuple(sorted({(number * step + step) % self.teams_count for step in steps}))

    def primary_group_of(self, number: int) -> int:
        """The number of the posixGroup that the user's gidNumber names."""
        return number % _POSIX_GROUPS

    def direct_members(self) -> dict[str, tuple[str, ...]]:
        """The uids or group names that each group's own entry lists, by the group's cn.

        Not in here: dynamic groups, primary groups, and members that do not exist.
        """
        teams: dict[str, list[str]] = {_team(number): [] for number in range(self.teams_count)}
        for number in range(self.users_count):
            for team in self.teams_of(number):
                teams[_team(team)].append(_uid(number))
        fixed = {
            "unique": (_uid(0), _uid(1)),
            "outer": ("middle", _uid(2)),
            "middle": ("inner", _uid(3)),
            "inner": (_uid(4), _uid(5)),
            "cycle-a": ("cycle-b", _uid(6)),
            "cycle-b": ("cycle-a", _uid(7)),
            "itself": ("itself", _uid(8)),
            "mixed": (_uid(0), "odd,comma", "odd+plus"),
            "posix0": (_uid(1),),
            "posix1": (_uid(2), _uid(0)),
            "posix2": (),
        }
        return {name: tuple(uids) for name, uids in teams.items()} | fixed

    def dynamic_members(self) -> tuple[str, ...]:
        """The uids that the URL of the group `dynamic` selects: all of department D1."""
        return tuple(_uid(number) for number in range(1, self.users_count, DEPARTMENTS))

    def ldif(self) -> str:
        """The whole tree, to be loaded by slapadd."""
        return "".join(_entry_text(dn, lines) for dn, lines in self._entries())

    def _entries(self) -> Iterator[tuple[str, Lines]]:
        yield BASE, [*_classes("dcObject", "organization"), ("o", "Example"), ("dc", "example")]
        for unit in ("People", "Groups", "Partners"):
            yield f"ou={unit},{BASE}", [*_classes("organizationalUnit"), ("ou", unit)]
        yield from _service_accounts()
        for number in range(self.users_count):
            yield user_dn(number), self._user(number)
        yield from _odd_users()
        yield from self._groups()

    def _user(self, number: int) -> Lines:
        uid = _uid(number)
        lines = [
            *_classes("inetOrgPerson", "posixAccount", "shadowAccount"),
            ("uid", uid),
            ("cn", f"User {number}"),
            ("sn", f"Sur{number}"),
            ("givenName", f"Zoë{number}" if number % 7 == 0 else f"Given{number}"),
            *(("mail", address) for address in self.addresses_of(number)),
            ("employeeNumber", str(number)),
            ("employeeType", "contractor" if number % 9 == 0 else "employee"),
            ("departmentNumber", f"D{number % DEPARTMENTS}"),
            ("title", f"Title {number % 11}"),
            ("telephoneNumber", f"+49 30 {number:06d}"),
            ("uidNumber", str(10_000 + number)),
            ("gidNumber", str(500 + self.primary_group_of(number))),
            ("homeDirectory", f"/home/{uid}"),
            ("loginShell", "/usr/sbin/nologin" if self.has_no_shell(number) else "/bin/sh"),
            ("userPassword", f"pw-{uid}"),
        ]
        if number:
            lines.append(("manager", user_dn((number - 1) // 8)))
        if self.is_expired(number):
            lines.append(("shadowExpire", "18262"))  # 2020-01-01
        if self.is_locked(number):
            lines.append(("pwdAccountLockedTime", "20260102030405Z"))
        lines += [("memberOf", group_dn(_team(team))) for team in self.teams_of(number)]
        return lines

    def _groups(self) -> Iterator[tuple[str, Lines]]:
        members = self.direct_members()
        for number in range(self.teams_count):
            dns = [f"uid={uid},{PEOPLE}" for uid in members[_team(number)]]
            yield _group(_team(number), dns or [user_dn(0)])
        for name in ("outer", "middle", "inner", "cycle-a", "cycle-b", "itself"):
            yield _group(name, [_member_dn(member) for member in members[name]])
        yield _group("mixed", [
            "UID = U000000 , OU=people,DC=Example , dc=ORG",  # the same in other words
            odd_users()["odd,comma"],
            odd_users()["odd+plus"],
            f"cn=Partner,ou=Partners,{BASE}",  # is there, and no user
            f"uid=gone,{PEOPLE}",  # is not there
        ])  # fmt: skip
        unique = [("uniqueMember", _member_dn(member)) for member in members["unique"]]
        yield (
            group_dn("unique"),
            [*_classes("groupOfUniqueNames"), ("cn", "unique"), *unique],
        )
        for number in range(_POSIX_GROUPS):
            name = f"posix{number}"
            uids = [("memberUid", uid) for uid in members[name]]
            gid = ("gidNumber", str(500 + number))
            yield group_dn(name), [*_classes("posixGroup"), ("cn", name), gid, *uids]
        url = f"ldap:///{PEOPLE}??sub?(departmentNumber=D1)"
        yield (
            group_dn("dynamic"),
            [*_classes("groupOfURLs"), ("cn", "dynamic"), ("memberURL", url)],
        )
        partner = [*_classes("person"), ("cn", "Partner"), ("sn", "Partner")]
        yield f"cn=Partner,ou=Partners,{BASE}", partner


def user_dn(number: int) -> str:
    """The DN of an ordinary user."""
    return f"uid={_uid(number)},{PEOPLE}"


def group_dn(name: str) -> str:
    """The DN of a group."""
    return f"cn={name},{GROUPS}"


def odd_users() -> dict[str, str]:
    """The DNs, by uid, of users whose DN has to be escaped, or has two parts in its first RDN."""
    return {
        "odd,comma": f"uid=odd\\,comma,{PEOPLE}",
        "odd+plus": f"cn=Odd\\2C Plus+uid=odd\\+plus,{PEOPLE}",
        "odd-ümlaut": f"uid=odd-ümlaut,{PEOPLE}",
        "#odd ": f"uid=\\#odd\\ ,{PEOPLE}",
    }


def _uid(number: int) -> str:
    return f"u{number:06d}"


def _team(number: int) -> str:
    return f"team{number:03d}"


def _member_dn(name: str) -> str:
    is_user = name[0] == "u" and name[1:].isdigit()
    return f"uid={name},{PEOPLE}" if is_user else group_dn(name)


def _classes(*names: str) -> Lines:
    return [("objectClass", name) for name in names]


def _group(name: str, members: list[str]) -> tuple[str, Lines]:
    lines = [("member", member) for member in members]
    described = ("description", f"What {name} may do")
    return group_dn(name), [*_classes("groupOfNames"), ("cn", name), described, *lines]


def _service_accounts() -> Iterator[tuple[str, Lines]]:
    for name in (READER, LIMITED, UNPAGED):
        lines = [*_classes("account", "simpleSecurityObject"), ("uid", name)]
        yield f"uid={name},ou=Partners,{BASE}", [*lines, ("userPassword", f"pw-{name}")]


def _odd_users() -> Iterator[tuple[str, Lines]]:
    for uid, dn in odd_users().items():
        cn = "Odd, Plus" if uid == "odd+plus" else f"Odd {uid.strip()}"
        lines = [*_classes("inetOrgPerson"), ("uid", uid), ("cn", cn), ("sn", "Odd")]
        yield dn, [*lines, ("userPassword", "pw-odd")]


def _entry_text(dn: str, lines: Lines) -> str:
    return "\n".join(_line(name, value) for name, value in [("dn", dn), *lines]) + "\n\n"


def _line(name: str, value: str) -> str:
    if value.isascii() and value == value.strip() and value[:1] not in {":", "<", "#"}:
        return f"{name}: {value}"
    return f"{name}:: {base64.b64encode(value.encode()).decode()}"
