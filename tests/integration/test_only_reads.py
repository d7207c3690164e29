"""What would write is not sent, and what is sent cannot write: real servers, whose rows remain."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import duckdb
import psycopg
import pymysql
import pyodbc
import pytest
from sqlalchemy import make_url

from extractors.read import read_source
from schemas.errors import ConfigError, IngestError
from schemas.source_file.kinds.sql_source import SqlSource
from tests.integration.test_sql_source import JARS, NOW

pytest_plugins = ["tests.postgresql_server", "tests.mariadb_server"]

ID = "integration_specific_id"
ODBC = "PostgreSQL Unicode"
READ_WRITE = "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE"
HIDDEN = f"COMMIT; {READ_WRITE}; BEGIN; DELETE FROM w; COMMIT; SELECT 1 AS {ID}"


def read(
    sql: str, url: str, workspace: Path, *, first: str | None = None, allow_procedures: bool = False
) -> list[object]:
    """The ids that `list_accounts` returns, of a URL, a JDBC URL or an ODBC connection string."""
    place: dict[str, object] = {"url": url}
    if url.startswith("jdbc:"):
        _needs(JARS["postgresql"], Path(JARS["postgresql"]).exists())
        place |= {"driver": "jdbc", "jars": (JARS["postgresql"],), "username": "postgres"}
    elif url.startswith("DRIVER="):
        _needs(ODBC, ODBC in pyodbc.drivers())
        place = {"driver": "odbc", "dsn": url}
    source = SqlSource.model_validate(
        {
            "kind": "sql",
            **place,
            "queries": {"validate_credentials": first, "list_accounts": sql},
            "allow_procedures": allow_procedures,
        }
    )
    return read_source(source, workspace, now=NOW).accounts.rows[ID].to_list()


def _needs(name: str, is_there: object) -> None:
    if not is_there:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"missing: {name}")


@pytest.fixture
def postgresql(new_database: Callable[[], str]) -> str:
    url = new_database()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE w AS SELECT 1 AS id")
        connection.execute("CREATE PROCEDURE pp() LANGUAGE sql AS 'SELECT 1'")
    return url


@pytest.fixture(params=["native", "jdbc", "odbc"])
def way(request: pytest.FixtureRequest, postgresql: str) -> str:
    at = make_url(postgresql)
    place = f"SERVER={at.host};PORT={at.port};DATABASE={at.database}"
    return {
        "native": postgresql,
        "jdbc": f"jdbc:postgresql://{at.host}:{at.port}/{at.database}",
        "odbc": f"DRIVER={{{ODBC}}};{place};UID=postgres",
    }[request.param]


def rows_of_postgresql(url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT id FROM w").fetchall()


@pytest.fixture
def mariadb(new_mariadb_database: Callable[[], str]) -> str:
    url = new_mariadb_database()
    mariadb_run(url, "CREATE TABLE w (id int)", "INSERT INTO w VALUES (8), (9), (10)")
    return url


def mariadb_run(url: str, *statements: str) -> list[tuple[object, ...]]:
    where = make_url(url)
    with pymysql.connect(
        host=where.host,
        port=where.port,
        user=where.username,
        database=where.database,
        autocommit=True,
    ) as connection:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        return list(cursor.fetchall())


@pytest.mark.parametrize(
    "sql",
    [
        f"CALL pp(); {HIDDEN}",
        f"SELECT 1 AS x$$; {HIDDEN} AS y$$",
        f"SELECT 1 AS {ID}, 2 AS x$E'\\'; {HIDDEN}, '",
        f"/* /* */ SELECT ' */ COMMIT; {HIDDEN} -- '",
        f"SELECT $é$ ' $é$ AS {ID}; {HIDDEN}, ' '",
    ],
)
def test_nothing_that_hides_behind_a_read_is_sent_to_postgresql(
    sql: str, way: str, postgresql: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="only reads are sent: the statement"):
        read(sql, way, tmp_path)
    assert rows_of_postgresql(postgresql) == [(1,)]


@pytest.mark.parametrize(
    "body",
    [
        "DELETE FROM w",
        "COMMIT; DELETE FROM w",
        "ROLLBACK; SET TRANSACTION READ WRITE; DELETE FROM w; COMMIT",
        "SET TRANSACTION READ WRITE; DELETE FROM w",
        "PERFORM set_config('transaction_read_only', 'off', false); DELETE FROM w",
        f"{READ_WRITE}; COMMIT; DELETE FROM w; COMMIT",
    ],
)
def test_a_procedure_of_postgresql_cannot_leave_the_read_only_transaction(
    body: str, way: str, postgresql: str, tmp_path: Path
) -> None:
    with psycopg.connect(postgresql) as connection:
        connection.execute(
            f"CREATE PROCEDURE writing(INOUT {ID} int) LANGUAGE plpgsql AS $$ BEGIN {body}; END $$"
        )
    with pytest.raises(IngestError, match=r"^list_accounts.*(25001|25006|2D000)"):
        read("CALL writing(1)", way, tmp_path)
    assert rows_of_postgresql(postgresql) == [(1,)]


def test_a_procedure_of_mariadb_leaves_it_and_so_is_sent_only_where_it_is_vouched_for(
    mariadb: str, tmp_path: Path
) -> None:
    body = "START TRANSACTION READ WRITE; UPDATE w SET id = 7; COMMIT"
    mariadb_run(
        mariadb, f"CREATE PROCEDURE writing() BEGIN {body}; SELECT id AS {ID} FROM w LIMIT 1; END"
    )
    with pytest.raises(ConfigError, match="allow_procedures: true"):
        read("CALL writing()", mariadb, tmp_path)
    assert mariadb_run(mariadb, "SELECT id FROM w ORDER BY id") == [(8,), (9,), (10,)]
    # this is what the word is asked for
    assert read("CALL writing()", mariadb, tmp_path, allow_procedures=True) == ["7"]
    assert mariadb_run(mariadb, "SELECT DISTINCT id FROM w") == [(7,)]


@pytest.mark.parametrize("into", ["OUTFILE", "DUMPFILE"])
@pytest.mark.parametrize("mode", ["", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES"])
def test_no_backslash_makes_mariadb_write_a_file(
    into: str, mode: str, mariadb: str, tmp_path: Path
) -> None:
    path = Path(tempfile.gettempdir()) / f"written-{uuid4().hex}"
    before = mariadb_run(mariadb, "SELECT @@GLOBAL.sql_mode")[0][0]
    mariadb_run(mariadb, f"SET GLOBAL sql_mode = '{mode}'")
    try:
        for quoted in (r'"\""', r'1 AS "\"', r"'\''", r"'\'"):
            sql = f"SELECT id AS {ID}, {quoted} INTO {into} '{path}' FROM w LIMIT 1"
            for text in (sql, f'{sql} -- "', f"{sql} -- '"):
                with pytest.raises(ConfigError, match="only reads are sent"):
                    read(text, mariadb, tmp_path)
    finally:
        mariadb_run(mariadb, f"SET GLOBAL sql_mode = '{before}'")
    assert not path.exists()


def test_what_is_no_comment_to_mariadb_is_sent(mariadb: str, tmp_path: Path) -> None:
    sql = f"SELECT id AS {ID} FROM w WHERE 10 > id --1"
    assert read(sql, mariadb, tmp_path) == ["8"]
    assert read(f"{sql} -- 1", mariadb, tmp_path) == ["8"]
    assert read(f"SELECT id AS {ID} FROM w WHERE 10 > id -- 1", mariadb, tmp_path) == ["8", "9"]


@pytest.mark.parametrize(
    ("sql", "ids"),
    [
        ("FROM w", ["1", "2"]),
        ("PIVOT w ON team USING count(*) GROUP BY integration_specific_id", ["1", "2"]),
        ("UNPIVOT w ON team INTO NAME kind VALUE team", ["1", "2"]),
    ],
)
def test_duckdb_s_own_words_are_read(sql: str, ids: list[str], tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "app.duckdb")) as connection:
        connection.execute(f"CREATE TABLE w AS SELECT 1 AS {ID}, 'a' AS team UNION SELECT 2, 'b'")
    found = read(sql, "duckdb:///app.duckdb", tmp_path, first="SUMMARIZE w")
    assert sorted(map(str, found)) == ids
