"""The same trouble by every way into a database is the same line: what, code, what to do."""

import re
import sqlite3
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pymysql
import pytest
from pydantic import SecretStr
from pymysql.constants import CLIENT
from sqlalchemy import make_url

from extractors.read import probe_source, read_account, read_source
from schemas.errors import (
    ConfigError,
    IngestError,
    SourceFormatError,
    SourceIncompleteError,
    SourceUnavailableError,
)
from schemas.source_file.kinds.sql_source import SqlSource
from schemas.source_file.secrets import Secret
from tests.integration.test_sql_source import NOW, TABLES
from tests.logging_in import way_in

pytest_plugins = ["tests.postgresql_server", "tests.mariadb_server"]

CANARY = "canary-7f3a"
"""In a row, in a bound value and in a password: never in a message."""
CLERK = "clerk_of_refusals"
"""Logs in and may not read `people`."""
SERVERS = ["postgresql", "mariadb"]
BY_SERVER = [f"{one}{by}" for one in SERVERS for by in ("", " odbc", " jdbc")]
EVERY_WAY = [*BY_SERVER, "sqlite", "duckdb"]
ALL = {"list_accounts": "SELECT * FROM people"}
_FILLED = f"{TABLES}INSERT INTO people (id, mail) VALUES (99, '{CANARY}');"


@dataclass(frozen=True, slots=True)
class ChangeMethod:
    """A way into a database whose `people` have a canary among them.

    Attributes:
        name: the engine, then odbc or jdbc.
        workspace: where a database is a file, the folder of it.
        port: of a server.
        database: its name, or the file's.
    """

    name: str
    workspace: Path
    port: int
    database: str

    @property
    def engine(self) -> str:
        return self.name.partition(" ")[0]

    def source(self, queries: dict[str, str], **changed: Any) -> SqlSource:
        host = changed.pop("host", "127.0.0.1")
        port = changed.pop("port", self.port)
        database = changed.pop("database", self.database)
        options = {"kind": "sql", "queries": queries, "connect_timeout": "5s"}
        if self.engine in {"sqlite", "duckdb"}:
            return SqlSource(**options, url=f"{self.engine}:///{database}", **changed)
        options |= way_in(self.engine, self.name.rpartition(" ")[2], port, database, host)
        return SqlSource(**{**options, **changed})

    @contextmanager
    def beside(self) -> Iterator[Callable[[str], Any]]:
        """The superuser's own connection: takes a statement, returns its rows."""
        if self.engine == "postgresql":
            url = f"postgresql://postgres@127.0.0.1:{self.port}/{self.database}"
            with psycopg.connect(url, autocommit=True) as connection:
                yield lambda sql: connection.execute(sql.encode()).fetchall()
        else:
            with _mariadb(self.port, self.database) as other, other.cursor() as cursor:
                yield lambda sql: cursor.fetchall() if cursor.execute(sql) else ()


def _mariadb(port: int, database: str | None) -> "pymysql.Connection[pymysql.cursors.Cursor]":
    return pymysql.connect(
        host="127.0.0.1", port=port, user="root", database=database, charset="utf8mb4",
        autocommit=True, client_flag=CLIENT.MULTI_STATEMENTS,
    )  # fmt: skip


@pytest.fixture(scope="module")
def postgresql_place(postgresql_server: str) -> tuple[int, str]:
    with psycopg.connect(f"{postgresql_server}/postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE refusals")
        connection.execute(f"CREATE ROLE {CLERK} LOGIN")
    with psycopg.connect(f"{postgresql_server}/refusals") as connection:
        connection.execute(_FILLED.encode())
        connection.execute(
            "CREATE FUNCTION record() RETURNS int LANGUAGE sql AS "
            "$$ INSERT INTO grants VALUES (9, 'A') RETURNING 1 $$"
        )
        connection.execute(
            "CREATE FUNCTION complain(text) RETURNS int LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'FATAL:  no %', $1; END $$"
        )
        connection.execute(
            "CREATE FUNCTION forbid(text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE "
            "insufficient_privilege USING MESSAGE = 'permission denied for ' || $1; END $$"
        )
        connection.execute(
            "CREATE FUNCTION look_up(text) RETURNS int LANGUAGE plpgsql AS "
            "$$ BEGIN EXECUTE format('SELECT 1 FROM %I', $1); RETURN 1; END $$"
        )
    return make_url(postgresql_server).port or 0, "refusals"


@pytest.fixture(scope="module")
def mariadb_place(mariadb_server: str) -> tuple[int, str]:
    port = make_url(mariadb_server).port or 0
    with _mariadb(port, None) as connection, connection.cursor() as cursor:
        cursor.execute(f"""
            CREATE DATABASE refusals CHARACTER SET utf8mb4 COLLATE utf8mb4_bin; USE refusals;
            {_FILLED}
            CREATE USER {CLERK} IDENTIFIED BY 'right'; GRANT SELECT ON refusals.roles TO {CLERK};
        """)
        while cursor.nextset():
            pass
        cursor.execute(
            "CREATE FUNCTION record() RETURNS INT MODIFIES SQL DATA "
            "BEGIN INSERT INTO grants VALUES (9, 'A'); RETURN 1; END"
        )
        cursor.execute(
            "CREATE FUNCTION forbid(mail TEXT) RETURNS INT DETERMINISTIC BEGIN "
            "SIGNAL SQLSTATE '42000' SET MESSAGE_TEXT = mail; RETURN 1; END"
        )
        cursor.execute(
            "CREATE FUNCTION miss(mail TEXT) RETURNS INT DETERMINISTIC BEGIN SIGNAL SQLSTATE "
            "'42S02' SET MYSQL_ERRNO = 1146, MESSAGE_TEXT = mail; RETURN 1; END"
        )
        cursor.execute(
            "CREATE FUNCTION adjust(mail TEXT) RETURNS INT DETERMINISTIC "
            "BEGIN SET SESSION sql_mode = mail; RETURN 1; END"
        )
        cursor.execute(
            "CREATE PROCEDURE look_up() BEGIN SELECT concat('SELECT 1 FROM `', mail, '`') "
            "INTO @sql FROM people WHERE id = 99; PREPARE made FROM @sql; EXECUTE made; END"
        )
    return port, "refusals"


@pytest.fixture
def way(request: pytest.FixtureRequest, tmp_path: Path) -> ChangeMethod:
    name = str(request.param)
    engine = name.partition(" ")[0]
    if engine == "sqlite":
        with sqlite3.connect(tmp_path / "app.db") as connection:
            connection.executescript(f"{_FILLED} CREATE VIRTUAL TABLE words USING fts5(word);")
        connection.close()
    elif engine == "duckdb":
        with duckdb.connect(str(tmp_path / "app.db")) as made:
            made.execute(_FILLED)
    else:
        return ChangeMethod(name, tmp_path, *request.getfixturevalue(f"{engine}_place"))
    return ChangeMethod(name, tmp_path, 0, "app.db")


def failed(read: Callable[[], object]) -> IngestError:
    """The error that `read` ends in: one line, with nothing of a row in it or behind it."""
    with pytest.raises(IngestError) as caught:
        read()
    error = caught.value
    assert "\n" not in str(error)
    assert CANARY not in "".join(traceback.format_exception(error))
    assert error.__cause__ is None
    assert error.__context__ is None
    return error


def reading(source: SqlSource, workspace: Path, password: str = "") -> IngestError:
    def resolve(_: Secret) -> SecretStr:
        return SecretStr(password)

    return failed(lambda: read_source(source, workspace, now=NOW, resolve=resolve))


@dataclass(frozen=True, slots=True)
class Trouble:
    """A query that is refused.

    Attributes:
        sql: the query of `list_accounts`, the same or by engine; engines without it are left out.
        kind: the class of the error.
        advice: what the message has after the code, by every way.
        codes: the code by engine; none where it is refused by us.
        named: what of the query the server names, by every way but JDBC, which takes no words.
        options: what the source says besides.
    """

    sql: str | dict[str, str]
    kind: type[IngestError]
    advice: str
    codes: dict[str, str] = field(default_factory=dict)
    named: str = ""
    options: dict[str, Any] = field(default_factory=dict)


IN_A_QUERY = {
    "a table that is not there": Trouble(
        "SELECT a FROM nowhere",
        SourceFormatError,
        "check the name, and the schema it is in",
        {
            "postgresql": "SQLSTATE 42P01",
            "mariadb": "error 1146",
            "sqlite": "SQLITE_ERROR",
            "duckdb": "CatalogException",
        },
        named="nowhere",
    ),
    "a column that is not there": Trouble(
        "SELECT nonesuch FROM people",
        SourceFormatError,
        "check the name, and the schema it is in",
        {
            "postgresql": "SQLSTATE 42703",
            "mariadb": "error 1054",
            "sqlite": "SQLITE_ERROR",
            "duckdb": "BinderException",
        },
        named="nonesuch",
    ),
    "a table that may not be read": Trouble(
        dict.fromkeys(SERVERS, "SELECT id AS integration_specific_id FROM people"),
        SourceFormatError,
        "grant the account the right to read it",
        {"postgresql": "SQLSTATE 42501", "mariadb": "error 1142"},
        named="people",
        options={"username": CLERK},
    ),
    "a typo": Trouble(
        "SELECT id FORM people WHERE",
        SourceFormatError,
        "correct the query",
        {
            "postgresql": "SQLSTATE 42601",
            "mariadb": "error 1064",
            "sqlite": "SQLITE_ERROR",
            "duckdb": "ParserException",
        },
    ),
    "a value that does not fit": Trouble(
        {
            "postgresql": "SELECT mail::int AS integration_specific_id FROM people WHERE id = 99",
            "mariadb": "SELECT 18446744073709551615 + length(mail) AS integration_specific_id "
            "FROM people WHERE id = 99",
            "sqlite": "SELECT json_extract(mail, '$') AS integration_specific_id FROM people",
            "duckdb": "SELECT mail::int AS integration_specific_id FROM people WHERE id = 99",
        },
        SourceFormatError,
        "a value in the rows, or a bound one, does not fit",
        {
            "postgresql": "SQLSTATE 22P02",
            "mariadb": "error 1690",
            "sqlite": "SQLITE_ERROR",
            "duckdb": "ConversionException",
        },
    ),
    "a message of the database's own making": Trouble(
        {
            "postgresql": "SELECT complain(mail) AS integration_specific_id FROM people "
            "WHERE id = 99",
            "mariadb": "SELECT extractvalue(1, concat('~FATAL:  ', mail)) "
            "AS integration_specific_id FROM people WHERE id = 99",
        },
        SourceFormatError,
        "look at the query and at the server's log",
        {"postgresql": "SQLSTATE P0001", "mariadb": "error 1105"},
    ),
    "a message of a function's making, with a code of the server's": Trouble(
        dict.fromkeys(
            SERVERS, "SELECT forbid(mail) AS integration_specific_id FROM people WHERE id = 99"
        ),
        SourceFormatError,
        "",
        {"postgresql": "SQLSTATE 42501", "mariadb": "error 1644"},
    ),
    "a function that writes": Trouble(
        dict.fromkeys(SERVERS, "SELECT record() AS integration_specific_id"),
        ConfigError,
        "only reads are allowed",
        {"postgresql": "SQLSTATE 25006", "mariadb": "error 1792"},
    ),
    "a query that never ends": Trouble(
        {
            "postgresql": "SELECT pg_sleep(60)::text AS integration_specific_id",
            "mariadb": "SELECT SUM(a.seq + b.seq) AS integration_specific_id "
            "FROM seq_1_to_10000000 a JOIN seq_1_to_10000000 b ON a.seq > b.seq",
            "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
            "SELECT max(i) AS integration_specific_id FROM n",
            "duckdb": "SELECT sum(a.range * b.range) AS integration_specific_id "
            "FROM range(1000000) a, range(1000000) b WHERE a.range % 7 < b.range % 5",
        },
        SourceIncompleteError,
        "make the query faster, or raise statement_timeout",
        {
            "postgresql": "SQLSTATE 57014",
            "mariadb": "error 1969",
            "sqlite": "SQLITE_INTERRUPT",
            "duckdb": "InterruptException",
        },
        options={"statement_timeout": "1s"},
    ),
    "a statement that writes": Trouble("DELETE FROM people", ConfigError, "only reads are sent"),
    "a missing label": Trouble(
        "SELECT id AS number FROM people",
        SourceFormatError,
        "no column label integration_specific_id; it has number: name the column with AS",
    ),
    "two columns with one label": Trouble(
        "SELECT id AS integration_specific_id, mail AS email, given AS email FROM people",
        SourceFormatError,
        "two columns with the label email: give each its own with AS",
    ),
    "an empty result": Trouble(
        "SELECT id AS integration_specific_id FROM people WHERE id > 1000",
        SourceIncompleteError,
        "run the query by hand, as the same account",
    ),
}
_CASES = [
    pytest.param(case, name, id=f"{case}, {name}")
    for case, one in IN_A_QUERY.items()
    for name in EVERY_WAY
    if isinstance(one.sql, str) or name.partition(" ")[0] in one.sql
]


@pytest.mark.parametrize(("case", "way"), _CASES, indirect=["way"])
def test_a_query_that_is_refused_is_one_line(case: str, way: ChangeMethod) -> None:
    asked = IN_A_QUERY[case]
    sql = asked.sql if isinstance(asked.sql, str) else asked.sql[way.engine]
    options = dict(asked.options)
    if CLERK in options.values() and way.engine == "mariadb":
        options["password"] = Secret(env="X")
    error = reading(way.source({"list_accounts": sql}, **options), way.workspace, "right")
    assert type(error) is asked.kind, error
    assert str(error).startswith("list_accounts: ")
    assert asked.advice in str(error)
    assert asked.codes.get(way.engine, "") in str(error)
    assert asked.named in str(error) or way.name.endswith("jdbc")


_LOOKED_UP = "SELECT {} AS integration_specific_id FROM people WHERE id = 99"
TAKEN_FOR_NAMES = {
    "postgresql": [
        _LOOKED_UP.format(one)
        for one in (
            "mail::regclass", "mail::regrole", "replace(mail, '-', '_')::regtype", "currval(mail)",
            "has_table_privilege(mail, 'SELECT')", "pg_has_role(mail, 'USAGE')",
            "current_setting(mail)", "look_up(mail)",
        )
    ],
    "mariadb": [_LOOKED_UP.format("miss(mail)"), _LOOKED_UP.format("adjust(mail)"),
                "CALL look_up()"],
    "sqlite": [
        """SELECT id AS integration_specific_id FROM people, words
        WHERE id = 99 AND words MATCH replace(mail, '-', '_') || ':x'""",
    ],
}  # fmt: skip
"""A value of a row as what a function, a procedure or a search looks for."""
_LOOKING_UP = [(sql, way) for way in EVERY_WAY for sql in TAKEN_FOR_NAMES.get(way.split()[0], ())]


@pytest.mark.parametrize(("sql", "way"), _LOOKING_UP, indirect=["way"])
def test_a_value_that_a_database_takes_for_a_name_is_not_quoted(
    sql: str, way: ChangeMethod
) -> None:
    """It says `relation "canary-7f3a" does not exist`, with the code of a typo in the query."""
    asked = way.source({"list_accounts": sql}, allow_procedures=True)
    error = reading(asked, way.workspace)
    assert type(error) is SourceFormatError
    assert CANARY.replace("-", "_") not in str(error)
    assert re.match(r"list_accounts: refused \(SQL.+\): c", str(error)), error


def test_a_typo_in_a_table_keeps_postgresqls_own_words(postgresql_place: tuple[int, str]) -> None:
    way = ChangeMethod("postgresql", Path(), *postgresql_place)
    error = reading(way.source({"list_accounts": "SELECT id FROM peple"}), way.workspace)
    assert 'SQLSTATE 42P01: relation "peple" does not exist' in str(error)


CONVERTED = {
    "mariadb": "length(extractvalue(1, concat('~', {account_id})))",
    "sqlite": "json_extract({account_id}, '$')",
}


@pytest.mark.parametrize("is_typo", [False, True])
@pytest.mark.parametrize("way", EVERY_WAY, indirect=True)
def test_a_bound_value_is_never_quoted(way: ChangeMethod, *, is_typo: bool) -> None:
    """A typo, too: PyMySQL sends values within the text, of which the server quotes the rest."""
    value = CONVERTED.get(way.engine, "CAST({account_id} AS integer)")
    compared = "= = {account_id}" if is_typo else f"= {value}"
    sql = f"SELECT id AS integration_specific_id FROM people WHERE id {compared}"
    source = way.source(ALL | {"get_account": sql})
    error = failed(
        lambda: read_account(source, way.workspace, CANARY, resolve=lambda _: SecretStr(""))
    )
    assert type(error) is SourceFormatError
    assert re.match(r"get_account: refused \((SQL|error|[PC]\w+Exception).*\): \w", str(error))


SLOW = {
    "postgresql": "SELECT n AS integration_specific_id, CASE WHEN n = 200000 THEN "
    f"pg_sleep(30)::text ELSE '{CANARY}' END AS email FROM generate_series(1, 300000) AS n",
    "mariadb": "SELECT seq AS integration_specific_id, IF(seq = 200000, SLEEP(30), "
    f"'{CANARY}') AS email FROM seq_1_to_300000",
}
ASLEEP = {
    "postgresql": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE wait_event = 'PgSleep' AND datname = current_database()",
    "mariadb": "SELECT id FROM information_schema.processlist WHERE state = 'User sleep'",
}


@pytest.mark.parametrize("way", BY_SERVER, indirect=True)
def test_a_connection_cut_in_the_middle_is_one_line(way: ChangeMethod) -> None:
    ends_at = time.monotonic() + 60
    with way.beside() as ask:

        def cut() -> None:
            while not (asleep := ask(ASLEEP[way.engine])) and time.monotonic() < ends_at:
                time.sleep(0.1)
            for [number] in asleep if way.engine == "mariadb" else ():
                ask(f"KILL {number}")

        cutter = threading.Thread(target=cut)
        cutter.start()
        error = reading(way.source({"list_accounts": SLOW[way.engine]}), way.workspace)
        cutter.join()
    assert type(error) is SourceIncompleteError, error
    assert str(error).startswith("list_accounts: the connection was lost before the last row (")
    assert re.search(r"(SQLSTATE|error) \w+.*\): run again$", str(error))


IN_A_LOGIN: dict[str, tuple[dict[str, Any], type[IngestError], str]] = {
    "an account that is not there": (
        {"username": "nobody_at_all", "password": Secret(env="X")},
        ConfigError,
        "the login is refused",
    ),
    "a database that is not there": (
        {"database": "no_such_thing"},
        ConfigError,
        "there is no such database",
    ),
    "a host that is not there": (
        {"host": "no.such.host.invalid"},
        SourceUnavailableError,
        "the host's name is not known",
    ),
    "a closed port": ({"port": 1}, SourceUnavailableError, "cannot be reached"),
}


@pytest.mark.parametrize("case", IN_A_LOGIN)
@pytest.mark.parametrize("way", BY_SERVER, indirect=True)
def test_a_server_that_does_not_let_us_in_is_named(case: str, way: ChangeMethod) -> None:
    changed, kind, said = IN_A_LOGIN[case]
    error = reading(way.source({"list_accounts": "SELECT 1"}, **changed), way.workspace, CANARY)
    assert type(error) is kind, error
    host = changed.get("host", "127.0.0.1")
    where = {"odbc": "source.dsn", "jdbc": f"jdbc:{way.engine}"}.get(way.name[-4:], host)
    assert re.match(rf"{where}[^ ]*: {said}.* \(.+\): check \w", str(error)), error


@pytest.mark.parametrize("way", ["postgresql", "mariadb"], indirect=True)
def test_a_server_without_tls_is_refused_where_it_was_asked_for(way: ChangeMethod) -> None:
    error = reading(way.source(ALL, tls={"mode": "unverified"}), way.workspace)
    assert type(error) is ConfigError
    assert "no secured connection: the server has none: tls: {mode: none}" in str(error)


@pytest.mark.parametrize("way", BY_SERVER[3:], indirect=True)
def test_a_wrong_password_is_one_line_and_is_not_repeated(way: ChangeMethod) -> None:
    source = way.source({"list_accounts": "SELECT 1"}, username=CLERK, password=Secret(env="X"))
    error = reading(source, way.workspace, CANARY)
    assert type(error) is ConfigError
    assert re.search(r"the login is refused \(.*error 1045.*\): check username, pass", str(error))


@pytest.mark.parametrize("case", ["a typo", "a missing label", "a statement that writes"])
@pytest.mark.parametrize("way", EVERY_WAY, indirect=True)
def test_a_look_finds_it_before_the_first_sync(case: str, way: ChangeMethod) -> None:
    asked = IN_A_QUERY[case]
    source = way.source({"list_accounts": str(asked.sql)})
    error = failed(
        lambda: probe_source(source, way.workspace, now=NOW, resolve=lambda _: SecretStr(""))
    )
    assert type(error) is asked.kind
    assert str(error).startswith("list_accounts: ")
    assert asked.advice in str(error)


@pytest.mark.parametrize("way", BY_SERVER, indirect=True)
def test_a_look_finds_two_columns_with_one_label(way: ChangeMethod) -> None:
    """MariaDB says so itself; SQLite and DuckDB rename the second, and only a sync can tell."""
    source = way.source({"list_accounts": str(IN_A_QUERY["two columns with one label"].sql)})
    error = failed(
        lambda: probe_source(source, way.workspace, now=NOW, resolve=lambda _: SecretStr(""))
    )
    assert type(error) is SourceFormatError
    assert re.match(r"list_accounts: .*(the label email: give|error 1060.*: correct) ", str(error))


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "app.db").write_text(CANARY * 500)
    error = reading(SqlSource(kind="sql", url="sqlite:///app.db", queries=ALL), tmp_path)
    assert type(error) is ConfigError
    assert "app.db" in str(error)
    error = reading(SqlSource(kind="sql", url="sqlite:///none.db", queries=ALL), tmp_path)
    assert str(error) == "source.url: none.db: no such file: check the path"


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
    error = reading(SqlSource(kind="sql", url=url, queries=ALL), tmp_path)
    assert type(error) is SourceFormatError
    assert "list_accounts: refused (SQLSTATE 22021): a text in the rows is not valid" in str(error)
