"""A real OpenLDAP read whole: every member known, every limit an error."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from extractors.read import probe_source, read_source
from schemas.errors import SourceError, SourceFormatError, SourceIncompleteError
from schemas.source_file.columns import Named
from schemas.source_file.kinds.directory_source import LdapSource
from tests.directory_tree import odd_users

if TYPE_CHECKING:
    from schemas.raw import Raw
    from schemas.source_file.secrets import Secret
    from tests.openldap_server import OpenLdap

pytest_plugins = ["tests.openldap_server"]

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def read(server: OpenLdap, columns: set[str] | None = None, **keys: Any) -> Raw:
    source, resolve = to_source(server, **keys)
    named = Named(frozenset(columns or ()), frozenset())
    return read_source(source, Path(), now=NOW, resolve=resolve, named=named)


def to_source(server: OpenLdap, user: str = "reader", **keys: Any) -> tuple[LdapSource, Any]:
    name, password = getattr(server, user)
    made = {
        "kind": "ldap",
        "host": server.host,
        "port": server.port,
        "protocol": "ldap",
        "base_dn": server.base,
        "username": name,
        "password": {"env": "LDAP_PASSWORD"},
        "users": {"base": server.people},
    }

    def resolve(_secret: Secret) -> SecretStr:
        return SecretStr(password)

    return LdapSource.model_validate(made | keys), resolve


def statuses(raw: Raw) -> dict[str, str]:
    """The accounts' statuses by login name."""
    return dict(raw.accounts.rows.select("username", "user_status").rows())


def test_a_lock_that_the_reading_account_may_not_see_any_more_opens_nobody(
    openldap_server: OpenLdap,
) -> None:
    users = {"base": openldap_server.people, "filter": "(uid=u00000*)"}
    whole = read(openldap_server, users=users, groups=None)
    assert (statuses(whole)["u000003"], statuses(whole)["u000004"]) == ("SUSPENDED", "SUSPENDED")
    source, resolve = to_source(openldap_server, "limited", users=users, groups=None)

    with pytest.raises(SourceIncompleteError, match="1 accounts showed pwdAccountLockedTime"):
        read_source(source, Path(), now=NOW, resolve=resolve, last_read=whole.remembered)

    source, resolve = to_source(
        openldap_server, "limited", users=users, groups=None, status_from="shadowExpire"
    )
    with pytest.raises(SourceIncompleteError, match="1 accounts showed shadowExpire"):
        read_source(source, Path(), now=NOW, resolve=resolve, last_read=whole.remembered)


def test_of_an_account_that_never_saw_a_lock_the_first_read_says_so(
    openldap_server: OpenLdap,
) -> None:
    users = {"base": openldap_server.people, "filter": "(uid=u00000*)"}
    source, resolve = to_source(openldap_server, "limited", users=users, groups=None)
    raw = read_source(source, Path(), now=NOW, resolve=resolve)
    assert set(statuses(raw).values()) == {"ACTIVE"}
    assert any("lacks the right to read pwdAccountLockedTime, nsAccountLock" in w
               for w in raw.warnings)  # fmt: skip


def members(raw: Raw) -> dict[str, set[str]]:
    """The login names in each group, by the group's name."""
    assert raw.entitlements is not None
    assert raw.associations is not None
    names = dict(raw.accounts.rows.select("integration_specific_id", "username").rows())
    groups = dict(raw.entitlements.rows.select("integration_specific_id", "label").rows())
    found: dict[str, set[str]] = {label: set() for label in groups.values()}
    columns = ("account_id", "integration_specific_entitlement_id")
    for account, group in raw.associations.rows.select(columns).iter_rows():
        found[groups[group]].add(names[account])
    return found


def closure(direct: dict[str, tuple[str, ...]], group: str) -> set[str]:
    """Everybody in a group of the tree, worked out the plain way."""
    seen, left, people = set(), [group], set()
    while left:
        one = left.pop()
        if one in seen:
            continue
        seen.add(one)
        for member in direct[one]:
            if member in direct:
                left.append(member)
            else:
                people.add(member)
    return people


def expected_members(server: OpenLdap) -> dict[str, set[str]]:
    tree = server.tree
    direct = tree.direct_members()
    expected = {group: closure(direct, group) for group in direct}
    for number in range(tree.users_count):
        expected[f"posix{tree.primary_group_of(number)}"].add(f"u{number:06d}")
    return expected | {"dynamic": set(tree.dynamic_members())}


@pytest.mark.parametrize("page_size", [None, 7, 300, 304, 1000])
def test_every_group_has_just_its_members_whatever_the_page(
    openldap_server: OpenLdap, page_size: int | None
) -> None:
    raw = read(openldap_server, page_size=page_size)

    assert members(raw) == expected_members(openldap_server)
    assert raw.accounts.rows.height == openldap_server.tree.users_count + len(odd_users())


def test_twenty_thousand_people_are_read_whole(large_openldap_server: OpenLdap) -> None:
    raw = read(large_openldap_server)

    assert raw.accounts.rows.height == 20_000 + len(odd_users())
    assert members(raw) == expected_members(large_openldap_server)


def test_people_may_name_their_groups_instead(openldap_server: OpenLdap) -> None:
    raw = read(openldap_server, membership="member_of", nested_groups="direct")

    found = members(raw)
    for number in range(openldap_server.tree.users_count):
        for team in openldap_server.tree.teams_of(number):
            assert f"u{number:06d}" in found[f"team{team:03d}"]


def test_only_what_is_needed_is_asked_for(openldap_server: OpenLdap) -> None:
    raw = read(openldap_server, {"title"})

    assert set(raw.accounts.rows.columns) == {
        "source row",
        "integration_specific_id",
        "email",
        "given_name",
        "family_name",
        "username",
        "user_status",
        "account_type",
        "title",
    } | ({"last_login"} & set(raw.accounts.rows.columns))


def test_a_misspelt_attribute_is_found_in_the_schema(openldap_server: OpenLdap) -> None:
    with pytest.raises(SourceFormatError, match="no attribute 'titel'; did you mean 'title'"):
        read(openldap_server, {"titel"})


def test_an_attribute_that_may_not_be_read_is_said(openldap_server: OpenLdap) -> None:
    raw = read(openldap_server, {"employeeNumber"})
    assert raw.accounts.rows["employeeNumber"].null_count() == len(odd_users())

    users = {"base": openldap_server.people, "filter": "(departmentNumber=D1)"}
    source, resolve = to_source(openldap_server, user="limited", users=users)
    with pytest.raises(SourceIncompleteError) as caught:
        read_source(
            source,
            Path(),
            now=NOW,
            resolve=resolve,
            named=Named(frozenset({"employeeNumber"}), frozenset({"integration_specific_id"})),
            id_columns={"accounts": "employeeNumber"},
        )

    assert "accounts has the attribute employeeNumber, needed for" in str(caught.value)
    assert "lacks the right to read it" in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ({"user": "limited"}, "LimitExceeded ("),
        ({"user": "unpaged"}, "LimitExceeded ("),
        ({"page_size": 5000}, "adminLimitExceeded (11)"),
        ({"users": {"base": "ou=None,dc=example,dc=org"}}, "noSuchObject (32)"),
        ({"base_dn": "o=referring", "users": {"filter": "(uid=*)"}}, "referral (10)"),
        ({"search_timeout": "0.001s"}, "the server did not answer in time"),
    ],
)
def test_what_is_not_all_is_an_error(
    openldap_server: OpenLdap, keys: dict[str, Any], line: str
) -> None:
    with pytest.raises(SourceError) as caught:
        read(openldap_server, **keys)

    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "uid=" not in str(caught.value)


def test_service_accounts_are_told_by_a_filter(openldap_server: OpenLdap) -> None:
    raw = read(openldap_server, users={}, service_accounts="(uid=svc-*)")

    services = raw.accounts.rows.filter(account_type="service")
    assert sorted(services["username"]) == ["svc-limited", "svc-reader", "svc-unpaged"]


def test_a_look_tells_columns_and_counts(openldap_server: OpenLdap) -> None:
    source, resolve = to_source(openldap_server)

    accounts, groups = probe_source(source, Path(), now=NOW, resolve=resolve)

    assert accounts.said == "304 accounts on the first page"
    assert groups.said == "32 groups on the first page"
    assert "user_status" in accounts.columns
