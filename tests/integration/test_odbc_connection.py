"""ODBC by connection string: PostgreSQL, MariaDB and SQLite through their real drivers."""

import contextlib
import os
import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pyodbc
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from extractors.read import probe_source, read_source
from extractors.sql.drivers.odbc import OdbcSession, connect_odbc
from extractors.sql.errors.translate import driver_errors
from extractors.sql.statements.statement import Statement
from schemas.errors import (
    ConfigError,
    IngestError,
    SourceFormatError,
    SourceUnavailableError,
)
from schemas.source_file.kinds.sql_source import SqlSource

pytest_plugins = ["tests.postgresql_server", "tests.mariadb_server"]

NOW = datetime(2026, 1, 2, tzinfo=UTC)
_DEBIAN = {
    "PostgreSQL Unicode": "odbc-postgresql",
    "MariaDB Unicode": "odbc-mariadb",
    "SQLite3": "libsqliteodbc",
}


def _driver(name: str) -> str:
    missing = [] if name in pyodbc.drivers() else [f"{name} (Debian: {_DEBIAN[name]})"]
    if missing and os.environ.get("CI"):
        pytest.fail(f"missing: {', '.join(missing)}")
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}")
    return f"DRIVER={{{name}}}"


@pytest.fixture
def postgresql(new_database: Callable[[], str]) -> str:
    driver, url = _driver("PostgreSQL Unicode"), make_url(new_database())
    return f"{driver};Server=127.0.0.1;Port={url.port};Database={url.database}"


@pytest.fixture
def mariadb(new_mariadb_database: Callable[[], str]) -> str:
    driver, url = _driver("MariaDB Unicode"), make_url(new_mariadb_database())
    return f"{driver};SERVER=127.0.0.1;PORT={url.port};DATABASE={url.database};CHARSET=utf8mb4"


def _native(connection_string: str) -> "psycopg.Connection[tuple[object, ...]]":
    port, name = re.findall(r"(?:Port|Database)=(\w+)", connection_string)
    return psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/{name}", autocommit=True)


def _refused(connection_string: str, user: str | None, password: str | None = None) -> IngestError:
    secret = SecretStr(password) if password else None
    with pytest.raises(IngestError) as caught:
        connect_odbc(connection_string, user, secret, login_timeout_s=5)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None
    return caught.value


def test_postgresql_is_one_snapshot_and_only_read(postgresql: str) -> None:
    with _native(postgresql) as native:
        native.execute("CREATE TABLE t (n int)")
        connection = connect_odbc(postgresql, "postgres", None)
        assert connection.execute("SELECT * FROM t").fetchall() == []
        native.execute("INSERT INTO t VALUES (1)")
        assert connection.execute("SELECT * FROM t").fetchall() == []
        with pytest.raises(pyodbc.Error, match="25006"):
            connection.execute("INSERT INTO t VALUES (2)")
        connection.close()


def test_mariadb_is_one_snapshot_and_only_read(mariadb: str) -> None:
    port, name = re.findall(r"(?:PORT|DATABASE)=(\w+)", mariadb)
    with pymysql.connect(
        host="127.0.0.1", port=int(port), user="root", database=name, autocommit=True
    ) as native:
        native.cursor().execute("CREATE TABLE t (n INT)")
        connection = connect_odbc(mariadb, "root", None)
        assert connection.execute("SELECT * FROM t").fetchall() == []
        native.cursor().execute("INSERT INTO t VALUES (1)")
        assert connection.execute("SELECT * FROM t").fetchall() == []
        with pytest.raises(pyodbc.Error, match=r"25006.*1792"):
            connection.execute("INSERT INTO t VALUES (2)")
        connection.close()


def test_sqlite_is_only_read(tmp_path: Path) -> None:
    words = f"{_driver('SQLite3')};Database={tmp_path}/x.db"
    writer = connect_odbc(f"{words};NoCreat=0", None, None, read_only=False)
    writer.execute("CREATE TABLE t (n INT)")
    writer.commit()
    writer.close()
    connection = connect_odbc(words, None, None)
    assert connection.execute("SELECT * FROM t").fetchall() == []
    with pytest.raises(pyodbc.Error):
        connection.execute("INSERT INTO t VALUES (1)")
    connection.close()


def test_sqlites_long_numbers_arrive_whole(tmp_path: Path) -> None:
    words = f"{_driver('SQLite3')};Database={tmp_path}/x.db"
    with contextlib.closing(sqlite3.connect(tmp_path / "x.db")) as writer:
        writer.execute("CREATE TABLE t (n INTEGER, m)")
        writer.execute("INSERT INTO t VALUES (9223372036854775807, 5000000000)")
        writer.commit()
    with contextlib.closing(connect_odbc(words, None, None)) as connection:
        found = connection.execute("SELECT n, m, -5000000000 FROM t").fetchall()
    assert [tuple(row) for row in found] == [(9223372036854775807, 5000000000, -5000000000)]


def _odd_sqlite(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as writer:
        writer.execute("CREATE TABLE staff (id INTEGER, mail TEXT, seen TIMESTAMP, share REAL)")
        writer.executemany(
            "INSERT INTO staff VALUES (?, ?, ?, ?)",
            [
                ("12", "ann@example.com", "2026-11-02T03:04:05+02:00", 0.1),
                ("12a", "ben@example.com", 1793596800, 1e22),
                ("C-104", "di@example.com", None, "none"),
            ],
        )
        writer.commit()


_STAFF = "SELECT id AS integration_specific_id, mail AS email, seen, share FROM staff"


def test_sqlite_through_odbc_is_read_as_it_is_without(tmp_path: Path) -> None:
    """Its driver goes by the type that a column declares, which in SQLite binds no value."""
    _odd_sqlite(tmp_path / "x.db")
    ways: list[dict[str, Any]] = [
        {"url": "sqlite:///x.db"},
        {"driver": "odbc", "dsn": f"{_driver('SQLite3')};Database={tmp_path}/x.db"},
    ]
    native, odbc = (
        read_source(
            SqlSource(kind="sql", queries={"list_accounts": _STAFF}, **way), tmp_path, now=NOW
        ).accounts.rows
        for way in ways
    )
    assert odbc.equals(native)
    assert native["integration_specific_id"].to_list() == ["12", "12a", "C-104"]


def test_a_slip_in_the_path_of_a_sqlite_file_makes_no_file(tmp_path: Path) -> None:
    dsn = f"{_driver('SQLite3')};Database={tmp_path}/slip.db"
    source = SqlSource(kind="sql", driver="odbc", dsn=dsn, queries={"list_accounts": _STAFF})
    for look in (probe_source, read_source):
        with pytest.raises(ConfigError, match=r"^source\.dsn: no such file"):
            look(source, tmp_path, now=NOW)
    assert list(tmp_path.iterdir()) == []


def test_a_driver_that_nothing_is_known_of_is_held_to_the_database_s_own_text(
    tmp_path: Path,
) -> None:
    _odd_sqlite(tmp_path / "x.db")
    connection = connect_odbc(f"{_driver('SQLite3')};Database={tmp_path}/x.db", None, None)
    session = OdbcSession(
        engine="other",
        product="other",
        server="x.db",
        connection=connection,
        errors=driver_errors(pyodbc),
        paramstyle="qmark",
        timeout_s=60,
        zone=None,
    )

    def rows(sql: str) -> list[tuple[str | None, ...]]:
        statement = Statement("list_accounts", "list_accounts", (sql,), is_query=True)
        return session.read(statement).rows.rows()

    with contextlib.closing(session):
        assert rows('SELECT mail, share AS "a ""b""" FROM staff WHERE share < 1') == [
            ("ann@example.com", "0.1")
        ]
        for column in ("id", "seen"):
            with pytest.raises(SourceFormatError, match=rf"^list_accounts: {column}: \d values of"):
                rows(f"SELECT {column} FROM staff")
        assert rows("SELECT CAST(id AS VARCHAR) AS id FROM staff")[1] == ("12a",)


@pytest.mark.parametrize("engine", ["postgresql", "mariadb"])
def test_a_long_text_arrives_whole(engine: str, request: pytest.FixtureRequest) -> None:
    user = {"postgresql": "postgres", "mariadb": "root"}[engine]
    connection = connect_odbc(request.getfixturevalue(engine), user, None)
    rows = connection.execute("SELECT repeat('é', 300000), '👩‍👧', '', NULL").fetchall()
    assert tuple(rows[0]) == ("é" * 300_000, "👩‍👧", "", None)
    connection.close()


@pytest.mark.parametrize("password", ["plain", "p;w}d{ =é", "{}", "a'b\"c\\"])
def test_any_password_reaches_the_server(mariadb: str, password: str) -> None:
    port = int(re.findall(r"PORT=(\d+)", mariadb)[0])
    with pymysql.connect(host="127.0.0.1", port=port, user="root", autocommit=True) as native:
        native.cursor().execute("CREATE OR REPLACE USER jo IDENTIFIED BY %s", (password,))
        native.cursor().execute("GRANT SELECT ON *.* TO jo")
    connect_odbc(mariadb, "jo", SecretStr(password)).close()
    problem = _refused(mariadb, "jo", password + "x")
    assert isinstance(problem, ConfigError)
    assert "the login is refused" in str(problem)
    assert "1045" in str(problem)


def test_what_is_wrong_with_a_postgresql_connection_is_one_line(postgresql: str) -> None:
    for changed, kind, words in (
        (postgresql + "_not_there", ConfigError, "no such database"),
        (postgresql + ";SSLmode=require", ConfigError, "no secured connection"),
        (
            re.sub("Server=[^;]*", "Server=no.invalid", postgresql),
            SourceUnavailableError,
            "host",
        ),
        (re.sub("Port=[^;]*", "Port=1", postgresql), SourceUnavailableError, "cannot be reached"),
    ):
        problem = _refused(changed, "postgres")
        assert type(problem) is kind, words
        assert words in str(problem)
        assert "08001" in str(problem)


def test_what_is_wrong_with_a_mariadb_connection_is_one_line(mariadb: str) -> None:
    for changed, kind, words in (
        (re.sub("DATABASE=[^;]*", "DATABASE=nowhere", mariadb), ConfigError, "no such database"),
        (re.sub("SERVER=[^;]*", "SERVER=no.invalid", mariadb), SourceUnavailableError, "host"),
        (re.sub("PORT=[^;]*", "PORT=1", mariadb), SourceUnavailableError, "cannot be reached"),
    ):
        problem = _refused(changed, "root")
        assert type(problem) is kind, words
        assert words in str(problem)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no_such_dsn", "source.dsn: no such DSN or driver"),
        ("DRIVER={No Such};SERVER=h", "cannot be loaded"),
        ("DRIVER=/nowhere/lib.so;SERVER=h", "cannot be loaded"),
        ("DSN=hr;PWD=s3cr3t", "holds a password"),
        ("DSN=hr; password = s3cr3t", "holds a password"),
        ("  ", "is empty"),
    ],
)
def test_a_connection_string_that_cannot_do_says_so(text: str, words: str) -> None:
    problem = _refused(text, None)
    assert isinstance(problem, ConfigError)
    assert words in str(problem)
    assert "s3cr3t" not in str(problem)
