"""Who is in which group: members matched to accounts and groups in memory, none searched for.

Membership through other groups is worked out on row numbers alone, whatever cycles there are.
"""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import polars as pl

from extractors.directory.dn import normal_dn
from extractors.directory.entries import Entries
from extractors.directory.values import first_texts, plain_text

LINKS = {"account": pl.UInt32(), "group": pl.UInt32()}
"""A row for each account that is in a group; each once."""

NESTED = {"group": pl.UInt32(), "member": pl.UInt32()}
"""A row for each group that is a member of another one."""

REACHED = {"group": pl.UInt32(), "member": pl.UInt32(), "via": pl.UInt32(), "depth": pl.UInt32()}
"""A row for each group inside another, however deep: `via` is the next group on the way in."""

MEMBERS = ("member", "uniqueMember", "roleOccupant")
"""Attributes of a group that name its members by DN."""

_UNIQUE_ID = re.compile(r"#'[01]*'B$")
_EXTENDED = re.compile(r"<(GUID|SID)=([^>]*)>;?")
_FOREIGN = re.compile(r"CN=(S-1-[0-9-]+),CN=ForeignSecurityPrincipals,", re.IGNORECASE)


@dataclass(slots=True)
class Members:
    """Accounts and groups in groups, by row numbers.

    Attributes:
        links: (account, group), as often as an attribute names it.
        nested: (group, member that is a group).
        unmatched_members: normalized DNs that are neither an account nor a group: how often each is
            named.
        unmatched_uids: login names that no account has: how often each is named.
        unknown_groups: groups that accounts name and that are not among the groups: how often.
    """

    links: list[tuple[int, int]] = field(default_factory=list)
    nested: list[tuple[int, int]] = field(default_factory=list)
    unmatched_members: Counter[str] = field(default_factory=Counter)
    unmatched_uids: Counter[str] = field(default_factory=Counter)
    unknown_groups: Counter[str] = field(default_factory=Counter)

    def direct(self) -> pl.DataFrame:
        """Returns `LINKS`, each once."""
        return pl.DataFrame(self.links, schema=LINKS, orient="row").unique(maintain_order=True)

    def inside(self) -> pl.DataFrame:
        """Returns `NESTED`, each once."""
        return pl.DataFrame(self.nested, schema=NESTED, orient="row").unique(maintain_order=True)


class Directory:
    """Finds what a member's name means: an account (its row), a group (its row's complement)."""

    def __init__(self, accounts: Entries, groups: Entries) -> None:
        self._meant = {dn.encode(): ~row for row, dn in enumerate(groups.dns)}
        self._meant |= {dn.encode(): row for row, dn in enumerate(accounts.dns)}
        self._by_dn = {normal_dn(dn): ~row for row, dn in enumerate(groups.dns)}
        self._by_dn |= {normal_dn(dn): row for row, dn in enumerate(accounts.dns)}
        self._by_id: dict[str, int] = {}
        for attribute in ("objectSid", "objectGUID"):
            ids = first_texts(groups, attribute)
            self._by_id |= {text.lower(): ~row for row, text in enumerate(ids) if text}
            ids = first_texts(accounts, attribute)
            self._by_id |= {text.lower(): row for row, text in enumerate(ids) if text}

    def meaning(self, member: bytes) -> int | str:
        """Returns an account's row, the complement of a group's, or else the normalized DN."""
        meant: int | str | None = self._meant.get(member)
        if meant is None:
            meant = self._looked_up(plain_text(member))
            if isinstance(meant, int):
                self._meant[member] = meant
        return meant

    def _looked_up(self, text: str) -> int | str:
        for _, named in _EXTENDED.findall(text):
            if named.lower() in self._by_id:
                return self._by_id[named.lower()]
        dn = normal_dn(_UNIQUE_ID.sub("", _EXTENDED.sub("", text)))
        if dn in self._by_dn:
            return self._by_dn[dn]
        foreign = _FOREIGN.match(dn)
        return self._by_id.get(foreign[1].lower(), dn) if foreign else dn


@dataclass(frozen=True, slots=True)
class Effective:
    """Membership with everything that groups in groups add.

    Attributes:
        links: `LINKS`, and `through`: the group that the account is in itself, null where that is
            `group`. By account, then group.
        reached: `REACHED`: the way from each group to each one inside it.
        deepest: how many groups lie below one another at most; 0 where none is in another.
    """

    links: pl.DataFrame
    reached: pl.DataFrame
    deepest: int


def named_by_groups(directory: Directory, groups: Entries) -> Members:
    """Returns the members that the groups name by DN."""
    members = Members()
    for attribute in MEMBERS:
        for group, values in enumerate(groups.values(attribute)):
            for value in values:
                meant = directory.meaning(value)
                if isinstance(meant, str):
                    members.unmatched_members[meant] += 1
                elif meant >= 0:
                    members.links.append((meant, group))
                else:
                    members.nested.append((group, ~meant))
    return members


def named_by_members(directory: Directory, accounts: Entries, groups: Entries) -> Members:
    """Returns the members by the groups that `memberOf` of accounts and groups names."""
    members = Members()
    for account, values in enumerate(accounts.values("memberOf")):
        for value in values:
            meant = directory.meaning(value)
            if isinstance(meant, int) and meant < 0:
                members.links.append((account, ~meant))
            else:
                members.unknown_groups[str(meant)] += 1
    for member, values in enumerate(groups.values("memberOf")):
        for value in values:
            meant = directory.meaning(value)
            if isinstance(meant, int) and meant < 0:
                members.nested.append((~meant, member))
    return members


def add_login_names(members: Members, accounts: Entries, groups: Entries, *, exactly: bool) -> None:
    """Adds the members that `memberUid` names: all accounts of each login name.

    `exactly` as it is written: two logins may differ by case alone (RFC 2307: caseExactIA5Match);
    in a domain they cannot.
    """
    if not groups.has("memberUid"):
        return
    fold = str if exactly else str.casefold
    by_uid: dict[str, list[int]] = defaultdict(list)
    for account, uids in enumerate(accounts.values("uid")):
        for uid in dict.fromkeys(fold(plain_text(uid)) for uid in uids):
            by_uid[uid].append(account)
    for group, values in enumerate(groups.values("memberUid")):
        for value in values:
            name = fold(plain_text(value))
            members.links += [(account, group) for account in by_uid.get(name, ())]
            if name not in by_uid:
                members.unmatched_uids[name] += 1


def add_primary_groups(members: Members, accounts: Entries, groups: Entries) -> None:
    """Adds the group that `gidNumber` of an account names: a posixGroup of the same number."""
    by_number: dict[str, list[int]] = defaultdict(list)
    for group, number in enumerate(first_texts(groups, "gidNumber")):
        if number is not None:
            by_number[number].append(group)
    if by_number:
        _add_primary(members, first_texts(accounts, "gidNumber"), by_number)


def add_primary_groups_by_sid(members: Members, accounts: Entries, groups: Entries) -> None:
    """Adds the group that primaryGroupID names: the last part of a SID of the account's domain.

    `member` and `memberOf` never have it ([MS-ADTS] 3.1.1.1.6).
    """
    by_sid: dict[str, list[int]] = defaultdict(list)
    for group, sid in enumerate(first_texts(groups, "objectSid")):
        if sid is not None:
            by_sid[sid].append(group)
    numbers = first_texts(accounts, "primaryGroupID")
    sids = [
        None if sid is None or number is None else f"{sid.rpartition('-')[0]}-{number}"
        for sid, number in zip(first_texts(accounts, "objectSid"), numbers, strict=True)
    ]
    _add_primary(members, sids, by_sid)


def _add_primary(members: Members, named: list[str | None], groups: dict[str, list[int]]) -> None:
    for account, name in enumerate(named):
        primary = groups.get(name, ()) if name is not None else ()
        members.links += [(account, group) for group in primary]
        if name is not None and not primary:
            members.unknown_groups[f"primary group {name}"] += 1


def add_selected(members: Members, directory: Directory, group: int, dns: list[str]) -> None:
    """Adds the accounts that a group's URL selects; whatever else it selects is no account."""
    for dn in dns:
        meant = directory.meaning(dn.encode())
        if isinstance(meant, int) and meant >= 0:
            members.links.append((meant, group))


def urls_of(groups: Entries) -> list[tuple[int, str]]:
    """Returns the URLs of dynamic groups, with the group's row."""
    return [
        (group, plain_text(value))
        for group, values in enumerate(groups.values("memberURL"))
        for value in values
    ]


def to_effective(direct: pl.DataFrame, nested: pl.DataFrame) -> Effective:
    """Returns `direct` (`LINKS`) and what follows from it by `nested` (`NESTED`).

    An account that is in a group by several ways has the shortest, of those the one through the
    group that comes first; one that is in it itself has that.
    """
    reached = reached_groups(nested)
    inherited = (
        direct.rename({"group": "through"})
        .join(reached, left_on="through", right_on="member")
        .select("account", "group", "through", "depth")
    )
    itself = direct.select(
        "account",
        "group",
        pl.lit(None, pl.UInt32).alias("through"),
        pl.lit(0, pl.UInt32).alias("depth"),
    )
    links = (
        pl.concat([itself, inherited])
        .sort("account", "group", "depth", "through")
        .unique(["account", "group"], keep="first", maintain_order=True)
    )
    deepest = reached["depth"].max() if reached.height else 0
    return Effective(links.select(*LINKS, "through"), reached, int(str(deepest)))


def reached_groups(nested: pl.DataFrame) -> pl.DataFrame:
    """Returns the groups inside each group by the shortest way (`REACHED`); none is in itself."""
    steps = nested.filter(pl.col("group") != pl.col("member")).unique().sort("group", "member")
    ways = steps.select(
        "group", "member", pl.col("member").alias("via"), pl.lit(1, pl.UInt32).alias("depth")
    )
    by_depth, newest = [ways], ways
    known = ways.select("group", "member")
    while newest.height:
        further = newest.join(
            steps.rename({"group": "member", "member": "next"}), on="member"
        ).select("group", pl.col("next").alias("member"), "via", pl.col("depth") + 1)
        newest = (
            further.filter(pl.col("group") != pl.col("member"))
            .join(known, on=["group", "member"], how="anti")
            .sort("group", "member", "via")
            .unique(["group", "member"], keep="first", maintain_order=True)
        )
        known = pl.concat([known, newest.select("group", "member")])
        by_depth.append(newest)
    return pl.concat(by_depth)


def paths_of(effective: Effective, labels: list[str]) -> pl.Series:
    """Returns each link's way through the groups, outermost first: `Staff > Admins`; else null."""
    ends = effective.links.select("group", "through").unique().drop_nulls("through")
    via = {
        (group, member): step
        for group, member, step in effective.reached.select("group", "member", "via").iter_rows()
    }
    texts = []
    for outermost, member in ends.iter_rows():
        way = [outermost]
        while way[-1] != member:
            way.append(via[way[-1], member])
        texts.append(" > ".join(labels[group] for group in way))
    paths = ends.with_columns(pl.Series("path", texts, dtype=pl.String))
    joined = effective.links.join(paths, on=["group", "through"], how="left", maintain_order="left")
    return joined["path"]
