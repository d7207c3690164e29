"""What goes wrong with a database is one line: code, capability, what to do; no row, no value."""

import sqlite3
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from extractors.read import probe_source, read_source
from schemas.errors import (
    ConfigError,
    IngestError,
    SourceFormatError,
    SourceIncompleteError,
    SourceUnavailableError,
)
from schemas.secrets import Secret
from schemas.sql_source import SqlSource
from tests.integration.test_sql_source import NOW, TABLES, source

pytest_plugins = ["tests.postgresql_server", "tests.mariadb_server"]

CANARY = "canary-7f3a"


@pytest.fixture
def postgresql(new_database: Callable[[], str]) -> str:
    url = new_database()
    with psycopg.connect(url) as connection:
        connection.execute(TABLES)
        connection.execute("INSERT INTO people (id, mail) VALUES (99, %s)", (CANARY,))
        connection.execute("CREATE TABLE hidden AS SELECT 1 AS integration_specific_id")
    return url


def failed(read: Callable[[], object]) -> IngestError:
    """The error that `read` ends in: one line, with nothing of a row in it or behind it."""
    with pytest.raises(IngestError) as caught:
        read()
    text = str(caught.value)
    assert "\n" not in text
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


def reading(source: SqlSource, workspace: Path, password: str = "") -> IngestError:
    from pydantic import SecretStr

    return failed(
        lambda: read_source(source, workspace, now=NOW, resolve=lambda _: SecretStr(password))
    )


def accounts(sql: str) -> dict[str, str]:
    return {"list_accounts": sql}


WRONG = {
    "a table that is not there": (
        "SELECT a FROM nowhere",
        SourceFormatError,
        ["SQLSTATE 42P01", 'relation "nowhere" does not exist', "check the name"],
    ),
    "a column that is not there": (
        "SELECT nothing FROM people",
        SourceFormatError,
        ["SQLSTATE 42703", 'column "nothing" does not exist'],
    ),
    "a typo": ("SELECT id FORM people WHERE", SourceFormatError, ["42601", "correct the query"]),
    "a value that does not fit": (
        "SELECT mail::integer AS integration_specific_id FROM people WHERE id = 99",
        SourceFormatError,
        ["SQLSTATE 22P02", "does not fit the query's own conversion"],
    ),
    "a message of the database's own making": (
        "SELECT complain(mail) AS integration_specific_id FROM people WHERE id = 99",
        SourceFormatError,
        ["SQLSTATE P0001"],
    ),
    "a function that writes": (
        "SELECT record(1) AS integration_specific_id",
        ConfigError,
        ["SQLSTATE 25006", "read-only transaction", "only reads are allowed"],
    ),
    "a query that never ends": (
        "SELECT pg_sleep(60)::text AS integration_specific_id",
        SourceIncompleteError,
        ["SQLSTATE 57014", "cancelled before it ended", "statement_timeout"],
    ),
    "an empty result": (
        "SELECT id AS integration_specific_id FROM people WHERE false",
        SourceIncompleteError,
        ["returned no row", "never uploaded"],
    ),
    "a missing label": (
        "SELECT id FROM people",
        SourceFormatError,
        ["no column label integration_specific_id; it has id"],
    ),
    "two columns with one label": (
        "SELECT id AS integration_specific_id, mail AS email, given AS email FROM people",
        SourceFormatError,
        ["two columns with the label email"],
    ),
    "a write": ("DELETE FROM people", ConfigError, ["only reads are sent"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_query_that_fails_is_one_line(case: str, postgresql: str, tmp_path: Path) -> None:
    sql, kind, said = WRONG[case]
    with psycopg.connect(postgresql) as connection:
        connection.execute(
            "CREATE FUNCTION complain(text) RETURNS int LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'no %', $1; END $$"
        )
        connection.execute(
            "CREATE FUNCTION record(int) RETURNS int LANGUAGE sql AS "
            "$$ INSERT INTO grants VALUES ($1, 'A') RETURNING 1 $$"
        )
    error = reading(source(postgresql, queries=accounts(sql), statement_timeout="1s"), tmp_path)
    assert type(error) is kind, error
    assert str(error).startswith("list_accounts: ")
    for part in said:
        assert part in str(error)


def test_a_privilege_that_is_missing_is_said(postgresql: str, tmp_path: Path) -> None:
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS reader")
        connection.execute("CREATE ROLE reader LOGIN")
    url = postgresql.replace("postgres@", "reader@")
    error = reading(source(url), tmp_path)
    assert "SQLSTATE 42501" in str(error)
    assert "permission denied for table people" in str(error)
    assert "grant the account the right" in str(error)


def test_a_bound_value_is_never_quoted(postgresql: str, tmp_path: Path) -> None:
    from extractors.sql_single import read_account

    asked = source(
        postgresql,
        queries={
            "get_account": "SELECT id AS integration_specific_id FROM people "
            "WHERE id = {account_id}"
        },
    )
    error = failed(
        lambda: read_account(asked, tmp_path, CANARY, resolve=lambda _: pytest.fail("no secret"))
    )
    assert "get_account: refused (SQLSTATE 22P02)" in str(error)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "postgresql://nobody@{host}/postgres",
            ["login is refused", 'role "nobody" does not exist'],
        ),
        ("postgresql://postgres@{host}/nowhere", ["no such database", "nowhere", "check the url"]),
        ("postgresql://postgres@127.0.0.1:1/postgres", ["cannot be reached"]),
        ("postgresql://postgres@no.such.host.invalid/x?sslmode=disable", ["is not known"]),
        ("postgresql://postgres@{host}/postgres?sslmode=require", ["no secured connection"]),
    ],
)
def test_a_server_that_does_not_let_us_in_is_named(
    url: str, said: list[str], postgresql: str, tmp_path: Path
) -> None:
    host = postgresql.partition("@")[2].partition("/")[0]
    error = reading(source(url.format(host=host)), tmp_path)
    kind = (
        SourceUnavailableError if said[0] in {"cannot be reached", "is not known"} else ConfigError
    )
    assert type(error) is kind
    for part in said:
        assert part in str(error)


def test_a_wrong_password_is_one_line_and_is_not_repeated(
    new_mariadb_database: Callable[[], str], tmp_path: Path
) -> None:
    url = new_mariadb_database()
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("CREATE OR REPLACE USER reader IDENTIFIED BY 'the right one'"))
        connection.execute(text("GRANT SELECT ON *.* TO reader"))
    where = source(url.replace("root@", ""), username="reader", password=Secret(env="X"))

    error = reading(where, tmp_path, CANARY)

    assert isinstance(error, ConfigError)
    assert "1045" in str(error)
    assert "password" in str(error)


def test_a_password_is_in_no_message(postgresql: str, tmp_path: Path) -> None:
    """The test server trusts everyone, so the login fails for its name."""
    wrong = source(postgresql.replace("postgres@", ""), username="nobody", password=Secret(env="X"))
    error = reading(wrong, tmp_path, CANARY)
    assert "login is refused" in str(error)


def test_a_connection_cut_in_the_middle_never_yields_fewer_rows(
    postgresql: str, tmp_path: Path
) -> None:
    sql = (
        "SELECT n AS integration_specific_id, CASE WHEN n = 200000 THEN pg_sleep(30)::text "
        "ELSE repeat('x', 200) END AS email FROM generate_series(1, 300000) AS n"
    )

    def cut() -> None:
        with psycopg.connect(postgresql, autocommit=True) as connection:
            for _ in range(300):
                time.sleep(0.1)
                found = connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name = 'lumos-ingest' AND wait_event = 'PgSleep' "
                    "AND datname = current_database()"
                ).fetchall()
                if found:
                    return

    cutter = threading.Thread(target=cut)
    cutter.start()
    error = reading(source(postgresql, queries=accounts(sql)), tmp_path)
    cutter.join()
    assert type(error) is SourceIncompleteError, error
    assert "list_accounts: the connection was lost before the last row (SQLSTATE 57P01" in str(
        error
    )


def test_nothing_is_written_and_nothing_is_left_open(postgresql: str, tmp_path: Path) -> None:
    read_source(source(postgresql), tmp_path, now=NOW)
    with psycopg.connect(postgresql) as connection:
        count = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'lumos-ingest' "
            "AND datname = current_database()"
        ).fetchone()
    assert count == (0,)


SQLITE_WRONG = {
    "a table that is not there": ("SELECT a FROM nowhere", ["no such table: nowhere"]),
    "a column that is not there": ("SELECT nonesuch FROM people", ["no such column: nonesuch"]),
    "a typo": ("SELECT id FORM people WHERE", ["syntax error"]),
    "a query that never ends": (
        (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
            "SELECT max(i) AS integration_specific_id FROM n"
        ),
        ["cancelled before it ended", "INTERRUPT"],
    ),
    "a value that does not fit": (
        f"SELECT json_extract('{CANARY}', '$') AS integration_specific_id FROM people",
        ["list_accounts: refused (SQLITE_ERROR)"],
    ),
}


@pytest.mark.parametrize("case", SQLITE_WRONG)
def test_sqlite_fails_in_one_line(case: str, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "app.db") as connection:
        connection.executescript(TABLES)
    connection.close()
    sql, said = SQLITE_WRONG[case]
    wrong = source("sqlite:///app.db", queries=accounts(sql), statement_timeout="1s")
    error = reading(wrong, tmp_path)
    assert str(error).startswith("list_accounts: ")
    for part in said:
        assert part in str(error)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "app.db").write_text(CANARY * 500)
    error = reading(source("sqlite:///app.db"), tmp_path)
    assert type(error) is SourceUnavailableError
    assert "app.db" in str(error)
    error = reading(source("sqlite:///none.db"), tmp_path)
    assert str(error) == "source.url: none.db: no such file: check the path"


@pytest.mark.parametrize("case", ["a typo", "a missing label", "a write"])
def test_a_look_finds_what_is_wrong_before_the_first_sync(
    case: str, postgresql: str, tmp_path: Path
) -> None:
    sql, kind, said = WRONG[case]
    wrong = source(postgresql, queries=accounts(sql))
    error = failed(lambda: probe_source(wrong, tmp_path, now=NOW))
    assert type(error) is kind
    for part in said:
        assert part in str(error)


def test_a_text_in_another_encoding_is_an_error_and_not_damaged(
    postgresql_server: str, tmp_path: Path
) -> None:
    with psycopg.connect(f"{postgresql_server}/postgres", autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS no_encoding")
        connection.execute(
            "CREATE DATABASE no_encoding TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'"
        )
    url = f"{postgresql_server}/no_encoding"
    with psycopg.connect(url) as connection:
        connection.execute(
            "CREATE TABLE people AS SELECT n AS integration_specific_id, "
            f"'{CANARY}' || E'\\xff' || repeat('x', 500) AS email FROM generate_series(1, 50000) n"
        )
    error = reading(
        SqlSource(kind="sql", url=url, queries=accounts("SELECT * FROM people")), tmp_path
    )
    assert type(error) is SourceFormatError
    assert "list_accounts: refused (SQLSTATE 22021): a text in the rows is not valid" in str(error)
