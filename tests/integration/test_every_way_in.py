"""The same rows and the same text by a database's own driver, through ODBC and through JDBC.

The servers are set up badly: they live in another zone, and cut off what is long.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest
from sqlalchemy import make_url

from extractors.read import probe_source, read_privileges, read_source
from extractors.sql.connect.connect import open_session
from extractors.sql.drivers.mysql import PymysqlSession
from extractors.sql.statements.statement import Statement
from schemas.errors import ConfigError, SourceFormatError, SourceIncompleteError
from schemas.source_file.columns import Named
from schemas.source_file.kinds.sql_source import DatabaseOptions, SqlSource
from schemas.source_file.secrets import no_secrets
from schemas.tables import ROW
from tests.logging_in import error_of, way_in

pytest_plugins = ["tests.postgresql_server", "tests.mariadb_server"]
pytestmark = pytest.mark.xdist_group("every_way_in")

NOW = datetime(2026, 1, 2, tzinfo=UTC)

Ways = dict[str, dict[str, Any]]
"""What a source says to read one and the same database, by the name of the way in."""

WAYS = ["native", "odbc", "jdbc"]
every_way = pytest.mark.parametrize("way", WAYS)


_POSTGRESQL = """CREATE DOMAIN moment AS timestamptz;
CREATE DOMAIN last_moment AS moment;
CREATE DOMAIN tags AS text[];
CREATE ROLE reader LOGIN;
CREATE TABLE forbidden AS SELECT 1 AS integration_specific_id;
CREATE TABLE policed AS SELECT 1 AS integration_specific_id, 'mine' AS team;
INSERT INTO policed VALUES (2, 'theirs');
ALTER TABLE policed ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON policed USING (team = 'mine');
GRANT SELECT ON policed TO reader"""


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Ways]:
    from tests.postgresql_server import running_postgresql

    options = {"timezone": "America/New_York", "intervalstyle": "sql_standard"}
    with running_postgresql(options) as server:
        with psycopg.connect(server.inside) as connection:
            connection.execute(_POSTGRESQL)
        yield {way: way_in("postgresql", way, server.port, "postgres") for way in WAYS}


@pytest.fixture(scope="module")
def mariadb() -> Iterator[Ways]:
    from tests.mariadb_server import running_mariadb

    options = {
        "default-time-zone": "-05:00",
        "group-concat-max-len": 12,
        "max-error-count": 3,
        "sql-mode": "",
    }
    with running_mariadb(options) as server:
        with server.inside() as connection, connection.cursor() as cursor:
            for statement in re.split(r";\n(?=\w)", _MARIADB):
                cursor.execute(statement)
        yield {way: way_in("mariadb", way, server.port, "app") for way in WAYS}


def read(options: dict[str, Any], workspace: Path, sql: str, **more: Any) -> list[dict[str, Any]]:
    source = SqlSource(kind="sql", queries={"list_accounts": sql}, **options, **more)
    found = read_source(source, workspace, now=NOW)
    return found.accounts.rows.drop(ROW).to_dicts()


POSTGRESQLS = {
    "12345678901234567890::numeric": "12345678901234567890",
    "1.50::numeric": "1.5",
    "'Infinity'::numeric": "Infinity",
    "1e22::float8": "10000000000000000000000",
    "0.1::real": "0.1",
    "'NaN'::float8": "NaN",
    "true": "true",
    "B'1'": "1",
    r"'\x00FF'::bytea": "00ff",
    "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    "'2026-01-02'::date": "2026-01-02",
    "'infinity'::date": "infinity",
    "'0044-03-15 BC'::date": "0044-03-15 BC",
    "'12000-01-01'::date": "12000-01-01",
    "'24:00:00'::time": "24:00:00",
    "'2026-07-02 03:04:05+02'::timestamptz": "2026-07-02T01:04:05Z",
    "'2026-07-02 03:04:05+02'::moment": "2026-07-02T01:04:05Z",
    "'2026-07-02 03:04:05+02'::last_moment": "2026-07-02T01:04:05Z",
    "'infinity'::timestamptz": "infinity",
    "'-infinity'::timestamp": "-infinity",
    "interval '1 day 2 hours'": "P1DT2H",
    """'{"b": 1.0, "a": "é"}'::json""": '{"a":"é","b":1.0}',
    "ARRAY['a,b', NULL, '']": '["a,b",null,""]',
    "ARRAY['a']::tags": '["a"]',
    "ARRAY['2026-07-02 03:04:05+02'::timestamptz]": '["2026-07-02T01:04:05Z"]',
    "'1 2'::int2vector": "1 2",
    "'ab'::char(4)": "ab  ",
    "'10.0.0.1'::inet": "10.0.0.1",
    "12.5::money": "$12.50",
    "NULL::date": None,
    "''": "",
}


@every_way
@pytest.mark.parametrize("zone", [None, "Europe/Paris"])
def test_postgresqls_values(zone: str | None, way: str, postgresql: Ways, tmp_path: Path) -> None:
    columns = ", ".join(f"{value} AS v{number}" for number, value in enumerate(POSTGRESQLS))
    local = "'2026-07-02 03:04:05.120'::timestamp AS local"
    sql = f"SELECT 1 AS integration_specific_id, {local}, {columns} -- all"
    [row] = read(postgresql[way], tmp_path, sql, timezone=zone)
    texts = dict(zip(POSTGRESQLS, [row[f"v{n}"] for n in range(len(POSTGRESQLS))], strict=True))
    assert texts == POSTGRESQLS
    assert row["local"] == ("2026-07-02T01:04:05.12Z" if zone else "2026-07-02T03:04:05.12")


_MARIADB = """SET GLOBAL sql_select_limit = 2;
CREATE DATABASE app;
USE app;
SET time_zone = '+00:00';
CREATE TABLE one (moment TIMESTAMP, at DATETIME(6), yes BIT(1), bits BIT(8), tiny TINYINT(1),
    no BIT(1), natural_ INT UNSIGNED, big BIGINT UNSIGNED, money DECIMAL(9, 2), short FLOAT,
    wide DOUBLE, y YEAR, day DATE, zeros DATE, no_day DATETIME, wait TIME, before_ TIME(6),
    letter ENUM('a', 'b'), text VARCHAR(20) CHARACTER SET utf8mb4, raw VARBINARY(4), id UUID,
    nothing INT);
INSERT INTO one VALUES ('2026-07-02 03:04:05', '2026-07-02 03:04:05.12', b'1', b'1010', 7,
    b'0', 4294967295, 18446744073709551615, 1.50, 0.1, 1e22, 2020, '2026-01-02', '0000-00-00',
    '0000-00-00', '26:03:04', '-01:02:03.5', 'b', 'ä😀', x'00FF',
    'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', NULL);
CREATE TABLE unsafe (id INT) ENGINE = MyISAM;
CREATE PROCEDURE two() BEGIN SELECT 1 AS integration_specific_id;
    SELECT 2 AS integration_specific_id; END;
CREATE PROCEDURE bad() BEGIN SELECT 1 AS integration_specific_id;
    SIGNAL SQLSTATE '45000'; END;
CREATE PROCEDURE good() SELECT 1 AS integration_specific_id UNION ALL SELECT 2"""

MARIADBS = {
    "moment": "2026-07-02T03:04:05Z",
    "at": "2026-07-02T03:04:05.12",
    "yes": "true",
    "(SELECT MAX(yes) FROM one)": "true",
    "no": "false",
    "(SELECT MAX(no) FROM one)": "false",
    "natural_": "4294967295",
    "bits": "0a",
    "tiny": "7",
    "big": "18446744073709551615",
    "money": "1.5",
    "short": "0.1",
    "wide": "10000000000000000000000",
    "y": "2020",
    "day": "2026-01-02",
    "zeros": "0000-00-00",
    "no_day": "0000-00-00 00:00:00",
    "wait": "26:03:04",
    "before_": "-01:02:03.5",
    "letter": "b",
    "text": "ä😀",
    "raw": "00ff",
    "id": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    "nothing": None,
}
OF_THE_DRIVER = {
    # pyodbc does not say which times are moments; they come in `timezone`, or in UTC.
    "odbc": {"moment": "2026-07-02T03:04:05"},
    # Java's has no such days, and says NULL.
    "jdbc": {"zeros": None, "no_day": None},
}


@every_way
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_mariadbs_values(zone: str | None, way: str, mariadb: Ways, tmp_path: Path) -> None:
    columns = ", ".join(f"{value} AS v{number}" for number, value in enumerate(MARIADBS))
    sql = f"SELECT 1 AS integration_specific_id, {columns} FROM one"
    [row] = read(mariadb[way], tmp_path, sql, timezone=zone)
    texts = dict(zip(MARIADBS, [row[f"v{n}"] for n in range(len(MARIADBS))], strict=True))
    zoned = {"at": "2026-07-02T03:04:05.12Z", "moment": "2026-07-02T03:04:05Z"}
    expected = MARIADBS | OF_THE_DRIVER.get(way, {}) | (zoned if zone else {})
    assert texts == expected


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_mariadbs_text_is_the_same_a_column_and_a_cell_at_a_time(
    zone: str | None, mariadb: Ways, tmp_path: Path
) -> None:
    columns = ", ".join(f"{value} AS v{number}" for number, value in enumerate(MARIADBS))
    nulls = ", ".join("NULL" for _ in MARIADBS)
    sql = f"SELECT {columns} FROM one UNION ALL SELECT {nulls} UNION ALL SELECT {columns} FROM one"
    options = DatabaseOptions(**mariadb["native"], timezone=zone)
    statement = Statement("list_accounts", "list_accounts", (sql,), is_query=True)
    with open_session(options, tmp_path, no_secrets) as session:
        assert isinstance(session, PymysqlSession)
        fast, slow = session.read(statement), session.read_by_cursor(statement, {})
    assert fast.labels == slow.labels
    assert fast.rows.height == 3
    assert fast.rows.equals(slow.rows)


@every_way
def test_a_zone_that_mariadb_does_not_know_is_one_line(
    way: str, mariadb: Ways, tmp_path: Path
) -> None:
    error = error_of(mariadb[way] | {"timezone": "Europe/Paris"}, tmp_path)
    assert type(error) is SourceFormatError
    assert "mysql_tzinfo_to_sql" in str(error)


@every_way
def test_no_limit_of_mariadbs_shortens_a_result(way: str, mariadb: Ways, tmp_path: Path) -> None:
    sql = (
        "SELECT seq AS integration_specific_id, (SELECT GROUP_CONCAT(seq) FROM seq_1_to_9000) "
        "AS email FROM seq_1_to_50"
    )
    found = read(mariadb[way], tmp_path, sql)
    assert len(found) == 50
    assert {row["email"] for row in found} == {",".join(map(str, range(1, 9001)))}


CUT = {
    "a value, after many other warnings": (
        "SELECT seq AS integration_specific_id, seq + 'ab' AS email, IF(seq = 99, REPEAT('x', "
        "2000000000), '') AS long_text FROM seq_1_to_99"
    ),
    "the rows": "SELECT seq AS integration_specific_id FROM seq_1_to_99 LIMIT ROWS EXAMINED 10",
}


@every_way
@pytest.mark.parametrize("sql", CUT.values(), ids=list(CUT))
def test_what_mariadb_cuts_short_is_an_error(
    sql: str, way: str, mariadb: Ways, tmp_path: Path
) -> None:
    error = error_of(mariadb[way] | {"queries": {"list_accounts": sql}}, tmp_path)
    assert type(error) is SourceIncompleteError
    assert "cut short" in str(error)


@every_way
@pytest.mark.parametrize("name", ["two", "bad"])
def test_a_procedure_returns_one_result_and_no_error_after_it(
    name: str, way: str, mariadb: Ways, tmp_path: Path
) -> None:
    allowed = mariadb[way] | {"allow_procedures": True}
    assert len(read(allowed, tmp_path, "CALL good()")) == 2
    error = error_of(allowed | {"queries": {"list_accounts": f"CALL {name}()"}}, tmp_path)
    assert ("more than one result" if name == "two" else "45000") in str(error)


@every_way
def test_rows_that_a_policy_hides_are_an_error_and_so_is_a_table_without_rights(
    way: str, postgresql: Ways, tmp_path: Path
) -> None:
    options = postgresql[way] | {"username": "reader"}
    hidden = {"queries": {"list_accounts": "SELECT * FROM policed"}}
    error = error_of(options | hidden, tmp_path)
    assert "42501" in str(error)
    assert "every row of it" in str(error)
    forbidden = SqlSource(
        kind="sql", **options, queries={"list_accounts": "SELECT * FROM forbidden"}
    )
    with pytest.raises(SourceFormatError, match="42501"):
        probe_source(forbidden, tmp_path, now=NOW)


@every_way
@pytest.mark.parametrize("engine", ["postgresql", "mariadb"])
def test_what_is_written_between_two_queries_is_in_neither(
    engine: str, way: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    ways: Ways = request.getfixturevalue(engine)
    count = Statement("n", "n", ("SELECT count(*) AS n FROM grows",), is_query=True)
    with _writer(ways["native"]["url"]) as write:
        write("DROP TABLE IF EXISTS grows")
        write("CREATE TABLE grows (n INT)")
        with open_session(DatabaseOptions(**ways[way]), tmp_path, no_secrets) as session:
            before = session.read(count).rows.item()
            write("INSERT INTO grows VALUES (1)")
            assert (before, session.read(count).rows.item()) == ("0", "0")


@pytest.mark.parametrize("engine", ["postgresql", "mariadb"])
def test_what_the_account_could_write_is_told_alike(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    ways: Ways = request.getfixturevalue(engine)
    sql = {"list_accounts": "SELECT 1 AS integration_specific_id"}
    told = [
        read_privileges(SqlSource(kind="sql", queries=sql, **ways[way]), tmp_path) for way in WAYS
    ]
    assert told[0]
    assert told[0] == told[1] == told[2]


@contextmanager
def _writer(url: str) -> Iterator[Callable[[str], object]]:
    """Runs statements as the superuser, each committed at once."""
    where = make_url(url)
    if where.drivername == "postgresql":
        with psycopg.connect(
            host=where.host, port=where.port, dbname=where.database, user="postgres",
            autocommit=True,
        ) as connection:  # fmt: skip
            yield lambda sql: connection.execute(sql.encode())
    else:
        with (
            pymysql.connect(
                host=where.host, port=where.port or 0, database=where.database, user="root",
                autocommit=True,
            ) as connection,
            connection.cursor() as cursor,
        ):  # fmt: skip
            yield cursor.execute


_LOADS = {
    "truncated": "TRUNCATE loaded; INSERT INTO loaded VALUES ('1'), ('2')",
    "swapped": "DROP TABLE loaded; CREATE TABLE loaded AS SELECT '1' AS id",
    "renamed": "INSERT INTO fresh VALUES ('1'); DROP TABLE loaded; "
    "ALTER TABLE fresh RENAME TO loaded",
    "retyped": "ALTER TABLE loaded ALTER id TYPE varchar(9)",
}


@every_way
@pytest.mark.parametrize("load", _LOADS)
def test_a_table_that_is_loaded_anew_while_it_is_read_is_not_taken_for_empty(
    load: str, way: str, postgresql: Ways, tmp_path: Path
) -> None:
    """An older snapshot sees no row of a table that was emptied since: no old and no new one."""
    with _writer(postgresql["native"]["url"]) as execute:
        execute("DROP TABLE IF EXISTS loaded, fresh; CREATE TABLE loaded AS SELECT '1' AS id")
        execute("CREATE TABLE fresh AS TABLE loaded WITH NO DATA")
        options = DatabaseOptions(**postgresql[way])
        statement = Statement("q", "q", ("SELECT id FROM loaded",), is_query=True)
        with open_session(options, tmp_path, no_secrets) as session:
            session.read(Statement("one", "one", ("SELECT 1 AS one",), is_query=True))
            execute(_LOADS[load])
            with pytest.raises(SourceIncompleteError, match=r"^q: a table was emptied"):
                session.read(statement)
        with open_session(options, tmp_path, no_secrets) as session:
            assert session.read(statement).rows.height
            execute("CREATE TABLE IF NOT EXISTS another (id text)")
            assert session.read(statement).rows.height


@every_way
def test_a_table_that_mariadb_loads_anew_while_it_is_read_ends_the_run(
    way: str, mariadb: Ways, tmp_path: Path
) -> None:
    with _writer(mariadb["native"]["url"]) as execute:
        execute("CREATE OR REPLACE TABLE loaded (id INT) ENGINE = InnoDB")
        execute("INSERT INTO loaded VALUES (1)")
        with open_session(DatabaseOptions(**mariadb[way]), tmp_path, no_secrets) as session:
            session.read(Statement("one", "one", ("SELECT yes FROM one",), is_query=True))
            execute("TRUNCATE loaded")
            with pytest.raises(SourceIncompleteError, match=r"^q: ended by .*1412.*: run again"):
                session.read(Statement("q", "q", ("SELECT id FROM loaded",), is_query=True))


@pytest.mark.parametrize("way", ["odbc", "jdbc"])
def test_an_operator_that_a_driver_takes_for_a_place_is_told(
    way: str, postgresql: Ways, tmp_path: Path
) -> None:
    sql = "SELECT '?' AS integration_specific_id WHERE '{\"a\": 1}'::jsonb ? 'a'"
    with pytest.raises(ConfigError, match=r"^list_accounts: through ODBC and JDBC"):
        read(postgresql[way], tmp_path, sql)
    assert read(postgresql["native"], tmp_path, sql) == [{"integration_specific_id": "?"}]
    named = sql.replace("'::jsonb ? 'a'", "'::jsonb IS NOT NULL")
    assert read(postgresql[way], tmp_path, named) == [{"integration_specific_id": "?"}]


def test_tables_that_no_snapshot_holds_are_told(mariadb: Ways, tmp_path: Path) -> None:
    sql = {"list_accounts": "SELECT 1 AS integration_specific_id"}
    found = read_source(SqlSource(kind="sql", queries=sql, **mariadb["native"]), tmp_path, now=NOW)
    assert [one for one in found.warnings if "1 tables are kept by an engine without" in one]


def test_a_partitions_column_is_looked_for_before_a_row_is_read(
    mariadb: Ways, tmp_path: Path
) -> None:
    query = {
        "sql": "SELECT 1 AS integration_specific_id FROM one",
        "partition": {"column": "n", "parts": 2},
    }
    source = SqlSource(kind="sql", queries={"list_accounts": query}, **mariadb["native"])
    with pytest.raises(ConfigError, match="no column n"):
        probe_source(source, tmp_path, now=NOW)


def test_the_newest_login_finds_the_id_whatever_its_column(mariadb: Ways, tmp_path: Path) -> None:
    queries = {
        "list_accounts": "SELECT 1 AS employee",
        "get_last_activity": "SELECT 1 AS account_id, 'last_login' AS event_type, "
        "'2026-01-01T00:00:00Z' AS happened_at",
    }
    found = read_source(
        SqlSource(kind="sql", queries=queries, **mariadb["native"]),
        tmp_path,
        now=NOW,
        named=Named(frozenset({"employee"})),
        id_columns={"accounts": "employee"},
    )
    assert found.accounts.rows["last_login"].to_list() == ["2026-01-01T00:00:00Z"]
