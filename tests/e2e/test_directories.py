"""A directory reaches Lumos: read from a real server, uploaded, and nothing told by the way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from terminal import Workspace

if TYPE_CHECKING:
    from tests.openldap_server import OpenLdap
    from tests.samba_ad_server import SambaAd

pytest_plugins = ["tests.openldap_server", "tests.samba_ad_server"]


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
        answer = httpx.get(
            f"{workspace.sandbox.url}/sandbox/accounts", params=query, timeout=60
        ).json()
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

    said = workspace.run("sync", "people", env={"LDAP_PASSWORD": getattr(openldap_server, user)[1]})

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
        ('  membership: member_of\n  groups: {base: "nonsense"}', "source.groups.base"),
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


def domain_source(server: SambaAd, more: str = "", keys: str = "", users: str = "{}") -> str:
    return f"""
app: {{name: Domain, create: {{category: HR & Learning, description: People}}}}
source:
  kind: active_directory
  host: {server.host}
  protocol: ldaps
  ca_file: {server.authority.file}
  base_dn: {server.base}
  username: {server.reader[0]}
  password: {{env: AD_PASSWORD}}
  users: {users}
{keys}
upload: {{poll: {{every: 0.1s, give_up_after: 60s}}}}
{more}
"""


PEOPLE = '{base: "OU=People,DC=corp,DC=example"}'


def test_a_domain_arrives_with_every_group(workspace: Workspace, samba_ad_server: SambaAd) -> None:
    workspace.source(
        domain_source(
            samba_ad_server,
            "attributes: {Department: department, Manager: manager, Locked: is_locked_out}",
            keys="  references: {manager: email}",
            users=PEOPLE,
        ),
        "people",
    )

    said = workspace.run("sync", "people", env={"AD_PASSWORD": samba_ad_server.reader[1]})

    assert said.code == 0, said.err
    accounts = held(workspace)
    assert len(accounts) == samba_ad_server.users_count
    for number in range(samba_ad_server.users_count):
        account = accounts[f"user{number:05d}@corp.example"]
        is_disabled, is_expired = number % 10 == 3 and number % 25 != 6, number % 15 == 4
        assert account["status"] == ("SUSPENDED" if is_disabled or is_expired else "ACTIVE")
        told = {one["type"]: one["name"] for one in account["attributes"]}
        assert told["Department"] == f"D{number % 40}"
        assert told["Locked"] == ("true" if number % 20 == 5 else "false")
        if number:
            assert told["Manager"] == f"user{(number - 1) // 8:05d}@corp.example"
        assert {f"team{number % 20:03d}", "everyone"} <= groups_of(account)
        assert "Domain Users" in groups_of(account)
        assert ("primary" in groups_of(account)) is (number in {7, 8})
    assert {"outer", "middle", "inner"} <= groups_of(accounts["user00001@corp.example"])
    assert "inner" not in groups_of(accounts["user00003@corp.example"])
    assert {"cycle-a", "cycle-b"} <= groups_of(accounts["user00005@corp.example"])


def test_service_accounts_are_told_apart_and_computers_left_out(
    workspace: Workspace, samba_ad_server: SambaAd
) -> None:
    workspace.source(
        domain_source(
            samba_ad_server,
            keys="""  service_accounts: "(sAMAccountName=svc-*)" """,
            users='{base: "OU=Services,DC=corp,DC=example", filter: "(sAMAccountName=*)"}',
            more="""columns: {email: {constant: it@corp.example}}""",
        ),
        "people",
    )

    said = workspace.run(
        "preview", "people", "--json", "--out", str(workspace.path / "out"),
        env={"AD_PASSWORD": samba_ad_server.reader[1]},
    )  # fmt: skip

    import polars as pl

    assert said.code == 0, said.err
    accounts = pl.read_parquet(workspace.path / "out" / "accounts.parquet")
    assert sorted(accounts.select("username", "account_type").rows()) == [
        ("gmsa1$", "service"),
        ("msa1$", "service"),
        ("svc-backup", "service"),
        ("svc-reader", "service"),
    ]
    assert any(note.endswith("left out: 1") for note in said.document["warnings"])


def test_members_that_are_no_accounts_are_counted(
    workspace: Workspace, samba_ad_server: SambaAd
) -> None:
    workspace.source(domain_source(samba_ad_server, users=PEOPLE), "people")

    said = workspace.run("preview", "people", "--json", env={"AD_PASSWORD": "Passw0rd-2"})

    noted = " ".join(said.document["warnings"])
    assert " foreign security principals" in noted
    assert "1 that users leaves out" in noted
    assert "outside OU=People,DC=corp,DC=example" in noted


@pytest.mark.parametrize(
    ("user", "password", "line"),
    [
        ("svc-reader@corp.example", "wrong", "(49, data 52e): the username or the password"),
        ("nobody@corp.example", "wrong", "invalidCredentials (49"),
        ("user00003@corp.example", "any", "invalidCredentials (49"),
    ],
)
def test_a_domain_s_refusal_is_translated(
    workspace: Workspace, samba_ad_server: SambaAd, user: str, password: str, line: str
) -> None:
    text = domain_source(samba_ad_server).replace(samba_ad_server.reader[0], user)
    workspace.source(text, "people")

    said = workspace.run("sync", "people", env={"AD_PASSWORD": password})

    assert said.code == 1
    assert line in said.err
    assert user not in said.err


def test_the_second_night_reads_what_changed_and_uploads_the_whole(
    workspace: Workspace, openldap_server: OpenLdap
) -> None:
    workspace.source(ldap_source(openldap_server, keys="  delta: {}"), "people")
    password = {"LDAP_PASSWORD": openldap_server.reader[1]}

    first = workspace.run("sync", "people", env=password)
    second = workspace.run("sync", "people", env=password)

    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert "all of 300 entries read" in first.err
    assert "all of" not in second.err
    assert "300 entries; " in second.err
    assert len(held(workspace)) == openldap_server.tree.users_count

    for kept in (workspace.path / ".lumos-ingest" / "archive").rglob("memory*.parquet"):
        assert kept.stat().st_mode & 0o077 == 0
        kept.unlink()
    third = workspace.run("sync", "people", env=password)
    assert third.code == 0
    assert "nothing to go on from" in third.err
    assert "all of 300 entries read" in third.err


def test_an_export_arrives_without_its_passwords(
    workspace: Workspace, openldap_server: OpenLdap
) -> None:
    """The very tree that the server holds, `userPassword` included, as slapadd takes it."""
    (workspace.path / "exports").mkdir(exist_ok=True)
    export = workspace.path / "exports" / "people.ldif"
    export.write_text(openldap_server.tree.ldif(), "utf-8")
    assert "userPassword: pw-u000001" in export.read_text("utf-8")
    workspace.source(
        f"""
app: {{name: Export, create: {{category: HR & Learning, description: People}}}}
source:
  kind: ldif
  file: exports/people.ldif
  id: uid
  group_id: cn
  users: {{base: "{openldap_server.people}", filter: "(departmentNumber=*)"}}
attributes: {{Title: title}}
upload: {{poll: {{every: 0.1s, give_up_after: 60s}}}}
""",
        "export",
    )

    said = workspace.run("sync", "export")

    assert said.code == 0, said.err
    accounts = held(workspace)
    assert len(accounts) == openldap_server.tree.users_count
    assert accounts["u000004@example.org"]["unique_identifier"] == "u000004"
    assert {"outer", "middle", "inner"} <= groups_of(accounts["u000004@example.org"])
    export.unlink()
    kept = b"".join(path.read_bytes() for path in workspace.path.rglob("*") if path.is_file())
    assert b"pw-u000001" not in kept
    assert "pw-u0" not in said.out + said.err


def test_a_preview_says_through_which_groups_a_membership_comes(
    workspace: Workspace, openldap_server: OpenLdap
) -> None:
    password = {"LDAP_PASSWORD": openldap_server.reader[1]}
    workspace.source(ldap_source(openldap_server), "people")

    document = workspace.run("preview", "people", "--json", env=password).document

    through = {
        one["through"] for one in document["changes"]["associations"] if one["through"] is not None
    }
    assert {"outer > middle > inner", "middle > inner"} <= through
