"""`new` from a URL: a source file that reads what the server has, with no password in it."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest

from extractors.read import probe_source, read_source
from flows.cli.new.command import new_command
from flows.run.secrets import to_resolver
from flows.run.workspace import read_source_file
from schemas.snapshot import Snapshot, associations_of, empty_snapshot
from schemas.source_file.file import SourceFile
from tests.scim_servers import TOKEN, running_scim
from transforms.snapshot.snapshot import to_snapshot

if TYPE_CHECKING:
    from tests.openldap_server import OpenLdap
    from tests.samba_ad_server import SambaAd

pytest_plugins = [
    "tests.openldap_server",
    "tests.postgresql_server",
    "tests.samba_ad_server",
    "tests.snowflake_emulator",
]

TABLES = """
CREATE TABLE "AppUsers" (id int PRIMARY KEY, "Login" text, email text, status text, "order" text,
    password_hash text, last_login timestamptz);
CREATE TABLE roles (id int, name text);
CREATE TABLE user_roles (user_id int, role_id int);
CREATE TABLE invoices (id int, user_id int, team text);
INSERT INTO "AppUsers" VALUES
    (1, 'ada', 'ada@tern.example', 'active', 'a', 'h', '2026-01-02 03:04:05+00'),
    (2, 'bo', 'bo@tern.example', 'terminated', 'a', 'h', NULL),
    (3, 'cy', 'cy@tern.example', 'active', 'a', 'h', NULL);
INSERT INTO roles VALUES (10, 'Admin'), (11, 'Clerk');
INSERT INTO user_roles VALUES (1, 10), (3, 11);
CREATE ROLE asker LOGIN PASSWORD 'pw-asker';
GRANT SELECT ON ALL TABLES IN SCHEMA public TO asker;
"""


@pytest.fixture
def desk_url(postgresql_server: str) -> Iterator[str]:
    """A database with an application's tables."""
    with psycopg.connect(f"{postgresql_server}/postgres", autocommit=True) as admin:
        admin.execute("CREATE DATABASE desk")
        with psycopg.connect(f"{postgresql_server}/desk", autocommit=True) as connection:
            connection.execute(TABLES)
        yield f"{postgresql_server}/desk"
        admin.execute("DROP DATABASE desk WITH (FORCE)")
        admin.execute("DROP ROLE asker")


def proposed(folder: Path, url: str, env: Mapping[str, str]) -> tuple[str, SourceFile]:
    """The text, and the file; what the environment has is in the workspace's `.env`."""
    lines = [f"{name}={value}\n" for name, value in env.items()]
    (folder / ".env").write_text("".join(lines), "utf-8")
    assert new_command(folder, "desk", url, as_json=True) == 0
    path = folder / "sources/desk.yaml"
    text = path.read_text("utf-8")
    assert not any(value in text for value in env.values())
    return text, read_source_file(path, folder).file


def read(folder: Path, file: SourceFile) -> Snapshot:
    resolve, now = to_resolver(folder), datetime.now(UTC)
    assert probe_source(file.source, folder, now=now, resolve=resolve, named=file.named)
    raw = read_source(file.source, folder, now=now, resolve=resolve, named=file.named)
    return to_snapshot(raw, file, empty_snapshot(), now).snapshot


def held(snapshot: Snapshot) -> list[tuple[str, ...]]:
    return [pair[:2] for pair in associations_of(snapshot).rows()]


def test_a_databases_tables_become_queries(desk_url: str, tmp_path: Path) -> None:
    url = desk_url.replace("postgres@", "asker@")
    text, file = proposed(tmp_path, url, {"DESK_PASSWORD": "pw-asker"})
    assert "password_hash" not in text.replace("called like secrets: password_hash", "")
    snapshot = read(tmp_path, file)
    assert snapshot.accounts["email"].to_list() == [
        "ada@tern.example", "bo@tern.example", "cy@tern.example",
    ]  # fmt: skip
    assert snapshot.accounts["user_status"].to_list() == ["ACTIVE", "DEPROVISIONED", "ACTIVE"]
    assert snapshot.accounts["username"].to_list() == ["ada", "bo", "cy"]
    assert held(snapshot) == [("1", "10"), ("3", "11")]
    assert snapshot.entitlements["label"].to_list() == ["Admin", "Clerk"]


def test_a_database_without_such_a_table_shows_its_own_accounts(
    postgresql_server: str, tmp_path: Path
) -> None:
    text, file = proposed(
        tmp_path, f"{postgresql_server}/postgres", {"DESK_PASSWORD": "trusted-17"}
    )
    assert file.source.discover == "postgresql"
    assert "no table looks like one of accounts" in text
    assert "postgres" in read(tmp_path, file).accounts["integration_specific_id"].to_list()


def test_a_directory_tells_its_kind_and_its_bases(
    openldap_server: "OpenLdap", tmp_path: Path
) -> None:
    name, password = openldap_server.reader
    url = f"ldap://{name}@{openldap_server.host}:{openldap_server.port}"
    text, file = proposed(tmp_path, url, {"DESK_PASSWORD": password})
    assert (file.source.kind, file.source.base_dn) == ("ldap", openldap_server.base)
    assert "# users: " in text
    snapshot = read(tmp_path, file)
    assert snapshot.accounts.height > 100
    assert held(snapshot)


def test_a_domain_is_told_from_other_directories(
    samba_ad_server: "SambaAd", tmp_path: Path
) -> None:
    user, password = samba_ad_server.reader
    url = f"ldap://{user.replace('@', '%40')}@{samba_ad_server.host}:389"
    _, file = proposed(tmp_path, url, {"DESK_PASSWORD": password})
    assert file.source.kind == "active_directory"
    assert file.source.base_dn.lower() == samba_ad_server.base.lower()
    assert read(tmp_path, file).accounts.height > 1


def test_a_scim_service_tells_its_resources(emulators_python: Path, tmp_path: Path) -> None:
    with running_scim("express4", ("7",), tmp_path) as service:
        text, file = proposed(tmp_path, service.url, {"DESK_TOKEN": TOKEN})
        assert "# It has 7 users, and groups" in text
        snapshot = read(tmp_path, file)
        assert snapshot.accounts.height == 7
        assert held(snapshot)
        assert httpx.get(f"{service.url}/Users").status_code == 401
