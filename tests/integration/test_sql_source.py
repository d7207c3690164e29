"""A `sql` source against real databases: everything they hold, as text, from one snapshot."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from extractors.read import read_source
from schemas.raw import Raw
from schemas.sql_source import SqlSource
from schemas.tables import ROW

pytest_plugins = ["tests.postgresql_server"]

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)

TABLES = """
CREATE TABLE people (id integer PRIMARY KEY, mail varchar(200), given text, family text,
    state varchar(20), team text);
CREATE TABLE roles (id varchar(20) PRIMARY KEY, label text);
CREATE TABLE grants (who integer, what varchar(20));
INSERT INTO people VALUES (1, 'zoe@example.com', 'Zoë', 'O''Hara, "Z"', 'ACTIVE', 'Ops'),
    (2, NULL, '', 'Line
break', 'INACTIVE', NULL), (10, 'x@example.com', 'X', 'Y', 'ACTIVE', '');
INSERT INTO roles VALUES ('A', 'Admin'), ('00012', 'Reader');
INSERT INTO grants VALUES (1, 'A'), (1, '00012'), (10, 'A');
"""

QUERIES = {
    "validate_credentials": "SELECT 1;",
    "list_accounts": "SELECT id AS Integration_Specific_ID, mail AS email, given AS given_name, "
    "family AS family_name, state AS user_status, team AS Team FROM people ORDER BY id; ",
    "list_entitlements": "SELECT id AS integration_specific_id, '' AS "
    "integration_specific_resource_id, 'ROLE' AS entitlement_type, label AS label FROM roles "
    "ORDER BY label -- by name",
    "find_entitlement_associations": "SELECT who AS account_id, what AS "
    "integ_specific_entitlement_id, '' AS integ_specific_resource_id FROM grants ORDER BY 1, 2",
}


def source(url: str, **more: object) -> SqlSource:
    queries = {**QUERIES, **more.pop("queries", {})}  # type: ignore[dict-item]
    return SqlSource(kind="sql", url=url, queries=queries, **more)


def read(url: str, workspace: Path, **more: object) -> Raw:
    return read_source(source(url, **more), workspace, now=NOW)


def rows(raw: Raw) -> list[tuple[object, ...]]:
    return raw.accounts.rows.drop(ROW).rows()


@pytest.fixture
def postgresql(new_database: Callable[[], str]) -> str:
    url = new_database()
    with psycopg.connect(url) as connection:
        connection.execute(TABLES)
    return url


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    with sqlite3.connect(tmp_path / "app.db") as connection:
        connection.executescript(TABLES)
    connection.close()
    return "sqlite:///app.db"


@pytest.fixture(params=["postgresql", "sqlite"])
def database(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def test_four_queries_are_one_source_from_one_snapshot(database: str, tmp_path: Path) -> None:
    raw = read(database, tmp_path)
    assert raw.accounts.rows.columns == [
        "integration_specific_id", "email", "given_name", "family_name", "user_status",
        "team" if database.startswith("postgresql") else "Team", ROW,
    ]  # fmt: skip
    assert rows(raw) == [
        ("1", "zoe@example.com", "Zoë", 'O\'Hara, "Z"', "ACTIVE", "Ops"),
        ("2", None, "", "Line\nbreak", "INACTIVE", None),
        ("10", "x@example.com", "X", "Y", "ACTIVE", ""),
    ]
    assert raw.accounts.rows[ROW].to_list() == [1, 2, 3]
    assert raw.entitlements is not None
    assert raw.entitlements.rows["integration_specific_id"].to_list() == ["A", "00012"]
    assert raw.associations is not None
    assert raw.associations.rows.drop(ROW).rows() == [
        ("1", "00012", ""), ("1", "A", ""), ("10", "A", ""),
    ]  # fmt: skip
    assert raw.resources is None
    assert raw.warnings == ()
    [proof] = raw.proof
    assert "list_accounts: 3 rows" in proof
    assert "one" in proof
