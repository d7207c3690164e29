"""A directory reaches Lumos: read from a real server, uploaded, and nothing told by the way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from terminal import Workspace

if TYPE_CHECKING:
    from tests.openldap_server import OpenLdap

pytest_plugins = ["tests.openldap_server"]


def ldap_source(server: OpenLdap, more: str = "", user: str = "reader", keys: str = "") -> str:
    """A source file for the people of the tree whose department is known: the odd have neither."""
    dn, _ = getattr(server, user)
    return f"""
app: {{name: Directory, create: {{category: HR & Learning, description: People}}}}
source:
  kind: ldap
  host: {server.host}
  port: {server.port}
  protocol: starttls
  ca_file: {server.authority.file}
  base_dn: {server.base}
  username: {dn}
  password: {{env: LDAP_PASSWORD}}
  users: {{base: "{server.people}", filter: "(departmentNumber=*)"}}
{keys}
upload: {{poll: {{every: 0.1s, give_up_after: 60s}}}}
{more}
"""


def held(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """All accounts in the sandbox, by e-mail address."""
    found: list[dict[str, Any]] = []
    page = 0
    while True:
        page += 1
        query = {"size": 100, "page": page}
        answer = httpx.get(f"{workspace.sandbox.url}/sandbox/accounts", params=query).json()
        found += answer["items"]
        if len(found) >= answer["total"]:
            return {one["email"]: one for one in found}


def groups_of(account: dict[str, Any]) -> set[str]:
    return {one["name"] for one in account["permissions"]}


def test_everybody_arrives_with_every_group(
    workspace: Workspace, openldap_server: OpenLdap
) -> None:
    workspace.source(ldap_source(openldap_server, "attributes: {Title: title}"), "people")

    said = workspace.run("sync", "people", env={"LDAP_PASSWORD": openldap_server.reader[1]})

    assert said.code == 0, said.err
    accounts = held(workspace)
    tree = openldap_server.tree
    assert len(accounts) == tree.users_count
    for number in range(tree.users_count):
        account = accounts[f"u{number:06d}@example.org"]
        expected = "SUSPENDED" if tree.is_locked(number) or tree.is_expired(number) else "ACTIVE"
        assert account["status"] == expected
        assert account["attributes"] == [{"type": "Title", "name": f"Title {number % 11}"}]
        teams = {f"team{team:03d}" for team in tree.teams_of(number)}
        assert teams <= groups_of(account)
        assert f"posix{tree.primary_group_of(number)}" in groups_of(account)
    assert {"outer", "middle", "inner"} <= groups_of(accounts["u000004@example.org"])
    assert "inner" not in groups_of(accounts["u000003@example.org"])
    assert {"cycle-a", "cycle-b"} <= groups_of(accounts["u000007@example.org"])
    assert "mixed" in groups_of(accounts["u000000@example.org"])
    dynamic = {one["email"][:7] for one in accounts.values() if "dynamic" in groups_of(one)}
    assert dynamic == set(tree.dynamic_members())


def test_direct_membership_is_what_the_entries_say_themselves(
    workspace: Workspace, openldap_server: OpenLdap
) -> None:
    workspace.source(ldap_source(openldap_server, keys="  nested_groups: direct"), "people")

    workspace.run("sync", "people", env={"LDAP_PASSWORD": openldap_server.reader[1]})

    assert "outer" not in groups_of(held(workspace)["u000004@example.org"])
    assert "outer" in groups_of(held(workspace)["u000002@example.org"])


@pytest.mark.parametrize("user", ["limited", "unpaged"])
def test_an_account_that_a_limit_stops_uploads_nothing(
    workspace: Workspace, openldap_server: OpenLdap, user: str
) -> None:
    workspace.source(ldap_source(openldap_server, user=user), "people")

    said = workspace.run(
        "sync", "people", env={"LDAP_PASSWORD": getattr(openldap_server, user)[1]}
    )

    assert said.code == 1
    assert "LimitExceeded (" in said.err
    assert said.err.count("\n") == 1
    assert workspace.stats()["uploads"] == 0


def test_no_secret_is_told_or_kept(
    workspace: Workspace, openldap_server: OpenLdap, caplog: pytest.LogCaptureFixture
) -> None:
    """The bind's password, and those of the entries, are in no output and in no file."""
    workspace.source(ldap_source(openldap_server), "people")
    password = openldap_server.reader[1]

    said = workspace.run("sync", "people", env={"LDAP_PASSWORD": password})
    refused = workspace.run("sync", "people", env={"LDAP_PASSWORD": "canary-1f3b"})

    assert (said.code, refused.code) == (0, 1)
    assert refused.err.strip().endswith(
        "the bind was refused: invalidCredentials (49): the username or the password is wrong"
    )
    told = said.out + said.err + refused.out + refused.err + caplog.text
    kept = b"".join(path.read_bytes() for path in workspace.path.rglob("*") if path.is_file())
    for secret in (password, "pw-u0000", "canary-1f3b", "userPassword"):
        assert secret not in told
        assert secret.encode() not in kept


def test_a_password_s_attribute_is_refused_by_name(
    workspace: Workspace, openldap_server: OpenLdap
) -> None:
    text = ldap_source(openldap_server, "attributes: {Secret: userPassword}")
    workspace.source(text, "people")

    said = workspace.run("sync", "people", env={"LDAP_PASSWORD": openldap_server.reader[1]})

    assert said.code == 2
    assert "the attribute userPassword holds a password or a key" in said.err


def test_a_check_names_what_is_there(workspace: Workspace, openldap_server: OpenLdap) -> None:
    (workspace.path / "sources" / "hr.yaml").unlink()
    workspace.source(ldap_source(openldap_server, "attributes: {Title: title}"), "people")

    said = workspace.run("check", env={"LDAP_PASSWORD": openldap_server.reader[1]})

    assert said.code == 0, said.err
    assert "300 accounts on the first page" in said.out
    assert "32 groups on the first page" in said.out


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ('  groups: {filter: "(cn=a"}', "source.groups.filter: at character 6 of the filter"),
        ('  groups: {base: "ou=None,dc=example,dc=org"}', "noSuchObject (32)"),
        ('  groups: {filter: "(cn=none)"}', "no group there"),
        ("  membership: member_of\n  groups: {base: \"nonsense\"}", "source.groups.base"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    workspace: Workspace, openldap_server: OpenLdap, keys: str, line: str
) -> None:
    workspace.source(ldap_source(openldap_server, keys=keys), "people")

    said = workspace.run("sync", "people", env={"LDAP_PASSWORD": openldap_server.reader[1]})

    assert said.code in {1, 2}
    assert line in said.err
    assert said.err.count("\n") == 1
    assert workspace.stats()["uploads"] == 0


def test_the_path_to_a_group_is_in_the_preview_s_files(
    workspace: Workspace, openldap_server: OpenLdap, tmp_path: Path
) -> None:
    import polars as pl

    workspace.source(ldap_source(openldap_server), "people")

    said = workspace.run(
        "preview",
        "people",
        "--out",
        str(tmp_path / "out"),
        env={"LDAP_PASSWORD": openldap_server.reader[1]},
    )

    assert said.code == 0, said.err
    paths = pl.read_parquet(tmp_path / "out" / "paths.parquet")
    assert "outer > middle > inner" in paths["path"].to_list()
    assert paths.columns == ["account_id", "integration_specific_entitlement_id", "path"]
