"""What a directory's entries mean, told by small LDIF exports."""

import base64
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from extractors.directory.account_fields import to_requested_fields
from extractors.directory.ldif.source import read_ldif_source
from schemas.errors import ConfigError, SourceError, SourceFormatError, SourceIncompleteError
from schemas.raw import LastRead, Raw
from schemas.source_file.columns import Named
from schemas.source_file.kinds.directory_source import LdifSource
from schemas.tables import ACCOUNT_FIELDS

NOW = datetime(2026, 6, 1, tzinfo=UTC)
GROUP = "dn: cn=g,dc=x\nobjectClass: groupOfNames\ncn: g\nmember: uid=a,dc=x\n"


def user(uid: str, *lines: str, base: str = "dc=x") -> str:
    attributes = "".join(f"{line}\n" for line in lines)
    return f"dn: uid={uid},{base}\nobjectClass: inetOrgPerson\nuid: {uid}\n{attributes}"


def read(
    folder: Path,
    *entries: str,
    columns: set[str] | None = None,
    fields: set[str] | None = None,
    id_column: str = "",
    last_read: LastRead = LastRead(),  # noqa: B008 - frozen
    **keys: Any,
) -> Raw:
    export = folder / "export.ldif"
    export.write_text("\n".join(entries) + "\n", "utf-8")
    os.utime(export, (NOW.timestamp(), NOW.timestamp()))
    source = {"kind": "ldif", "file": "export.ldif", "id": "uid", "group_id": "cn"}
    named = Named(frozenset(columns or ()), frozenset(fields or ()))
    raw = read_ldif_source(
        LdifSource.model_validate({**source, "max_age": None, **keys}),
        folder,
        to_requested_fields(named, id_column),
        now=NOW,
        last_read=last_read,
    )
    # That nobody is shut is a matter of its own.
    told = tuple(text for text in raw.warnings if "all are taken for ACTIVE" not in text)
    return replace(raw, warnings=told)


@pytest.mark.parametrize("cut", range(1, 6))
def test_an_export_that_was_cut_off_is_refused(tmp_path: Path, cut: int) -> None:
    """However little is missing: what was lost may be a person, and the rest of a value."""
    read(tmp_path, user("a"), user("b"), groups=None)
    whole = (tmp_path / "export.ldif").read_text("utf-8")

    with pytest.raises(SourceIncompleteError, match="it was cut off"):
        read(tmp_path, whole[: -cut - 1], groups=None)


def read_domain(folder: Path, *entries: str, **keys: Any) -> Raw:
    return read(folder, *entries, model="active_directory", **keys)


def held(raw: Raw) -> set[tuple[str, str]]:
    assert raw.associations is not None
    return set(raw.associations.rows.drop("source row", "path").rows())


def column(raw: Raw, name: str) -> list[str | None]:
    return raw.accounts.rows[name].to_list()


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([], "ACTIVE"),
        (["pwdAccountLockedTime: 000001010000Z"], "SUSPENDED"),
        (["pwdAccountLockedTime: 20260101000000Z"], "SUSPENDED"),
        (["nsAccountLock: TRUE"], "SUSPENDED"),
        (["nsAccountLock: false"], "ACTIVE"),
        (["nsAccountLock: perhaps"], "nsAccountLock: perhaps"),
        (["shadowExpire: -1"], "ACTIVE"),
        (["shadowExpire: 0"], "SUSPENDED"),
        (["shadowExpire: 20605"], "SUSPENDED"),  # 2026-06-01, the day itself
        (["shadowExpire: 20606"], "ACTIVE"),
        (["shadowExpire: soon"], "shadowExpire: soon"),
        (["loginShell: /sbin/nologin"], "ACTIVE"),  # only where the file says so
        (["pwdEndTime: 20260601000000Z"], "SUSPENDED"),
        (["pwdEndTime: 20260601000001Z"], "ACTIVE"),
        (["pwdStartTime: 20260601000001Z"], "STAGED"),
        (["pwdStartTime: 20260101000000Z"], "ACTIVE"),
        (["accountUnlockTime: 19700101000000Z"], "SUSPENDED"),  # for good
        (["accountUnlockTime: 20260601010000Z"], "ACTIVE"),  # a lockout that ends
        (["accountUnlockTime: 20990101000000Z"], "SUSPENDED"),  # and one that does not, for years
        (["nsRoleDN: cn=nsManagedDisabledRole,dc=x"], "SUSPENDED"),
        (["nsRoleDN: cn=Staff,dc=x"], "ACTIVE"),
        (["krbPrincipalExpiration: 20200101000000Z"], "SUSPENDED"),
        (["krbPrincipalExpiration: 20380101000000Z"], "ACTIVE"),
        (["krbPrincipalExpiration: never"], "krbPrincipalExpiration: never"),
        (["loginDisabled: TRUE"], "SUSPENDED"),
        (["loginDisabled: FALSE"], "ACTIVE"),
        (["loginExpirationTime: 20200101000000Z"], "SUSPENDED"),
        (["lockedByIntruder: TRUE"], "ACTIVE"),
        (["ds-pwp-account-disabled: true"], "SUSPENDED"),
        (["ds-pwp-account-expiration-time: 20200101000000Z"], "SUSPENDED"),
        (["ds-pwp-account-activation-time: 20990101000000Z"], "STAGED"),
        (["ibm-pwdAccountLocked: true"], "SUSPENDED"),
        (["orclIsEnabled: DISABLED"], "SUSPENDED"),
        (["orclIsEnabled: ENABLED"], "ACTIVE"),
        (["orclActiveStartDate: 20990101000000z"], "orclActiveStartDate: 20990101000000z"),
        (["orclActiveEndDate: 20200101000000Z"], "SUSPENDED"),
        (["sambaAcctFlags: [UD         ]"], "SUSPENDED"),
        (["sambaAcctFlags: [UL         ]"], "ACTIVE"),
        (["sambaAcctFlags: [U          ]"], "ACTIVE"),
        (["inetUserStatus: Active"], "ACTIVE"),
        (["inetUserStatus: inactive"], "SUSPENDED"),
        (["inetUserStatus: deleted"], "DEPROVISIONED"),
        (["zimbraAccountStatus: locked"], "SUSPENDED"),
        (["zimbraAccountStatus: lockout"], "ACTIVE"),
        (["zimbraAccountStatus: pending"], "STAGED"),
        (["midPointAccountStatus: disabled"], "SUSPENDED"),
        (["msDS-UserAccountDisabled: TRUE"], "SUSPENDED"),
        (["mailUserStatus: inactive"], "ACTIVE"),  # a mailbox's; told of
        # The most closed counts, and what is not understood opens nobody.
        (["nsAccountLock: perhaps", "loginDisabled: TRUE"], "SUSPENDED"),
        (["nsAccountLock: perhaps", "lockedByIntruder: TRUE"], "nsAccountLock: perhaps"),
        (["loginDisabled: TRUE", "inetUserStatus: deleted"], "DEPROVISIONED"),
    ],
)
def test_a_status_is_told_by_what_shuts_an_account(
    tmp_path: Path, lines: list[str], status: str
) -> None:
    raw = read(tmp_path, user("a", *lines), GROUP)

    assert column(raw, "user_status") == [status]


def policy(name: str, *lines: str) -> str:
    more = "".join(f"{line}\n" for line in lines)
    return f"dn: cn={name},ou=policies\nobjectClass: pwdPolicy\ncn: {name}\n{more}"


def test_a_lockout_that_its_policy_ends_is_a_fact_beside_the_status(tmp_path: Path) -> None:
    """2026-06-01 is now; the policy that an account names is the one, else the one there is."""
    since = "pwdAccountLockedTime: 20260531235900Z"
    long_ago = "pwdAccountLockedTime: 20260501000000Z"
    named = "pwdPolicySubentry: cn=minutes,ou=policies"
    people = (
        user("now", since, named),
        user("over", long_ago, named),
        user("good", "pwdAccountLockedTime: 000001010000Z", named),
        user("hard", long_ago, "pwdPolicySubentry: cn=forever,ou=policies"),
        user("default", since),
    )
    minutes = policy("minutes", "pwdLockoutDuration: 300")
    forever = policy("forever", "pwdLockoutDuration: 0")

    raw = read(tmp_path, *people, minutes, forever, GROUP, columns={"is_locked_out"})
    assert column(raw, "user_status") == ["ACTIVE", "ACTIVE", *["SUSPENDED"] * 3]
    assert column(raw, "is_locked_out") == ["true", "false", "false", "false", "false"]
    assert (
        "accounts locked out for a while by pwdAccountLockedTime, a fact apart from the status "
        "(is_locked_out): 1"
    ) in raw.warnings

    raw = read(tmp_path, *people, minutes, GROUP, columns={"is_locked_out"})
    assert column(raw, "user_status")[-1] == "ACTIVE"


def test_a_lock_whose_policy_is_not_seen_is_told(tmp_path: Path) -> None:
    since, good = "20260501000000Z", "000001010000Z"
    raw = read(
        tmp_path,
        user("a", f"pwdAccountLockedTime: {since}"),
        user("b", f"pwdAccountLockedTime: {good}"),
        GROUP,
    )

    assert column(raw, "user_status") == ["SUSPENDED", "SUSPENDED"]
    [note] = raw.warnings
    assert note.startswith("accounts locked since a time (pwdAccountLockedTime) and taken for SUSP")
    assert note.endswith(": 1")


def test_what_may_be_taken_for_a_status_is_told(tmp_path: Path) -> None:
    raw = read(
        tmp_path,
        user("a", "nsRoleDN: cn=nsManagedDisabledRole,dc=x"),
        user("b", "nsRoleDN: cn=nsManagedDisabledRole,dc=x", "nsAccountLock: true"),
        user("c", "mailUserStatus: inactive"),
        GROUP,
    )

    role, mail = raw.warnings
    assert role.startswith("accounts in nsManagedDisabledRole that show no nsAccountLock")
    assert role.endswith("SUSPENDED: 1")
    assert mail.startswith("accounts with a mailUserStatus other than active")


def test_facts_apart_from_the_status_are_told_of_any_directory(tmp_path: Path) -> None:
    facts = ["is_disabled", "is_expired", "is_locked_out", "is_password_expired"]
    raw = read(
        tmp_path,
        user("a", "loginDisabled: TRUE", "passwordExpirationTime: 20200101000000Z"),
        user("b", "shadowExpire: 1", "krbPasswordExpiration: 20990101000000Z"),
        GROUP,
        columns=set(facts),
    )

    assert [column(raw, name) for name in facts] == [
        ["true", "false"],
        ["false", "true"],
        ["false", "false"],
        ["true", "false"],
    ]


@pytest.mark.parametrize(
    ("status_from", "line", "status"),
    [
        ("loginShell", "loginShell: /usr/sbin/nologin", "SUSPENDED"),
        ("loginShell", "loginShell: /bin/false", "SUSPENDED"),
        ("loginShell", "loginShell: /bin/bash", "ACTIVE"),
        ("shadowExpire", "nsAccountLock: true", "ACTIVE"),
        ("none", "nsAccountLock: true", "ACTIVE"),
    ],
)
def test_the_file_may_choose_what_tells_the_status(
    tmp_path: Path, status_from: str, line: str, status: str
) -> None:
    raw = read(tmp_path, user("a", line), GROUP, status_from=status_from)

    assert column(raw, "user_status") == [status]


def test_the_last_login_is_the_later_of_what_is_kept(tmp_path: Path) -> None:
    raw = read(
        tmp_path,
        user("a", "authTimestamp: 20260101000000Z", "pwdLastSuccess: 20260101000000.5Z"),
        user("b", "authTimestamp: 20260201020304+0100"),
        user("c"),
        GROUP,
    )

    assert column(raw, "last_login") == ["2026-01-01T00:00:00.5Z", "2026-02-01T01:03:04Z", None]


def test_members_are_matched_whatever_way_their_names_are_written(tmp_path: Path) -> None:
    raw = read(
        tmp_path,
        user("a"),
        user("b\\,c"),
        "dn: cn=names,dc=x\nobjectClass: groupOfNames\ncn: names\n"
        "member: UID = A , DC=X\nmember: uid=b\\2cc,dc=x\n",
        "dn: cn=unique,dc=x\nobjectClass: groupOfUniqueNames\ncn: unique\n"
        "uniqueMember: uid=a,dc=x#'0101'B\n",
        "dn: cn=posix,dc=x\nobjectClass: posixGroup\ncn: posix\ngidNumber: 7\nmemberUid: a\n"
        "memberUid: nobody\n",
        "dn: cn=urls,dc=x\nobjectClass: groupOfURLs\ncn: urls\n"
        "memberURL: ldap:///dc=x??sub?(uid=b*)\n",
    )

    assert held(raw) == {
        ("a", "names"),
        ("b\\,c", "names"),
        ("a", "unique"),
        ("a", "posix"),
        ("b\\,c", "urls"),
    }
    [note] = raw.warnings
    assert note == (
        "export.ldif: 1 membership by login name (memberUid) of 1 that no account has; "
        "they are left out"
    )


def test_a_primary_group_is_a_membership(tmp_path: Path) -> None:
    posix = "dn: cn=staff,dc=x\nobjectClass: posixGroup\ncn: staff\ngidNumber: 50\n"

    raw = read(tmp_path, user("a", "gidNumber: 50"), user("b", "gidNumber: 51"), posix)

    assert held(raw) == {("a", "staff")}
    assert "1 membership in 1 groups that are not among the groups read" in raw.warnings[0]


def test_members_may_name_their_groups_instead(tmp_path: Path) -> None:
    inner = "dn: cn=inner,dc=x\nobjectClass: groupOfNames\ncn: inner\nmemberOf: cn=g,dc=x\n"

    raw = read(
        tmp_path,
        user("a", "memberOf: cn=inner,dc=x", "memberOf: cn=lost,dc=y"),
        inner,
        GROUP.replace("member: uid=a,dc=x\n", ""),
        membership="member_of",
    )

    assert held(raw) == {("a", "inner"), ("a", "g")}
    assert "1 membership in 1 groups that are not among the groups read" in raw.warnings[0]
    assert "cn=lost" not in raw.warnings[0]


def team(name: str, *members: str) -> str:
    named = "".join(f"member: {member}\n" for member in members)
    return f"dn: cn={name},dc=x\nobjectClass: groupOfNames\ncn: {name}\n{named}"


NESTED = (
    user("a"),
    user("b"),
    team("app-pay", "cn=team-fin,dc=x"),
    team("team-fin", "uid=a,dc=x", "cn=team-sub,ou=elsewhere,dc=x"),
    team("team-sub", "uid=b,dc=x").replace("cn=team-sub,dc=x", "cn=team-sub,ou=elsewhere,dc=x"),
    team("team-other", "uid=b,dc=x", "uid=nobody,dc=x"),
)


def test_who_is_in_an_entitlement_is_told_through_groups_that_are_none(tmp_path: Path) -> None:
    """`groups.filter` says which groups are entitlements, and not who is in them."""
    raw = read(tmp_path, *NESTED, groups={"filter": "(cn=app-*)"})

    assert held(raw) == {("a", "app-pay"), ("b", "app-pay")}
    assert raw.entitlements is not None
    assert raw.entitlements.rows["integration_specific_id"].to_list() == ["app-pay"]
    assert raw.associations is not None
    assert set(raw.associations.rows["path"]) == {
        "app-pay > team-fin",
        "app-pay > team-fin > team-sub",
    }
    assert raw.warnings == ()  # nor is what is wrong with a group beside the way a matter of theirs

    raw = read(tmp_path, *NESTED, groups={"filter": "(cn=app-*)"}, nested_groups="direct")
    assert held(raw) == set()
    assert "1 groups that groups leaves out" in raw.warnings[0]


def test_members_that_name_groups_are_in_an_entitlement_through_others_too(tmp_path: Path) -> None:
    people = user("a", "memberOf: cn=team-fin,dc=x"), user("b", "memberOf: cn=team-other,dc=x")
    teams = team("app-pay"), team("team-fin") + "memberOf: cn=app-pay,dc=x\n", team("team-other")

    raw = read(tmp_path, *people, *teams, groups={"filter": "(cn=app-*)"}, membership="member_of")

    assert held(raw) == {("a", "app-pay")}


@pytest.mark.parametrize(
    ("people", "error"),
    [
        ([user("a")], "no account and no group shows memberOf"),
        ([user("a", "memberOf: cn=team-fin,dc=x")], "no group shows memberOf"),
    ],
)
def test_where_nobody_names_groups_none_can_be_told(
    tmp_path: Path, people: list[str], error: str
) -> None:
    teams = team("app-pay", "cn=team-fin,dc=x"), team("team-fin", "uid=a,dc=x")

    with pytest.raises(SourceIncompleteError, match=error) as caught:
        read(tmp_path, *people, *teams, membership="member_of")
    assert "say membership: member" in str(caught.value)


def test_accounts_and_groups_may_lie_in_several_places_and_parts_be_left_out(
    tmp_path: Path,
) -> None:
    groups = (
        GROUP.replace("cn=g,dc=x", "cn=g,ou=teams,dc=x"),
        team("h", "uid=b,ou=guests,dc=x", "uid=c,ou=tests,ou=staff,dc=x").replace(
            "dn: cn=h,dc=x", "dn: cn=h,ou=roles,dc=x"
        ),
    )
    people = (
        user("a", base="ou=staff,dc=x"),
        user("b", base="ou=guests,dc=x"),
        user("c", base="ou=tests,ou=staff,dc=x"),
        user("d", base="ou=former,dc=x"),
    )

    raw = read(
        tmp_path,
        *people,
        *groups,
        users=[
            {"base": "ou=staff,dc=x", "without": ["OU=Tests, OU=Staff, DC=X"]},
            {"base": "ou=guests,dc=x", "filter": "(uid=b)"},
            {"base": "uid=a,ou=staff,dc=x"},  # twice, and once an account
        ],
        groups=[{"base": "ou=teams,dc=x"}, {"base": "ou=roles,dc=x"}],
    )

    assert column(raw, "username") == ["a", "b"]
    assert raw.entitlements is not None
    assert raw.entitlements.rows["integration_specific_id"].to_list() == ["g", "h"]
    assert held(raw) == {("b", "h")}
    assert "1 that users.without leaves out" in raw.warnings[0]
    with pytest.raises(ConfigError, match=r"source.users.without: is no DN"):
        read(tmp_path, *people, users={"without": ["nonsense"]}, groups=None)


def test_two_logins_that_differ_by_case_are_two(tmp_path: Path) -> None:
    wheel = "dn: cn=wheel,dc=x\nobjectClass: posixGroup\ncn: wheel\nmemberUid: jdoe\n"

    raw = read(tmp_path, user("jdoe"), user("JDoe", base="ou=former,dc=x"), wheel)
    assert held(raw) == {("jdoe", "wheel")}


def test_occupants_of_a_role_are_its_members(tmp_path: Path) -> None:
    role = "dn: cn={0},dc=x\nobjectClass: organizationalRole\ncn: {0}\n"

    raw = read(
        tmp_path, user("a"), role.format("Clerk") + "roleOccupant: uid=a,dc=x\n", role.format("No")
    )
    assert held(raw) == {("a", "Clerk")}
    assert raw.entitlements is not None
    assert raw.entitlements.rows.height == 1


def test_members_that_are_no_accounts_are_told_apart(tmp_path: Path) -> None:
    room = "dn: cn=room,ou=p,dc=x\nobjectClass: room\ncn: room\n"
    group = (
        "dn: cn=g,dc=x\nobjectClass: groupOfNames\ncn: g\nmember: cn=room,ou=p,dc=x\n"
        "member: uid=gone,ou=p,dc=x\nmember: uid=z,ou=q,dc=x\nmember: uid=a,ou=p,dc=x\n"
    )

    raw = read(tmp_path, user("a", base="ou=p,dc=x"), room, group, users={"base": "ou=p,dc=x"})

    [note] = raw.warnings
    assert note == (
        "export.ldif: 3 memberships of 3 members that are no accounts: 1 not there at all, "
        "1 outside ou=p,dc=x, 1 that users leaves out; they are left out"
    )
    assert held(raw) == {("a", "g")}


def test_several_values_are_joined_in_order_and_one_mail_is_chosen(tmp_path: Path) -> None:
    raw = read(
        tmp_path,
        user("a", "mail: z@x.org", "mail: a@x.org", "title: Z", "title: A"),
        GROUP,
        columns={"title", "jpegPhoto", "employeeType"},
        separator=" | ",
    )

    assert column(raw, "email") == ["a@x.org"]
    assert column(raw, "title") == ["A | Z"]
    assert column(raw, "employeeType") == [None]
    absent, several = raw.warnings
    assert absent == (
        "no account has the attribute employeeType, jpegPhoto: it is misspelt, or the reading "
        "account may not read it"
    )
    assert several == (
        "accounts with several mail values, of which last time's counts, else the first of the "
        "directory's own domain or in the alphabet: 1"
    )


def test_of_several_addresses_last_time_s_is_kept_while_it_is_there(tmp_path: Path) -> None:
    """A directory promises no order: whoever comes first would be another person every night."""
    first = read(tmp_path, user("a", "mail: none", "mail: z@x.org", "mail: m@x.org"), GROUP)
    assert column(first, "email") == ["m@x.org"]

    added = user("a", "mail: a@x.org", "mail: m@x.org")
    again = read(tmp_path, added, GROUP, last_read=first.remembered)
    assert column(again, "email") == ["m@x.org"]

    own = user("a", "mail: b@X", "mail: a@alias.x")  # dc=x is the directory's domain
    assert column(read(tmp_path, own, GROUP), "email") == ["b@X"]

    gone = user("a", "mail: z@x.org", "mail: a@x.org")
    assert column(read(tmp_path, gone, GROUP, last_read=again.remembered), "email") == ["a@x.org"]


def test_of_several_ids_the_one_in_the_dn_counts(tmp_path: Path) -> None:
    raw = read(
        tmp_path,
        user("a", "uid: zed", "employeeNumber: 7", "employeeNumber: 8"),
        user("b", "uid: alpha").replace("dn: uid=b", "dn: cn=Ben+uid=B"),
        user("c", "uid: d").replace("dn: uid=c", "dn: cn=Cy"),
        "dn: cn=g,dc=x\nobjectClass: groupOfNames\ncn: also\ncn: g\nmember: uid=a,dc=x\n",
    )
    assert column(raw, "integration_specific_id") == ["a", "b", None]
    assert column(raw, "username") == ["a", "b", "c"]
    assert held(raw) == {("a", "g")}

    raw = read(
        tmp_path,
        user("a", "employeeNumber: 7", "employeeNumber: 8"),
        user("b", "employeeNumber: 9"),
        columns={"employeeNumber"},
        id_column="employeeNumber",
        groups=None,
    )
    assert column(raw, "employeeNumber") == [None, "9"]


@pytest.mark.parametrize("name", ["nsUniqueId", "ipaUniqueID", "departmentNumber", "GUID"])
def test_any_attribute_of_one_value_may_be_the_id(tmp_path: Path, name: str) -> None:
    raw = read(
        tmp_path, user("a", f"{name}: 1-2"), GROUP + f"{name}: 3-4\n", id=name, group_id=name
    )

    assert held(raw) == {("1-2", "3-4")}
    with pytest.raises(ConfigError, match="holds a password or a key"):
        read(tmp_path, user("a"), GROUP, id="userPassword")


def test_a_login_stands_for_a_name_where_there_is_neither_address_nor_both_names(
    tmp_path: Path,
) -> None:
    raw = read_domain(
        tmp_path,
        in_domain("Administrator", 500, "userAccountControl: 512"),
        in_domain("krbtgt", 502, "userAccountControl: 514"),
        in_domain("svc-x", 1102, "userAccountControl: 512", "sn: Backup"),
        in_domain("ann", 1103, "userAccountControl: 512", "mail: ann@x"),
        in_domain("bob", 1104, "userAccountControl: 512", "givenName: Bob", "sn: Bee"),
        EVERYBODY,
    )

    assert raw.accounts.rows.select("given_name", "family_name", "account_type").rows() == [
        ("Administrator", "Active Directory account, x", "user"),
        ("krbtgt", "Active Directory service account, x", "service"),
        ("svc-x", "Backup", "user"),
        (None, None, "user"),
        ("Bob", "Bee", "user"),
    ]
    assert "for 3 without an address or both names login and kind stand" in raw.proof[0]


def test_an_address_in_another_attribute_needs_no_name(tmp_path: Path) -> None:
    named = to_requested_fields(Named(frozenset({"upn"}), frozenset({"email"})), "uid")
    assert "email" not in named.fields
    raw = read(tmp_path, user("a", "upn: a@x.org"), user("b"), GROUP, columns={"upn"},
               fields={"email"})  # fmt: skip

    assert column(raw, "given_name") == [None, "b"]


def test_a_blob_is_kept_only_where_it_is_asked_for(tmp_path: Path) -> None:
    photo = base64.b64encode(b"\xff\xd8\xff").decode()

    raw = read(tmp_path, user("a", f"jpegPhoto:: {photo}"), GROUP, columns={"jpegPhoto"})

    assert column(raw, "jpegPhoto") == [photo]


def test_an_attribute_is_found_in_any_case_and_named_as_the_file_names_it(tmp_path: Path) -> None:
    raw = read(tmp_path, user("a", "departmentNumber: 7"), GROUP, columns={"DEPARTMENTNUMBER"})

    assert column(raw, "DEPARTMENTNUMBER") == ["7"]


def test_a_password_in_the_export_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds a password or a key"):
        read(tmp_path, user("a", "userPassword: canary"), GROUP, columns={"userPassword"})

    raw = read(tmp_path, user("a", "userPassword: canary"), GROUP, columns={"dn"})
    assert "canary" not in str(raw.accounts.rows.to_dicts())
    assert column(raw, "dn") == ["uid=a,dc=x"]


def test_no_filter_finds_out_a_password(tmp_path: Path) -> None:
    ann = user("a", "userPassword: canary")

    with pytest.raises(SourceIncompleteError, match="no account there"):
        read(tmp_path, ann, GROUP, users={"filter": "(userPassword=canary)"})


def test_another_id_is_that_of_the_memberships_too(tmp_path: Path) -> None:
    raw = read(
        tmp_path,
        user("a", "employeeNumber: 0007"),
        GROUP,
        columns={"employeeNumber"},
        id_column="employeeNumber",
    )

    assert held(raw) == {("0007", "g")}


def test_a_field_that_the_file_fills_itself_is_left_out(tmp_path: Path) -> None:
    wanted = to_requested_fields(Named(frozenset({"proxyMail"}), frozenset({"email"})), None)

    assert set(wanted.fields) == set(ACCOUNT_FIELDS) - {"email"}
    assert wanted.attributes == ("proxyMail",)


def test_an_id_that_nobody_has_names_what_is_lacking(tmp_path: Path) -> None:
    with pytest.raises(SourceIncompleteError, match="none of 1 accounts has the attribute entryU"):
        read(tmp_path, user("a"), GROUP, id="entryUUID")


@pytest.mark.parametrize(
    ("entries", "keys", "line"),
    [
        ([GROUP], {}, "no account there: check users.base"),
        ([user("a")], {}, "no group there: check groups.base"),
        ([user("a"), GROUP], {"base_dn": "nonsense"}, "source.base_dn: is no DN"),
        ([user("a"), GROUP], {"references": {"manager": "email"}}, "source.references: manager"),
        ([user("a"), GROUP], {"service_accounts": "(x"}, "source.service_accounts: at character"),
        (
            [
                user("a"),
                "dn: cn=d,dc=x\nobjectClass: groupOfURLs\ncn: d\nmemberURL: ldap://other/dc=x??sub?\n",
            ],
            {},
            "memberURL is not of this server",
        ),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(
    tmp_path: Path, entries: list[str], keys: dict[str, Any], line: str
) -> None:
    with pytest.raises((SourceError, ConfigError), match=line.replace(".", r"\.")) as caught:
        read(tmp_path, *entries, **keys)

    assert "\n" not in str(caught.value)
    assert "uid=a" not in str(caught.value)


def test_groups_may_be_left_alone(tmp_path: Path) -> None:
    raw = read(tmp_path, user("a"), groups=None)

    assert (raw.entitlements, raw.associations) == (None, None)


def test_two_entries_of_one_dn_are_refused_with_both_lines(tmp_path: Path) -> None:
    """Two exports in one file: which of the two is the account, nobody knows."""
    again = user("a", "entryUUID: 2").replace("uid=a,dc=x", "UID=A, dc=X")

    with pytest.raises(SourceFormatError, match="lines 1 and 11: two entries of one DN"):
        read(tmp_path, user("a", "entryUUID: 1"), GROUP, again)

    assert held(read(tmp_path, user("a"), GROUP, user("a"))) == {("a", "g")}  # the same twice


def test_what_a_server_hides_is_no_account(tmp_path: Path) -> None:
    raw = read(
        tmp_path,
        user("a"),
        user("gone", "objectClass: nsTombstone"),
        user("deleted", "isDeleted: TRUE"),
        user("template", "objectClass: ldapSubEntry"),
        GROUP,
    )

    assert column(raw, "username") == ["a"]
    assert "of 5 entries" in raw.proof[0]
    assert "3 of them deleted or of the server's own" in raw.proof[0]


@pytest.mark.parametrize(
    ("complete", "error"),
    [
        ({"trailer": r"# (\d+) entries"}, None),
        ({"trailer": r"# (\d+) rows"}, "its last line is not the trailer"),
        ({"manifest": "count.json"}, None),
        ({"manifest": "wrong.json"}, "2 rows were read and the manifest wrong.json states 3"),
        ({"marker": "{path}.done"}, "its marker export.ldif.done is not there"),
    ],
)
def test_an_export_may_be_proved_whole_as_other_exports_are(
    tmp_path: Path, complete: dict[str, str], error: str | None
) -> None:
    (tmp_path / "count.json").write_text("2")
    (tmp_path / "wrong.json").write_text("3")
    entries = (user("a"), GROUP, "# 2 entries")
    if error is None:
        assert "says 2" in read(tmp_path, *entries, complete=complete).proof[0]
        return
    with pytest.raises(SourceIncompleteError, match=error):
        read(tmp_path, *entries, complete=complete)


def test_an_export_may_end_without_an_empty_line_where_the_file_says_so(tmp_path: Path) -> None:
    read(tmp_path, user("a"), user("b"), groups=None)
    cut = (tmp_path / "export.ldif").read_text("utf-8")[:-2]

    raw = read(tmp_path, cut, groups=None, ends_with_empty_line=False)
    assert column(raw, "username") == ["a", "b"]


def test_a_change_record_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(SourceFormatError, match="line 2: changetype: describes a change"):
        read(tmp_path, "dn: uid=a,dc=x\nchangetype: delete\n")


def sid(rid: int) -> bytes:
    parts = (21, 1, 2, 3, rid)
    return b"\x01\x05" + (5).to_bytes(6, "big") + b"".join(p.to_bytes(4, "little") for p in parts)


def in_domain(name: str, rid: int, *lines: str, kind: str = "user") -> str:
    guid = base64.b64encode(rid.to_bytes(16, "little")).decode()
    if kind == "user" and not any(line.startswith("accountExpires") for line in lines):
        lines = (*lines, "accountExpires: 0")  # a domain gives each an expiry
    attributes = "".join(f"{line}\n" for line in lines)
    return (
        f"dn: CN={name},DC=x\nobjectClass: {kind}\nobjectCategory: CN=Person,DC=x\n"
        f"sAMAccountName: {name}\nobjectGUID:: {guid}\n"
        f"objectSid:: {base64.b64encode(sid(rid)).decode()}\ncn: {name}\n{attributes}"
    )


def group(name: str, rid: int, *lines: str) -> str:
    return in_domain(name, rid, *lines, kind="group").replace("CN=Person,DC=x", "CN=Group,DC=x")


EVERYBODY = group("everybody", 513)


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["userAccountControl: 512"], "ACTIVE"),
        (["userAccountControl: 514"], "SUSPENDED"),
        (["userAccountControl: 528"], "ACTIVE"),  # locked out for a while is no suspension
        (["userAccountControl: 512", "accountExpires: 0"], "ACTIVE"),
        (["userAccountControl: 512", "accountExpires: 9223372036854775807"], "ACTIVE"),
        (["userAccountControl: 512", "accountExpires: 132223104000000000"], "SUSPENDED"),
        (["userAccountControl: 512", "accountExpires: 150000000000000000"], "ACTIVE"),
        (["userAccountControl: 512", "accountExpires: -1"], "ACTIVE"),
        (["userAccountControl: 512", "accountExpires: 3000000000000000000"], "ACTIVE"),
        (["userAccountControl: 512", "accountExpires: -2"], None),
        (["userAccountControl: 512", "accountExpires: soon"], None),
        (["userAccountControl: many"], None),
        ([], None),
    ],
)
def test_a_domain_s_flags_tell_the_status(
    tmp_path: Path, lines: list[str], status: str | None
) -> None:
    other = in_domain("other", 1100, "userAccountControl: 512")

    raw = read_domain(tmp_path, in_domain("ann", 1101, *lines), other, EVERYBODY)

    assert column(raw, "user_status") == [status, "ACTIVE"]


def test_flags_that_nobody_may_read_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceIncompleteError, match="userAccountControl, needed for user_status"):
        read_domain(tmp_path, in_domain("ann", 1101), EVERYBODY)


def test_a_domain_s_ids_times_and_facts_are_decoded_exactly(tmp_path: Path) -> None:
    raw = read_domain(
        tmp_path,
        in_domain(
            "ann",
            0x01020304,
            "userAccountControl: 514",
            "msDS-User-Account-Control-Computed: 8388624",
            "lastLogonTimestamp: 133801632000000001",
            "whenCreated: 20200102030405.0Z",
        ),
        EVERYBODY,
        columns={"objectSid", "is_disabled", "is_locked_out", "is_password_expired",
                 "is_expired", "whenCreated"},
    )  # fmt: skip

    row = raw.accounts.rows.row(0, named=True)
    assert row["integration_specific_id"] == "01020304-0000-0000-0000-000000000000"
    assert row["objectSid"] == f"S-1-5-21-1-2-3-{0x01020304}"
    assert row["last_login"] == "2025-01-01T00:00:00.0000001Z"
    assert row["whenCreated"] == "2020-01-02T03:04:05Z"
    facts = [row[name] for name in ("is_disabled", "is_locked_out", "is_password_expired")]
    assert facts == ["true", "true", "true"]
    assert row["is_expired"] == "false"


def test_primary_groups_are_found_by_sid_and_foreign_ones_by_theirs(tmp_path: Path) -> None:
    foreign = "CN=S-1-5-21-1-2-3-1101,CN=ForeignSecurityPrincipals,DC=x"
    unknown = "CN=S-1-5-21-9-9-9-1,CN=ForeignSecurityPrincipals,DC=x"

    raw = read_domain(
        tmp_path,
        in_domain("ann", 1101, "userAccountControl: 512", "primaryGroupID: 513"),
        in_domain("bob", 1102, "userAccountControl: 512", "primaryGroupID: 999"),
        EVERYBODY,
        group("mixed", 600, f"member: {foreign}", f"member: {unknown}",
              "member: <SID=S-1-5-21-1-2-3-1102>;CN=bob,DC=old"),
    )  # fmt: skip

    ids = dict(raw.accounts.rows.select("username", "integration_specific_id").rows())
    assert raw.entitlements is not None
    groups = dict(raw.entitlements.rows.select("integration_specific_id", "label").rows())
    assert {(who, groups[which]) for who, which in held(raw)} == {
        (ids["ann"], "everybody"),
        (ids["ann"], "mixed"),
        (ids["bob"], "mixed"),
    }
    assert any("1 foreign security principals" in note for note in raw.warnings)
    assert any("1 membership in 1 groups" in note for note in raw.warnings)


def test_service_accounts_are_told_by_class_and_by_filter(tmp_path: Path) -> None:
    raw = read_domain(
        tmp_path,
        in_domain("ann", 1101, "userAccountControl: 512"),
        in_domain("svc-x", 1102, "userAccountControl: 512"),
        in_domain("pc", 1103, "objectClass: computer", "userAccountControl: 4096"),
        in_domain("gmsa", 1104, "objectClass: computer", "userAccountControl: 4096",
                  "objectClass: msDS-GroupManagedServiceAccount"),
        in_domain("trust$", 1105, "userAccountControl: 2080"),
        EVERYBODY,
        service_accounts="(sAMAccountName=svc-*)",
    )  # fmt: skip

    assert raw.accounts.rows.select("username", "account_type").rows() == [
        ("ann", "user"),
        ("svc-x", "service"),
        ("gmsa", "service"),
    ]
    assert "computers and trusts that match users.filter, and are left out: 2" in raw.warnings


def test_a_group_s_sort_and_manager_follow_its_description(tmp_path: Path) -> None:
    raw = read_domain(
        tmp_path,
        in_domain("ann", 1101, "userAccountControl: 512"),
        group("a", 600, "groupType: -2147483646", "description: What", "managedBy: cn=ANN,dc=x"),
        group("b", 601, "groupType: 8"),
        group("c", 602, "groupType: -2147483644", "managedBy: CN=gone,DC=x"),
    )

    assert raw.entitlements is not None
    assert raw.entitlements.rows["description"].to_list() == [
        "What (global security group, managed by ann)",
        "(universal distribution group)",
        "(domain local security group, managed by somebody who is no account)",
    ]


def test_the_same_entries_in_another_order_hold_the_same(tmp_path: Path) -> None:
    entries = [user("a"), user("b"), GROUP, GROUP.replace("cn=g", "cn=h").replace("cn: g", "cn: h")]

    there, back = read(tmp_path, *entries), read(tmp_path, *reversed(entries))

    assert held(there) == held(back)
    assert (
        pl.Series(column(there, "username"))
        .sort()
        .equals(pl.Series(column(back, "username")).sort())
    )
