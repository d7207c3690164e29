"""A `sql` source against real databases: everything they hold, as text, from one snapshot."""

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

import duckdb
import polars as pl
import psycopg
import pymysql
import pyodbc
import pytest
from pymysql.constants import CLIENT
from sqlalchemy.engine import make_url

from extractors.read import probe_source, read_account, read_privileges, read_source
from extractors.sql.activity import read_activity_parts
from extractors.sql.connect.connect import open_session
from extractors.sql.drivers.duckdb import DuckdbSession
from extractors.sql.drivers.postgresql import check_count
from extractors.sql.statements.statement import Statement
from schemas.errors import (
    ConfigError,
    IngestError,
    SourceFormatError,
    SourceIncompleteError,
)
from schemas.raw import Raw
from schemas.source_file.columns import Named
from schemas.source_file.file import to_source
from schemas.source_file.kinds.sql_source import SqlSource
from schemas.source_file.secrets import no_secrets
from schemas.tables import ROW
from transforms.tables.accounts import to_accounts

pytest_plugins = ["tests.postgresql_server", "tests.mariadb_server"]

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


@pytest.fixture
def duckdb_file(tmp_path: Path) -> str:
    with duckdb.connect(str(tmp_path / "app.duckdb")) as connection:
        connection.execute(TABLES)
    return "duckdb:///app.duckdb"


@pytest.fixture
def mariadb(new_mariadb_database: Callable[[], str]) -> str:
    url = new_mariadb_database()
    where = make_url(url)
    with pymysql.connect(
        host=where.host, port=where.port, user=where.username, database=where.database,
        charset="utf8mb4", autocommit=True, client_flag=CLIENT.MULTI_STATEMENTS,
    ) as connection:  # fmt: skip
        cursor = connection.cursor()
        cursor.execute(TABLES)
        while cursor.nextset():
            pass
    return url


@pytest.fixture(params=["postgresql", "sqlite", "duckdb_file", "mariadb"])
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


def test_a_look_names_the_columns_and_runs_no_query(database: str, tmp_path: Path) -> None:
    endless = {
        "postgresql": "SELECT pg_sleep(100)::text AS integration_specific_id",
        "mysql": "SELECT SLEEP(100) AS integration_specific_id FROM people",
        "duckdb": "SELECT a.range AS integration_specific_id FROM range(100000000) AS a, "
        "range(100000000) AS b WHERE a.range + b.range < 0",
        "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
        "SELECT i AS integration_specific_id FROM n",
    }[make_url(database).get_backend_name()]
    probes = probe_source(source(database, queries={"list_accounts": endless}), tmp_path, now=NOW)
    assert [(one.table, one.columns) for one in probes] == [
        ("accounts", ("integration_specific_id",)),
        (
            "entitlements",
            (
                "integration_specific_id",
                "integration_specific_resource_id",
                "entitlement_type",
                "label",
            ),
        ),
        (
            "associations",
            (
                "account_id",
                "integration_specific_entitlement_id",
                "integration_specific_resource_id",
            ),
        ),
    ]


def test_all_queries_see_one_moment(postgresql: str, tmp_path: Path) -> None:
    """Another connection writes between two of our queries; what it writes is not seen."""
    with psycopg.connect(postgresql) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS dblink")
        connection.execute(
            "CREATE FUNCTION meddle() RETURNS text LANGUAGE sql AS $$ SELECT dblink_exec("
            f"'host=127.0.0.1 port={make_url(postgresql).port} user=postgres dbname=' "
            "|| current_database(), "
            "'INSERT INTO roles VALUES (left(md5(random()::text), 20), ''New'')') $$"
        )
    meddling = QUERIES["list_accounts"].replace("team AS Team", "meddle() AS note")
    raw = read(postgresql, tmp_path, queries={"list_accounts": meddling})
    assert raw.entitlements is not None
    assert raw.entitlements.read_count == 2
    assert read(postgresql, tmp_path).entitlements.read_count == 5  # type: ignore[union-attr]


def test_one_account_is_read_by_its_bound_id(database: str, tmp_path: Path) -> None:
    one = source(
        database,
        queries={
            "get_account": "SELECT id AS integration_specific_id, mail AS email FROM people "
            "WHERE id = {account_id};"
        },
    )
    found = read_account(one, tmp_path, "10", resolve=no_secrets)
    assert found.rows.drop(ROW).rows() == [("10", "x@example.com")]
    assert read_account(one, tmp_path, "11", resolve=no_secrets).read_count == 0


ACTIVITY = """
CREATE TABLE events (who integer, what text, at timestamp{zone});
INSERT INTO events VALUES (1, 'LOGIN', '2026-01-01 10:00:00{utc}'),
    (1, 'LOGIN', '2026-01-02 10:00:00{utc}'), (10, 'ACTIVITY', '2026-01-03 10:00:00{utc}');
"""


@pytest.mark.parametrize("zone", ["timestamptz", "timestamp"])
def test_activity_is_read_within_the_bound_window(
    zone: str, postgresql: str, tmp_path: Path
) -> None:
    is_zoned = zone == "timestamptz"
    with psycopg.connect(postgresql) as connection:
        connection.execute(
            ACTIVITY.format(
                zone=" with time zone" if is_zoned else "", utc="+01" if is_zoned else ""
            ).encode()
        )
    records = source(
        postgresql,
        timezone="Europe/Paris",
        queries={
            "list_activity_records": "SELECT who AS account_id, what AS activity_type, "
            "at AS timestamp FROM events WHERE at >= {since} AND at < {until} ORDER BY at"
        },
    )
    since, until = datetime(2026, 1, 1, 9, tzinfo=UTC), datetime(2026, 1, 3, 9, tzinfo=UTC)
    [found] = read_activity_parts(records, tmp_path, [(since, until)], resolve=no_secrets)
    assert found.rows.select("account_id", "event_type", "timestamp").rows() == [
        ("1", "LOGIN", "2026-01-01T09:00:00Z"),
        ("1", "LOGIN", "2026-01-02T09:00:00Z"),
    ]


def test_activity_of_sqlite_is_read_within_the_window(sqlite: str, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "app.db") as connection:
        connection.executescript(ACTIVITY.format(zone="", utc=""))
    connection.close()
    last = source(
        sqlite,
        queries={
            "get_last_activity": "SELECT who AS account_id, 'last_login' AS event_type, "
            "max(at) AS happened_at FROM events WHERE at >= '{since}' GROUP BY who"
        },
    )
    since = datetime(2026, 1, 3, tzinfo=UTC)
    [found] = read_activity_parts(last, tmp_path, [(since, NOW)], resolve=no_secrets)
    assert found.rows.select("account_id", "event_type", "timestamp").rows() == [
        ("10", "last_login", "2026-01-03 10:00:00"),
    ]
    raw = read_source(last, tmp_path, now=NOW)
    assert raw.accounts.rows["last_login"].to_list() == [
        "2026-01-02 10:00:00", None, "2026-01-03 10:00:00",
    ]  # fmt: skip


EVERYTHING = """
SELECT 1 AS integration_specific_id, 12345678901234567890::numeric AS big, 1.50::numeric AS money,
    5.00::numeric(9, 2) AS whole, 1e22::float8 AS wide, 1e-7::float8 AS narrow, 0.1::real AS short,
    true AS yes, '\\x00FF'::bytea AS bits, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid AS one_id,
    '2026-01-02'::date AS day, '2026-07-02 03:04:05.120'::timestamp AS at,
    '2026-07-02 03:04:05+02'::timestamptz AS moment, 'infinity'::timestamp AS never,
    '{"b": 1.0, "a": "é"}'::json AS document,
    '[12345678901234567.89, {"n": 1e-20, "w": 123456789012345678901}]'::jsonb AS precise,
    ARRAY['1e5', '1.50', 'null', '"1"']::json[] AS documents,
    ARRAY['a,b', NULL, 'q"\\é', ''] AS texts, ARRAY[[1, 2], [3, 4]] AS numbers,
    ARRAY[true, false] AS flags, 'ab'::char(4) AS padded,
    '1 day 02:00'::interval AS wait, NULL::int AS nothing, '' AS empty, '\\.' AS dot,
    '\\N' AS null_word
"""
AS_TEXT = {
    "integration_specific_id": "1", "big": "12345678901234567890", "money": "1.5", "whole": "5",
    "wide": "10000000000000000000000", "narrow": "0.0000001", "short": "0.1", "yes": "true",
    "bits": "00ff", "one_id": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "day": "2026-01-02",
    "at": "2026-07-02T03:04:05.12", "moment": "2026-07-02T01:04:05Z", "never": "infinity",
    "document": '{"a":"é","b":1.0}',
    "documents": '[1e5,1.50,null,"1"]',
    "precise": '[12345678901234567.89,{"n":0.00000000000000000001,"w":123456789012345678901}]',
    "texts": '["a,b",null,"q\\"\\\\é",""]',
    "numbers": "[[1,2],[3,4]]", "flags": "[true,false]", "padded": "ab  ", "wait": "P1DT2H",
    "nothing": None, "empty": "", "dot": "\\.", "null_word": "\\N",
}  # fmt: skip


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Paris"])
def test_postgresqls_values_are_canonical_both_ways_they_come(
    zone: str | None, postgresql: str, tmp_path: Path
) -> None:
    """By COPY, and by the cursor that bound values need."""
    everything = source(
        postgresql,
        timezone=zone,
        queries={
            "list_accounts": EVERYTHING,
            "get_account": f"SELECT * FROM ({EVERYTHING}) q WHERE {{account_id}} <> ''",
        },
    )
    local = {None: "2026-07-02T03:04:05.12", "UTC": "2026-07-02T03:04:05.12Z"}
    expected = AS_TEXT | {"at": local.get(zone, "2026-07-02T01:04:05.12Z")}
    copied = read_source(everything, tmp_path, now=NOW).accounts.rows
    fetched = read_account(everything, tmp_path, "1", resolve=no_secrets).rows
    assert copied.drop(ROW).row(0, named=True) == expected
    assert fetched.equals(copied)


def test_many_batches_are_one_table_in_order(postgresql: str, tmp_path: Path) -> None:
    sql = (
        "SELECT n AS integration_specific_id, repeat('ä\"' || chr(10), n % 50) AS email, "
        "NULLIF('', CASE WHEN n % 2 = 0 THEN '' END) AS team FROM generate_series(1, 200000) AS n"
    )
    rows = read(postgresql, tmp_path, queries={"list_accounts": sql}).accounts.rows
    assert rows["integration_specific_id"].to_list() == [str(n) for n in range(1, 200_001)]
    assert rows["email"].to_list() == [('ä"\n' * (n % 50)) for n in range(1, 200_001)]
    assert rows["team"].null_count() == 100_000


JARS = {
    "postgresql": "/usr/share/java/postgresql.jar",
    "mariadb": "/usr/share/java/mariadb-java-client.jar",
    "h2": "/usr/share/java/h2.jar",
}


@pytest.mark.parametrize("name", ["postgresql", "mariadb"])
def test_jdbc_reads_what_the_native_driver_reads(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if not Path(JARS[name]).exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"missing: {JARS[name]}")
    url = make_url(request.getfixturevalue(name))
    native = read(url.render_as_string(), tmp_path)
    # The sandboxed server has no TLS and needs no password.
    options = {"mariadb": "?sslMode=disable", "postgresql": ""}[name]
    jdbc = read(
        f"jdbc:{name}://{url.host}:{url.port}/{url.database}{options}",
        tmp_path,
        driver="jdbc",
        jars=(JARS[name],),
        username=url.username,
    )
    assert rows(jdbc) == rows(native)
    assert jdbc.associations is not None
    assert native.associations is not None
    assert jdbc.associations.rows.equals(native.associations.rows)
    assert "through JDBC" in jdbc.proof[0]


MARIADB_EVERYTHING = """
SELECT 1 AS integration_specific_id, CAST(1.50 AS DECIMAL(9, 2)) AS money, 1e22 AS wide,
    CAST(18446744073709551615 AS UNSIGNED) AS big, b'1' + 0 AS bit_sum, x'00FF' AS bits,
    CAST('2026-01-02' AS DATE) AS day, CAST('2026-07-02 03:04:05.12' AS DATETIME(6)) AS at,
    CAST('26:03:04' AS TIME) AS wait, NULL AS nothing, '' AS empty, 'ä😀' AS text, one.moment,
    one.yes, one.tiny FROM one
"""


@pytest.mark.parametrize("zone", [None, "Europe/Paris"])
def test_mariadbs_values_are_canonical(zone: str | None, mariadb: str, tmp_path: Path) -> None:
    where = make_url(mariadb)
    with pymysql.connect(
        host=where.host, port=where.port, user=where.username, database=where.database,
        autocommit=True,
    ) as connection:  # fmt: skip
        cursor = connection.cursor()
        cursor.execute("SET time_zone = '+00:00'")
        cursor.execute("CREATE TABLE one (moment TIMESTAMP, yes BIT(1), tiny TINYINT(1))")
        cursor.execute("INSERT INTO one VALUES ('2026-07-02 03:04:05', b'1', 7)")
        if zone:
            cursor.execute("SELECT COUNT(*) FROM mysql.time_zone_name WHERE name = 'Europe/Paris'")
            if cursor.fetchone() == (0,):
                with pytest.raises(SourceFormatError, match="time zone tables"):
                    read(mariadb, tmp_path, timezone=zone)
                return
    found = read(mariadb, tmp_path, queries={"list_accounts": MARIADB_EVERYTHING}, timezone=zone)
    assert found.accounts.rows.drop(ROW).row(0, named=True) == {
        "integration_specific_id": "1", "money": "1.5", "wide": "10000000000000000000000",
        "big": "18446744073709551615", "bit_sum": "1", "bits": "00ff", "day": "2026-01-02",
        "at": "2026-07-02T03:04:05.12", "wait": "26:03:04", "nothing": None, "empty": "",
        "text": "ä😀", "moment": "2026-07-02T03:04:05Z", "yes": "true", "tiny": "7",
    }  # fmt: skip


def test_a_value_that_mariadb_cuts_short_is_an_error(mariadb: str, tmp_path: Path) -> None:
    cut = "SELECT 1 AS integration_specific_id, REPEAT('x', 2000000000) AS email"
    with pytest.raises(SourceIncompleteError, match="cut short, 1 times"):
        read(mariadb, tmp_path, queries={"list_accounts": cut})


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT a FROM nowhere", "error 1146"),
        ("SELECT nonesuch FROM people", "error 1054"),
        ("SELECT id FORM people WHERE", "error 1064"),
        ("SELECT SLEEP(60) AS integration_specific_id", "cancelled before it ended"),
        ("SELECT record() AS integration_specific_id", "only reads are allowed"),
    ],
)
def test_mariadb_refuses_in_one_line(sql: str, said: str, mariadb: str, tmp_path: Path) -> None:
    where = make_url(mariadb)
    with pymysql.connect(
        host=where.host, port=where.port, user=where.username, database=where.database,
        autocommit=True,
    ) as connection:  # fmt: skip
        connection.cursor().execute(
            "CREATE FUNCTION record() RETURNS int BEGIN "
            "INSERT INTO grants VALUES (9, 'A'); RETURN 1; END"
        )
    with pytest.raises(IngestError, match=f"^list_accounts: .*{said}"):
        read(mariadb, tmp_path, queries={"list_accounts": sql}, statement_timeout="1s")
    wrong = make_url(mariadb).set(username="nobody").render_as_string()
    with pytest.raises(ConfigError, match=r"login is refused .*error (1045|1698)"):
        read(wrong, tmp_path)


def test_duckdbs_values_are_canonical(duckdb_file: str, tmp_path: Path) -> None:
    everything = (
        "SELECT 1 AS integration_specific_id, 1.50::DECIMAL(9, 2) AS money, 1e22::DOUBLE AS wide, "
        "true AS yes, '\\x00\\xFF'::BLOB AS bits, DATE '2026-01-02' AS day, "
        "TIMESTAMPTZ '2026-07-02 03:04:05+02' AS moment, ['a', NULL] AS texts, "
        "{'b': 1, 'a': 'x'} AS document, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::UUID AS one_id"
    )
    found = read(duckdb_file, tmp_path, queries={"list_accounts": everything})
    assert found.accounts.rows.drop(ROW).row(0) == (
        "1", "1.5", "10000000000000000000000", "true", "00ff", "2026-01-02",
        "2026-07-02T01:04:05Z", '["a",null]', '{"a":"x","b":1}',
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    )  # fmt: skip


DUCKDB_TYPES = [
    "42::TINYINT", "-42::SMALLINT", "42::INTEGER", "(-9223372036854775808)::BIGINT",
    "170141183460469231731687303715884105727::HUGEINT", "255::UTINYINT", "65535::USMALLINT",
    "4294967295::UINTEGER", "18446744073709551615::UBIGINT", "7::UHUGEINT", "true", "false",
    "1.50::DECIMAL(9, 2)", "-0.10::DECIMAL(38, 9)", "100::DECIMAL(9, 0)", "0::DECIMAL(9, 2)",
    "1.1::FLOAT", "1e22::DOUBLE", "1e-7::DOUBLE", "'-0'::DOUBLE", "5::DOUBLE", "'nan'::DOUBLE",
    "'-infinity'::DOUBLE", "'ä😀'", "''", "' padded '", "'\\x00\\xFF'::BLOB", "''::BLOB",
    "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::UUID", "'b'::ENUM('a', 'b')", "'{\"b\": 1.0}'::JSON",
    "DATE '2026-01-02'", "DATE '0044-03-15'", "TIMESTAMP '2026-07-02 03:04:05.120'",
    "TIMESTAMP '0001-01-01 00:00:00'", "TIMESTAMP '9999-12-31 23:59:59.999999'",
    "TIMESTAMPTZ '2026-07-02 03:04:05+02'", "TIMESTAMPTZ '2026-07-02 03:04:05.5-05:30'",
]  # fmt: skip
DUCKDB_CURSORS = [
    "DATE '12000-01-01'", "TIMESTAMPTZ '12000-01-01'",
    "TIME '03:04:05.5'", "TIMETZ '03:04:05+02'", "TIMESTAMP_NS '2026-01-01 00:00:00.123456789'",
    "TIMESTAMP_S '2026-01-01 00:00:00'", "INTERVAL 3 DAY", "'101'::BIT", "[1, 2]", "{'a': 1}",
    "MAP {'a': 1}", "union_value(n := 1)", "NULL",
]  # fmt: skip


class WithoutCursor:
    """A connection of DuckDB's that has no cursor to fall back upon."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        if name == "cursor":
            raise AssertionError("by the cursor")
        return getattr(self._connection, name)


def duckdb_rows(value: str) -> Statement:
    """Twice the value, the second time under the same label, and a row of nulls."""
    sql = f"SELECT CASE WHEN i = 1 THEN {value} END AS v, 'x' AS v FROM range(2) t(i) ORDER BY i"
    return Statement("list_accounts", "list_accounts", (sql,), is_query=True)


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Paris"])
@pytest.mark.parametrize("value", DUCKDB_TYPES)
def test_duckdbs_arrow_has_the_text_of_its_cursor(
    value: str, zone: str | None, duckdb_file: str, tmp_path: Path
) -> None:
    described = source(duckdb_file, timezone=zone)
    with open_session(described, tmp_path, no_secrets) as session:
        assert isinstance(session, DuckdbSession)
        expected = session.read_by_cursor(duckdb_rows(value), {})
        only = replace(session, connection=WithoutCursor(session.connection))
        found = only.read(duckdb_rows(value))
    assert found.rows.equals(expected.rows)
    assert found.rows["0"].null_count() == 1
    assert found.labels == expected.labels == ("v", "v")


@pytest.mark.parametrize("value", DUCKDB_CURSORS)
def test_what_duckdbs_arrow_is_not_proved_for_goes_by_the_cursor(
    value: str, duckdb_file: str, tmp_path: Path
) -> None:
    with open_session(source(duckdb_file), tmp_path, no_secrets) as session:
        assert isinstance(session, DuckdbSession)
        expected = session.read_by_cursor(duckdb_rows(value), {})
        assert session.read(duckdb_rows(value)).rows.equals(expected.rows)
        only = replace(session, connection=WithoutCursor(session.connection))
        with pytest.raises(AssertionError, match="by the cursor"):
            only.read(duckdb_rows(value))


@pytest.mark.parametrize("beside", ["'x'", "[1, 2]", "TIMESTAMP '12000-01-01'"])
def test_duckdbs_infinite_times_are_no_last_day(
    beside: str, duckdb_file: str, tmp_path: Path
) -> None:
    """Whichever way the rows come: by Arrow, or by the cursor for the column beside."""
    sql = f"""SELECT d::DATE, d::TIMESTAMP AS t, d::TIMESTAMPTZ AS z, {beside} FROM (VALUES
        ('infinity'), ('-infinity'), (NULL), ('9999-12-31')) v(d)"""
    with open_session(source(duckdb_file, timezone="UTC"), tmp_path, no_secrets) as session:
        rows = session.read(Statement("q", "q", (sql,), is_query=True)).rows.rows()
    assert [row[:3] for row in rows] == [
        ("infinity",) * 3,
        ("-infinity",) * 3,
        (None,) * 3,
        ("9999-12-31", "9999-12-31T00:00:00Z", "9999-12-31T00:00:00Z"),
    ]


def test_many_batches_of_duckdb_are_one_table_in_order(duckdb_file: str, tmp_path: Path) -> None:
    sql = "SELECT n AS integration_specific_id FROM range(300000) t(n) ORDER BY n % 7, n DESC"
    rows = read(duckdb_file, tmp_path, queries={"list_accounts": sql}).accounts.rows
    expected = sorted(range(300_000), key=lambda n: (n % 7, -n))
    assert rows["integration_specific_id"].to_list() == [str(n) for n in expected]


MANY_IN_DUCKDB = (
    "SELECT repeat('x', 200) || n AS id, CASE n WHEN 1 THEN {first} ELSE {then} END AS at "
    "FROM range(3000000) t(n)"
)


def test_duckdbs_connection_is_free_again_where_its_first_batch_goes_by_the_cursor(
    duckdb_file: str, tmp_path: Path
) -> None:
    sql = MANY_IN_DUCKDB.format(first="DATE '12000-01-01'", then="DATE '2026-01-02'")
    statement = Statement("list_accounts", "list_accounts", (sql,), is_query=True)
    with open_session(source(duckdb_file), tmp_path, no_secrets) as session:
        assert isinstance(session, DuckdbSession)
        only = replace(session, connection=WithoutCursor(session.connection))
        with pytest.raises(AssertionError, match="by the cursor"):
            only.read(statement)
        assert session.connection.execute("SELECT 1").fetchall() == [(1,)]


def test_duckdbs_connection_is_free_again_after_an_error_in_the_middle(
    duckdb_file: str, tmp_path: Path
) -> None:
    moment = "TIMESTAMP '2026-01-02 03:04:05'"
    sql = MANY_IN_DUCKDB.format(first=moment, then=moment)
    statement = Statement("list_accounts", "list_accounts", (sql,), is_query=True)
    with open_session(source(duckdb_file), tmp_path, no_secrets) as session:
        assert isinstance(session, DuckdbSession)
        with pytest.raises(ZoneInfoNotFoundError):
            replace(session, zone="Nowhere").read(statement)
        session.connection.close()


LONG_IN_DUCKDB = (
    "SELECT a.range * b.range AS integration_specific_id "
    "FROM range(100000000) AS a, range(100000000) AS b"
)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT nonesuch FROM people", "nonesuch"),
        ("SELECT CAST(mail AS integer) AS integration_specific_id FROM people", "does not fit"),
        (LONG_IN_DUCKDB, "cancelled before it ended"),
    ],
)
def test_duckdb_refuses_in_one_line(sql: str, said: str, duckdb_file: str, tmp_path: Path) -> None:
    """In the middle of its rows, too."""
    with pytest.raises(IngestError, match=f"^list_accounts: .*{said}") as caught:
        read(duckdb_file, tmp_path, queries={"list_accounts": sql}, statement_timeout="1s")
    assert "example.com" not in str(caught.value)


def _odbc(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """The native URL and the connection string of the same database."""
    url = make_url(request.getfixturevalue(name))
    drivers = {
        "postgresql": "PostgreSQL Unicode", "mariadb": "MariaDB Unicode", "sqlite": "SQLite3",
    }  # fmt: skip
    if drivers[name] not in pyodbc.drivers():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"missing: {drivers[name]}")
    place = f"SERVER={url.host};PORT={url.port};DATABASE={url.database};UID={url.username}"
    if name == "sqlite":
        place = f"DATABASE={tmp_path / 'app.db'}"
    return url.render_as_string(), f"DRIVER={{{drivers[name]}}};{place}"


@pytest.mark.parametrize("name", ["postgresql", "mariadb", "sqlite"])
def test_odbc_reads_what_the_native_driver_reads(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url, dsn = _odbc(name, request, tmp_path)
    accounts = QUERIES["list_accounts"].replace("team AS Team", "team AS team")
    native = read(url, tmp_path, queries={"list_accounts": accounts})
    odbc = read_source(
        SqlSource(
            kind="sql", driver="odbc", dsn=dsn, queries=QUERIES | {"list_accounts": accounts}
        ),
        tmp_path,
        now=NOW,
    )
    assert odbc.accounts.rows.equals(native.accounts.rows)
    assert odbc.associations is not None
    assert native.associations is not None
    assert odbc.associations.rows.equals(native.associations.rows)
    way = "opened read-only" if name == "sqlite" else "READ ONLY transaction through ODBC"
    assert way in odbc.proof[0]
    long = f"SELECT 1 AS integration_specific_id, '{'ä' * 100_000}' AS email"
    whole = SqlSource(kind="sql", driver="odbc", dsn=dsn, queries={"list_accounts": long})
    found = read_source(whole, tmp_path, now=NOW).accounts.rows
    assert found["email"].to_list() == ["ä" * 100_000]


def test_a_partitioned_read_is_the_whole_table_of_one_moment(
    postgresql: str, tmp_path: Path
) -> None:
    with psycopg.connect(postgresql) as connection:
        connection.execute(
            "INSERT INTO people SELECT n, 'p' || n || '@example.com' "
            "FROM generate_series(1000, 60000) AS n WHERE n % 7 <> 0"
        )
        connection.execute("CREATE TABLE few AS SELECT NULLIF(id, 2) AS id FROM people")
    for sql, column in (
        ("SELECT id AS integration_specific_id, mail AS email FROM people;", None),
        ("SELECT id AS n, id::text AS integration_specific_id FROM few", "n"),
    ):
        whole = read(postgresql, tmp_path, queries={"list_accounts": sql})
        part = {
            "sql": sql,
            "partition": {"column": column or "integration_specific_id", "parts": 5},
        }
        parted = read(postgresql, tmp_path, queries={"list_accounts": part})
        key = "integration_specific_id"
        one, other = (raw.accounts.rows.drop(ROW).sort(key) for raw in (parted, whole))
        assert one.equals(other)


def test_a_partition_that_is_not_the_whole_is_an_error(postgresql: str, tmp_path: Path) -> None:
    with psycopg.connect(postgresql) as connection:
        connection.execute(
            "CREATE VIEW shifting AS SELECT pg_backend_pid() * 10 + id % 10 AS n, id "
            "FROM generate_series(1, 5000) AS id"
        )
    shifting = {
        "sql": "SELECT n, id AS integration_specific_id FROM shifting",
        "partition": {"column": "n", "parts": 7},
    }
    with pytest.raises(SourceIncompleteError, match="5000 rows, but 0 in its parts"):
        read(postgresql, tmp_path, queries={"list_accounts": shifting})


ROLE_ON = "'R' AS integration_specific_id, 'ROLE' AS entitlement_type,"
SHUFFLED = """CREATE VIEW shuffled AS WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k
WHERE i < 500) SELECT i, i % 2 AS j, row_number() OVER (ORDER BY random()) AS n FROM k"""


@pytest.mark.parametrize(
    ("capability", "columns"),
    [
        ("list_accounts", "i AS integration_specific_id"),
        ("list_accounts", "i AS integration_specific_id, i AS employee"),
        (
            "list_entitlements",
            f"{ROLE_ON} i AS integration_specific_resource_id, i AS label",
        ),
        ("list_resources", "i AS integration_specific_id, i AS label, 'R' AS resource_type"),
    ],
)
def test_parts_that_overlap_are_an_error(
    capability: str, columns: str, sqlite: str, tmp_path: Path
) -> None:
    with sqlite3.connect(tmp_path / "app.db") as connection:
        connection.execute(SHUFFLED)
    connection.close()
    own = "employee" in columns
    part = {"sql": f"SELECT n, {columns} FROM shuffled", "partition": {"column": "n", "parts": 9}}
    ids = {"accounts": "employee"} if own else {}
    with pytest.raises(SourceIncompleteError, match="the parts overlap"):
        read_source(
            source(sqlite, queries={capability: part}), tmp_path, now=NOW, id_columns=ids,
            named=Named(frozenset({"employee"} if own else ())),
        )  # fmt: skip


def test_entitlements_of_one_id_on_several_resources_do_not_overlap(
    sqlite: str, tmp_path: Path
) -> None:
    sql = (
        "SELECT id AS n, 'R' AS integration_specific_id, id AS integration_specific_resource_id, "
        "'ROLE' AS entitlement_type, 'Role' AS label FROM people"
    )
    part = {"sql": sql, "partition": {"column": "n", "parts": 3}}
    found = read(sqlite, tmp_path, queries={"list_entitlements": part}).entitlements
    assert found is not None
    assert found.read_count == 3


def test_a_query_without_fixed_parts_is_a_wrong_source_file(sqlite: str, tmp_path: Path) -> None:
    part = {
        "sql": "SELECT id AS integration_specific_id, row_number() OVER () AS n FROM people",
        "partition": {"column": "n", "parts": 4},
    }
    asked = source(sqlite, queries={"list_accounts": part})
    for look in (probe_source, read_source):
        with pytest.raises(ConfigError, match=r"list_accounts: partition: .*OVER.*leave") as caught:
            look(asked, tmp_path, now=NOW)
        assert "\n" not in str(caught.value)


def test_the_connection_that_waits_for_the_parts_may_wait_longer_than_each(
    postgresql: str, tmp_path: Path
) -> None:
    with psycopg.connect(postgresql) as connection:
        connection.execute("CREATE TABLE many AS SELECT id FROM generate_series(1, 64) AS id")
        connection.execute(
            "CREATE FUNCTION slow(id int) RETURNS text LANGUAGE plpgsql STABLE AS "
            "$$ BEGIN PERFORM pg_sleep(0.4); RETURN id; END $$"
        )
    part = {
        "sql": "SELECT id AS integration_specific_id, slow(id) AS slept FROM many",
        "partition": {"column": "integration_specific_id", "parts": 64},
    }
    raw = read(postgresql, tmp_path, statement_timeout="2s", queries={"list_accounts": part})
    assert raw.accounts.read_count == 64


def in_parts(read: Callable[..., Raw], mark: str, quoted: str, label: str) -> None:
    """The table is read in parts: whole, each row once, the nulls last; its ids may repeat."""
    ids = (
        "what AS account_id, who AS integration_specific_entitlement_id, "
        "'' AS integration_specific_resource_id"
    )
    odd = f"SELECT who AS {quoted}, {ids} FROM grants"
    n = f"SELECT CASE WHEN who = {mark} THEN NULL ELSE who END AS n, who, what FROM grants"
    rest = f"SELECT n, {ids} FROM ({n}) g -- of both"
    accounts = "SELECT what AS integration_specific_id FROM grants"

    def held(query: object) -> pl.DataFrame:
        queries = {"list_accounts": accounts, "find_entitlement_associations": query}
        found = read(queries=queries).associations
        assert found is not None
        return found.rows.drop(ROW)

    for sql, column in ((odd, label), (rest, "N")):
        for parts in (2, 3, 50):
            whole = held(sql)
            parted = held({"sql": sql, "partition": {"column": column, "parts": parts}})
            assert parted.height == 3
            assert parted.sort(parted.columns).equals(whole.sort(whole.columns))


@pytest.mark.parametrize("name", ["postgresql", "sqlite", "duckdb_file", "mariadb"])
def test_every_database_is_read_in_parts(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = request.getfixturevalue(name)
    quoted, label = ('`a``"b`', 'a`"b') if name == "mariadb" else ('"a`""b"', 'a`"b')
    in_parts(lambda **more: read(url, tmp_path, **more), "10", quoted, label)


@pytest.mark.parametrize("name", ["postgresql", "mariadb", "sqlite"])
def test_odbc_is_read_in_parts(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    _, dsn = _odbc(name, request, tmp_path)
    quoted = "`a b`" if name == "mariadb" else '"a b"'

    def by_odbc(queries: dict[str, Any]) -> Raw:
        asked = SqlSource(kind="sql", driver="odbc", dsn=dsn, queries=queries)
        return read_source(asked, tmp_path, now=NOW)

    in_parts(by_odbc, "10", quoted, "a b")


def test_jdbc_is_read_in_parts(tmp_path: Path) -> None:
    """Of a database that names its columns in capitals."""
    if not Path(JARS["h2"]).exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"missing: {JARS['h2']}")

    def by_jdbc(queries: dict[str, Any]) -> Raw:
        table = "(VALUES (1, 'A'), (1, 'B'), (10, 'A')) AS grants (who, what)"
        text = json.loads(json.dumps(queries).replace("FROM grants", f"FROM {table}"))
        asked = SqlSource(
            kind="sql", driver="jdbc", url="jdbc:h2:mem:parts", jars=(JARS["h2"],), username="sa",
            queries=text,
        )  # fmt: skip
        return read_source(asked, tmp_path, now=NOW)

    in_parts(by_jdbc, "10", '"a`""b"', 'a`"b')


TEXTS = (
    "SELECT value AS integration_specific_id, CAST(value AS text) AS n FROM json_each('[1,16,99]')"
)
"""Compared as texts, 16 lies also between 1 and 4, and 99 nowhere: again three."""
HALVES = "SELECT id + 0.5 AS integration_specific_id FROM people"


@pytest.mark.parametrize(
    ("sql", "column", "said"),
    [
        (QUERIES["list_accounts"], "nonesuch", "has no column nonesuch"),
        ("SELECT * FROM people", "nonesuch", "has no column nonesuch"),
        ("SELECT id AS integration_specific_id, given AS n FROM people", "n", "whole numbers"),
        (f"SELECT * FROM ({HALVES})", None, "whole numbers"),
        (f"SELECT * FROM ({TEXTS})", "n", "3 rows, but 3 in its parts, 1 in a wrong one"),
    ],
)  # fmt: skip
def test_a_column_that_has_no_parts_is_an_error(
    sql: str, column: str | None, said: str, sqlite: str, tmp_path: Path
) -> None:
    part = {"column": column or "integration_specific_id", "parts": 40}
    with pytest.raises(IngestError, match=said):
        read(sqlite, tmp_path, queries={"list_accounts": {"sql": sql, "partition": part}})


@pytest.mark.parametrize("mode", ["", ";MODE=Oracle", ";MODE=DB2", ";MODE=MSSQLServer"])
def test_h2_is_read_through_its_jdbc_driver(mode: str, tmp_path: Path) -> None:
    if not Path(JARS["h2"]).exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"missing: {JARS['h2']}")
    url = f"jdbc:h2:mem:test{mode}"
    accounts = (
        "SELECT 1 AS INTEG_SPECIFIC_ID, CAST(1.50 AS DECIMAL(9, 2)) AS MONEY, TRUE AS YES, "
        "CAST('2026-01-02 03:04:05' AS TIMESTAMP) AS SEEN"
    )
    h2 = SqlSource(
        kind="sql", driver="jdbc", url=url, jars=(JARS["h2"],), username="sa", timezone="UTC",
        queries={"list_accounts": accounts},
    )  # fmt: skip
    found = read_source(h2, tmp_path, now=NOW)
    assert found.accounts.rows.drop(ROW).row(0, named=True) == {
        "integration_specific_id": "1", "MONEY": "1.5", "YES": "true",
        "SEEN": "2026-01-02T03:04:05Z",
    }  # fmt: skip
    [probe] = probe_source(h2, tmp_path, now=NOW)
    assert probe.columns == ("integration_specific_id", "MONEY", "YES", "SEEN")


def test_what_the_account_could_write_is_said(postgresql: str, tmp_path: Path) -> None:
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS clerk")
        connection.execute("CREATE ROLE clerk LOGIN")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO clerk")
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    clerk = source(postgresql.replace("postgres@", "clerk@"))
    assert read_privileges(clerk, tmp_path, resolve=no_secrets) == ()
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("GRANT UPDATE (mail) ON people TO clerk")
        connection.execute("GRANT INSERT, DELETE ON grants TO clerk")
    assert read_privileges(clerk, tmp_path, resolve=no_secrets) == (
        "public.grants: INSERT, DELETE",
        "public.people: UPDATE",
    )
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("DROP OWNED BY clerk")


def test_what_a_mariadb_account_could_write_is_said(mariadb: str, tmp_path: Path) -> None:
    where = make_url(mariadb)
    with pymysql.connect(
        host=where.host, port=where.port, user=where.username, database=where.database,
        autocommit=True,
    ) as connection:  # fmt: skip
        cursor = connection.cursor()
        cursor.execute("CREATE OR REPLACE USER clerk@'127.0.0.1'")
        cursor.execute(f"GRANT SELECT ON {where.database}.* TO clerk@'127.0.0.1'")
        cursor.execute(f"GRANT INSERT ON {where.database}.grants TO clerk@'127.0.0.1'")
    clerk = source(where.set(username="clerk").render_as_string())
    found = read_privileges(clerk, tmp_path, resolve=no_secrets)
    assert found == (f"{where.database}.grants: INSERT",)


def test_rows_are_counted_against_what_the_server_sent() -> None:
    check_count("list_accounts", sent=3, arrived=3)
    with pytest.raises(SourceIncompleteError, match="the server sent 3 rows, 2 arrived"):
        check_count("list_accounts", sent=3, arrived=2)


def test_a_sqlite_file_is_opened_for_reading_only(sqlite: str, tmp_path: Path) -> None:
    with open_session(source(sqlite), tmp_path, no_secrets) as session:
        session.connection.execute("PRAGMA query_only = OFF")
        with pytest.raises(sqlite3.OperationalError, match="readonly database"):
            session.connection.execute("DELETE FROM people")


def test_a_mariadb_connection_that_is_killed_yields_no_rows(mariadb: str, tmp_path: Path) -> None:
    where = make_url(mariadb)

    def kill() -> None:
        with pymysql.connect(
            host=where.host, port=where.port, user=where.username, autocommit=True
        ) as connection:
            cursor = connection.cursor()
            for _ in range(300):
                cursor.execute(
                    "SELECT id FROM information_schema.processlist WHERE db = %s "
                    "AND state = 'User sleep'",
                    (where.database,),
                )
                found = cursor.fetchone()
                if found:
                    cursor.execute(f"KILL {found[0]}")
                    return
                time.sleep(0.1)

    killer = threading.Thread(target=kill)
    killer.start()
    sql = "SELECT id AS integration_specific_id, SLEEP(IF(id = 10, 30, 0)) AS nap FROM people"
    with pytest.raises(SourceIncompleteError, match=r"^list_accounts: .*(lost|cancelled)"):
        read(mariadb, tmp_path, queries={"list_accounts": sql})
    killer.join()


def test_nothing_is_left_open(postgresql: str, tmp_path: Path) -> None:
    read(postgresql, tmp_path)
    with psycopg.connect(postgresql) as connection:
        count = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'lumos-ingest' "
            "AND datname = current_database()"
        ).fetchone()
    assert count == (0,)


def test_a_time_that_is_text_is_taken_in_the_stated_zone(sqlite: str, tmp_path: Path) -> None:
    text = (
        f"app: {{name: A}}\nsource: {{kind: sql, url: '{sqlite}', timezone: Europe/Paris, queries: "
        "{list_accounts: \"SELECT id AS integration_specific_id, mail AS email, '2026-01-01 10:00' "
        'AS last_login FROM people"}}'
    )
    file = to_source(text, "app", "app.yaml").file
    raw = read_source(file.source, tmp_path, now=NOW)
    accounts, _ = to_accounts(raw.accounts, file, NOW)
    assert set(accounts.records["last_login"]) == {datetime(2026, 1, 1, 9, tzinfo=UTC)}
