"""Reading over real JDBC drivers: PostgreSQL, MariaDB, and H2 in three other databases' dress."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from extractors.read import read_source
from extractors.sql.drivers.jdbc.process import open_jdbc
from extractors.sql.drivers.jdbc.program import JdbcSettings
from schemas.errors import (
    ConfigError,
    IngestError,
    SourceFormatError,
    SourceIncompleteError,
    SourceUnavailableError,
)
from schemas.source_file.kinds.sql_source import SqlSource
from schemas.source_file.secrets import no_secrets
from schemas.tables import ROW

pytest_plugins = ["tests.postgresql_server", "tests.mariadb_server"]

NOW = datetime(2026, 1, 2, tzinfo=UTC)
_CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_ASLEEP = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
)
_JARS = Path("/usr/share/java")
_DEBIAN = {
    "postgresql.jar": "libpostgresql-jdbc-java",
    "mariadb-java-client.jar": "libmariadb-java",
    "h2.jar": "libh2-java",
    "hsqldb.jar": "libhsqldb-java",
    "derby.jar": "libderby-java",
    "sqlite-jdbc.jar": "libxerial-sqlite-jdbc-java",
}


def _jar(name: str) -> tuple[Path]:
    missing = [] if (_JARS / name).is_file() else [f"{name} (Debian: {_DEBIAN[name]})"]
    missing += [] if shutil.which("java") else ["java (Debian: default-jre-headless)"]
    if missing and os.environ.get("CI"):
        pytest.fail(f"missing: {', '.join(missing)}")
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}")
    return (_JARS / name,)


@pytest.fixture
def postgresql(new_database: Callable[[], str]) -> JdbcSettings:
    url = make_url(new_database())
    return JdbcSettings(
        f"jdbc:postgresql://127.0.0.1:{url.port}/{url.database}", _jar("postgresql.jar"), "postgres"
    )


@pytest.fixture
def mariadb(new_mariadb_database: Callable[[], str]) -> JdbcSettings:
    url = make_url(new_mariadb_database())
    return JdbcSettings(
        f"jdbc:mariadb://127.0.0.1:{url.port}/{url.database}",
        _jar("mariadb-java-client.jar"),
        "root",
    )


def _h2(mode: str = "REGULAR") -> JdbcSettings:
    return JdbcSettings(f"jdbc:h2:mem:x;MODE={mode}", _jar("h2.jar"), "sa", SecretStr(""))


def _postgres(settings: JdbcSettings) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(settings.url.removeprefix("jdbc:"), user="postgres", autocommit=True)


def test_postgresql_values_become_text_once_and_exactly(postgresql: JdbcSettings) -> None:
    sql = """
        SELECT 7::bigint AS id, 12::numeric(10,0) AS whole, 1e30::numeric AS large,
               0.00001::numeric AS small, 3::float8 AS "float", 1e-7::float8 AS tiny,
               true AS yes, false AS no, '\\x00ff10'::bytea AS bytes,
               'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid AS uuid,
               timestamptz '2024-03-31 03:30:00.5+02' AS zoned,
               timestamp '2024-03-31 02:30:00' AS local, date '0099-02-28' AS day,
               'infinity'::timestamptz AS forever, 'x '::char(4) AS padded, ''::text AS empty,
               NULL::text AS missing, ARRAY['a','b'] AS list, '10:20'::time AS hour,
               'NaN'::numeric AS nan, '{"a": 1}'::jsonb AS document
    """
    with open_jdbc(postgresql) as reader:
        rows = reader.read("list_accounts", sql)
    assert rows.to_dicts() == [
        {
            "id": "7",
            "whole": "12",
            "large": "1" + "0" * 30,
            "small": "0.00001",
            "float": "3",
            "tiny": "0.0000001",
            "yes": "true",
            "no": "false",
            "bytes": "00ff10",
            "uuid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            "zoned": "2024-03-31T01:30:00.5Z",
            "local": "2024-03-31T02:30:00",
            "day": "0099-02-28",
            "forever": "infinity",
            "padded": "x   ",
            "empty": "",
            "missing": None,
            "list": "{a,b}",
            "hour": "10:20:00",
            "nan": "NaN",
            "document": '{"a": 1}',
        }
    ]


def test_a_stated_zone_places_times_that_carry_none(postgresql: JdbcSettings) -> None:
    sql = """
        SELECT timestamp '2024-07-01 12:00:00' AS summer, timestamp '2024-03-31 02:30' AS never,
               timestamp '2024-10-27 02:30' AS twice, timestamptz '2024-07-01 12:00+00' AS zoned
    """
    with open_jdbc(replace(postgresql, zone="Europe/Paris")) as reader:
        rows = reader.read("list_accounts", sql)
    assert rows.row(0) == (
        "2024-07-01T10:00:00Z",
        "2024-03-31T02:30:00 Europe/Paris",
        "2024-10-27T00:30:00Z",
        "2024-07-01T12:00:00Z",
    )


def _odd_texts() -> list[str]:
    every = [chr(code) for code in range(1, 0x180)]
    return [
        *every,
        "".join(every),
        'a,b\r\n"c"\n',
        "\u2028\u2029\ufeff\u0085",
        "👩‍👩‍👧 e\u0301",
        '""',
        " ",
        "\\N",
        "NULL",
    ]


def test_any_character_survives_and_null_is_not_an_empty_text(postgresql: JdbcSettings) -> None:
    texts: list[str | None] = [*_odd_texts(), "", None]
    with _postgres(postgresql) as connection:
        connection.execute("CREATE TABLE t (n int, v text)")
        connection.cursor().executemany("INSERT INTO t VALUES (%s, %s)", list(enumerate(texts)))
    with open_jdbc(postgresql) as reader:
        assert reader.read("q", "SELECT v FROM t ORDER BY n")["v"].to_list() == texts
        alone = reader.read("q", "SELECT v FROM t WHERE v IS NULL OR v = '' ORDER BY n")
    assert alone["v"].to_list() == ["", None]


def test_many_batches_arrive_whole_and_in_order(postgresql: JdbcSettings) -> None:
    with open_jdbc(replace(postgresql, fetch_rows=777)) as reader:
        rows = reader.read("q", "SELECT n, repeat('é', 60) AS v FROM generate_series(1, 200000) n")
    assert rows.height == 200_000
    assert rows["n"].to_list() == [str(n) for n in range(1, 200_001)]
    assert set(rows["v"]) == {"é" * 60}


def test_all_queries_see_one_snapshot_in_a_transaction_that_only_reads(
    postgresql: JdbcSettings,
) -> None:
    with _postgres(postgresql) as connection:
        connection.execute("CREATE TABLE t (n int)")
        with open_jdbc(postgresql) as reader:
            assert reader.isolation == "repeatable read"
            assert reader.is_read_only
            assert reader.read("a", "SELECT * FROM t").height == 0
            connection.execute("INSERT INTO t VALUES (1)")
            assert reader.read("b", "SELECT * FROM t").height == 0
            assert reader.column_types("b") == ("int4",)
            with pytest.raises(ConfigError, match=r"c: refused .*25006\): only reads"):
                reader.read("c", "INSERT INTO t VALUES (2) RETURNING n")
        assert connection.execute("SELECT n FROM t").fetchall() == [(1,)]


@pytest.mark.parametrize("zone", [None, "Europe/Paris"])
def test_a_moment_is_bound_for_columns_with_and_without_a_zone(
    postgresql: JdbcSettings, zone: str | None
) -> None:
    since = datetime(2024, 7, 1, 10, 0, 0, 250, tzinfo=UTC)
    local = "2024-07-01 12:00:00.000250" if zone else "2024-07-01 10:00:00.000250"
    sql = f"""
        SELECT t.z >= ? AS zoned, t.l >= ? AS local, t.z > ? AS later, t.l > ? AS l2, ? AS text
        FROM (SELECT timestamptz '2024-07-01 10:00:00.000250Z' z, timestamp '{local}' l) t
    """
    with open_jdbc(replace(postgresql, zone=zone)) as reader:
        rows = reader.read("q", sql, [("timestamp", since)] * 4 + [("text", "a'b ? {x}")])
    assert rows.row(0) == ("true", "true", "false", "false", "a'b ? {x}")


def test_mariadb_values_become_text_once_and_exactly(mariadb: JdbcSettings) -> None:
    sql = """
        SELECT CAST(18446744073709551615 AS UNSIGNED) AS id, CAST(1.50 AS DECIMAL(10,2)) AS price,
               CAST(3 AS DOUBLE) AS `float`, 1e30 AS large, x'00FF' AS bytes,
               '' AS empty, NULL AS missing,
               TIMESTAMP '2024-03-31 02:30:00.000125' AS local, DATE '0099-02-28' AS day,
               CAST('40:00:00' AS TIME) AS duration, b'101' AS bits, 'é👩‍👧\\0\\r\\n' AS text,
               REPEAT('x', 200000) AS long_text
    """
    with open_jdbc(mariadb) as reader:
        rows = reader.read("list_accounts", sql)
    assert rows.to_dicts() == [
        {
            "id": "18446744073709551615",
            "price": "1.50",
            "float": "3",
            "large": "1" + "0" * 30,
            "bytes": "00ff",
            "empty": "",
            "missing": None,
            "local": "2024-03-31T02:30:00.000125",
            "day": "0099-02-28",
            "duration": "40:00:00",
            "bits": "05",
            "text": "é👩‍👧\0\r\n",
            "long_text": "x" * 200_000,
        }
    ]


def test_mariadb_is_one_snapshot_and_only_read(mariadb: JdbcSettings, mariadb_server: str) -> None:
    import pymysql

    url = make_url(mariadb.url.removeprefix("jdbc:"))
    with pymysql.connect(
        host="127.0.0.1", port=url.port or 0, user="root", database=url.database, autocommit=True
    ) as connection:
        connection.cursor().execute("CREATE TABLE t (n INT)")
        with open_jdbc(mariadb) as reader:
            assert reader.read("a", "SELECT * FROM t").height == 0
            connection.cursor().execute("INSERT INTO t VALUES (1)")
            assert reader.read("b", "SELECT * FROM t").height == 0
            with pytest.raises(ConfigError, match=r"c: refused .*error 1792\): only reads"):
                reader.read("c", "INSERT INTO t VALUES (2)")


def test_a_procedure_may_stand_in_a_query_s_place(mariadb: JdbcSettings) -> None:
    import pymysql

    url = make_url(mariadb.url.removeprefix("jdbc:"))
    with pymysql.connect(
        host="127.0.0.1", port=url.port or 0, user="root", database=url.database, autocommit=True
    ) as connection:
        connection.cursor().execute(
            "CREATE PROCEDURE accounts() BEGIN SELECT 1 AS id UNION ALL SELECT 2; END"
        )
    with open_jdbc(mariadb) as reader:
        assert reader.read("list_accounts", "CALL accounts()")["id"].to_list() == ["1", "2"]


@pytest.mark.parametrize(
    ("mode", "sql", "expected"),
    [
        (
            "Oracle",
            (
                "SELECT CAST(12 AS NUMBER(10)) AS n, CAST('x' AS CHAR(3)) AS c, "
                "CAST('é' AS CLOB) AS l, CAST('2024-01-02 03:04:05' AS DATE) AS d, "
                "TRUE AS g FROM DUAL"
            ),
            ("12", "x  ", "é", "2024-01-02T03:04:05", "true"),
        ),
        (
            "DB2",
            (
                "SELECT CAST(12.50 AS DECFLOAT(10)) AS n, CAST('x' AS CHAR(3)) AS c, "
                "CAST('é' AS CLOB) AS l, TIMESTAMP '2024-01-02 03:04:05' AS d, "
                "TRUE AS g FROM SYSIBM.SYSDUMMY1 FETCH FIRST 1 ROW ONLY"
            ),
            ("12.5", "x  ", "é", "2024-01-02T03:04:05", "true"),
        ),
        (
            "MSSQLServer",
            (
                "SELECT TOP 1 CAST(12 AS MONEY) AS n, CAST('x' AS CHAR(3)) AS c, "
                "CAST('é' AS NTEXT) AS l, CAST('2024-01-02 03:04:05' AS DATETIME2) AS d, "
                "CAST(1 AS BIT) AS [G]"
            ),
            ("12.0000", "x  ", "é", "2024-01-02T03:04:05", "true"),
        ),
    ],
)
def test_h2_in_the_dress_of_another_database(
    mode: str, sql: str, expected: tuple[str, ...]
) -> None:
    with open_jdbc(_h2(mode)) as reader:
        rows = reader.read("list_accounts", sql)
        assert reader.product.startswith("H2 ")
    assert rows.columns == ["N", "C", "L", "D", "G"]
    assert rows.row(0) == expected


def test_h2_values_become_text_once_and_exactly() -> None:
    sql = """
        SELECT CAST(0.1 AS REAL) AS r, CAST('a0EEbc99-9c0b-4ef8-bb6d-6bb9bd380a11' AS UUID) AS u,
               CAST(X'00FF' AS BLOB) AS b, CAST(NULL AS CLOB) AS c,
               TIMESTAMP WITH TIME ZONE '2024-01-01 00:30:00+02' AS z,
               TIMESTAMP '1500-02-28 00:00:00.123456789' AS t,
               CAST(REPEAT('é', 300000) AS CLOB) AS l
    """
    with open_jdbc(_h2()) as reader:
        row = reader.read("q", sql).row(0)
    assert row == (
        "0.1",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "00ff",
        None,
        "2023-12-31T22:30:00Z",
        "1500-02-28T00:00:00.123456789",
        "é" * 300_000,
    )


def test_h2s_documents_and_arrays_are_json(tmp_path: Path) -> None:
    sql = """SELECT JSON '{"b": 1.50, "a": "é"}' AS j, ARRAY['x, y', NULL, 'q"\\'] AS texts,
        ARRAY[1.50, 2] AS numbers, ARRAY[ARRAY[TRUE], ARRAY[FALSE, NULL]] AS truths,
        ARRAY[TIMESTAMP '2026-01-02 03:04:05'] AS times, CAST(NULL AS INTEGER ARRAY) AS none"""
    source = SqlSource(
        kind="sql", url="jdbc:h2:mem:j", jars=(str(_jar("h2.jar")[0]),), username="sa",
        queries={"list_accounts": f"SELECT '7' AS integration_specific_id, v.* FROM ({sql}) v"},
    )  # fmt: skip
    raw = read_source(source, tmp_path, now=NOW, resolve=no_secrets)
    assert raw.accounts.rows.drop(ROW).row(0) == (
        "7", '{"a":"é","b":1.50}', '["x, y",null,"q\\"\\\\"]', "[1.5,2]",
        "[[true],[false,null]]", '["2026-01-02T03:04:05"]', None,
    )  # fmt: skip


def test_hsqldbs_bits_are_all_told() -> None:
    settings = JdbcSettings("jdbc:hsqldb:mem:x", _jar("hsqldb.jar"), "SA", SecretStr(""))
    sql = """SELECT B'101' AS a, B'100' AS b, B'1' AS c, B'0' AS d,
        CAST(B'0110' AS BIT VARYING(8)) AS e FROM (VALUES(1)) v"""
    with open_jdbc(settings) as reader:
        assert reader.read("q", sql).row(0) == ("101", "100", "true", "false", "0110")


def test_a_driver_that_knows_no_java_time_hands_over_its_times_all_the_same(
    tmp_path: Path,
) -> None:
    """Derby's before 10.15; what it cannot read is still an error, and no value is made up."""
    settings = JdbcSettings(
        f"jdbc:derby:{tmp_path}/d;create=true", _jar("derby.jar"), zone="Europe/Paris"
    )
    times = "TIMESTAMP('2026-07-01 03:04:05.120'), DATE('2026-01-02'), TIME('03:04:05')"
    none = "CAST(NULL AS TIMESTAMP), CAST(NULL AS DATE), CAST(NULL AS TIME)"
    sql = f"SELECT * FROM (VALUES ({times}), ({none})) AS v(t, d, c)"
    with open_jdbc(settings) as reader:
        rows = reader.read("q", sql).rows()
    assert rows == [("2026-07-01T01:04:05.12Z", "2026-01-02", "03:04:05"), (None, None, None)]
    settings = replace(settings, url=f"jdbc:derby:{tmp_path}/d")
    assert "refused" in str(_problem(settings, "SELECT TIMESTAMP('x') FROM (VALUES 1) v"))


@pytest.mark.parametrize(
    ("jar", "url", "user"),
    [("h2.jar", "jdbc:h2:{}/slip", "sa"), ("hsqldb.jar", "jdbc:hsqldb:file:{}/slip", "SA")],
)
def test_a_slip_in_a_path_makes_no_database(jar: str, url: str, user: str, tmp_path: Path) -> None:
    source = SqlSource(
        kind="sql", url=url.format(tmp_path), jars=(str(_jar(jar)[0]),), username=user,
        queries={"list_accounts": "SELECT 7 AS integration_specific_id FROM (VALUES(1)) v"},
    )  # fmt: skip
    with pytest.raises(IngestError):
        read_source(source, tmp_path, now=NOW, resolve=no_secrets)
    assert list(tmp_path.iterdir()) == []


def test_a_driver_that_refuses_to_be_read_only_once_connected_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "x.db").touch()
    settings = JdbcSettings(f"jdbc:sqlite:{tmp_path}/x.db", _jar("sqlite-jdbc.jar"))
    with open_jdbc(settings) as reader:
        assert reader.read("q", "SELECT 1 AS n").rows() == [("1",)]
        assert reader.refuses_read_only
    with open_jdbc(_h2()) as reader:
        assert not reader.refuses_read_only


@pytest.mark.parametrize("database", ["sqlite", "duckdb"])
def test_a_file_that_python_reads_itself_is_read_without_java(
    database: str, tmp_path: Path
) -> None:
    source = SqlSource(
        kind="sql", driver="jdbc", url=f"jdbc:{database}:x.db", jars=("x.jar",),
        queries={"list_accounts": "SELECT 1"},
    )  # fmt: skip
    with pytest.raises(ConfigError, match=rf"^source\.driver: .*{database}:///PATH"):
        read_source(source, tmp_path, now=NOW, resolve=no_secrets)


def test_h2_over_tcp_answers_with_its_rows(tmp_path: Path) -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    jar = _jar("h2.jar")[0]
    words = ["-tcp", "-tcpPort", str(port), "-ifNotExists", "-baseDir", str(tmp_path)]
    server = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "java", "-cp", jar, "org.h2.tools.Server", *words],
        stdout=subprocess.DEVNULL,
    )
    try:
        ends_at = time.monotonic() + 60
        while server.poll() is None and time.monotonic() < ends_at:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        url = f"jdbc:h2:tcp://127.0.0.1:{port}/db;MODE=Oracle"
        with open_jdbc(JdbcSettings(url, (jar,), "sa", SecretStr("s3cret"))) as reader:
            assert reader.read("q", "SELECT 1 AS id FROM DUAL").rows() == [("1",)]
        with (
            pytest.raises(ConfigError, match=r"jdbc:h2: the login is refused .*28000"),
            open_jdbc(JdbcSettings(url, (jar,), "sa", SecretStr("wr0ng"))),
        ):
            pass
    finally:
        server.kill()
        server.wait()


def test_h2_is_read_with_its_jar_though_nobody_says_jdbc(tmp_path: Path) -> None:
    (tmp_path / "h2.jar").symlink_to(_jar("h2.jar")[0])
    query = "SELECT 7 AS integration_specific_id, 'a@corp.example' AS email FROM DUAL"
    said = {"kind": "sql", "url": "jdbc:h2:mem:x", "username": "sa"}
    named = SqlSource(**said, jars=("h2.jar",), queries={"list_accounts": query})
    raw = read_source(named, tmp_path, now=datetime(2026, 1, 2, tzinfo=UTC), resolve=no_secrets)
    assert raw.accounts.rows["integration_specific_id"].to_list() == ["7"]
    assert "through JDBC" in raw.proof[0]
    alone = SqlSource(**said, queries={"list_accounts": query})
    with pytest.raises(ConfigError, match=r"^source\.url: .* of h2: write jars: \[driver\.jar\]"):
        read_source(alone, tmp_path, now=datetime(2026, 1, 2, tzinfo=UTC), resolve=no_secrets)


def _problem(settings: JdbcSettings, sql: str = "SELECT 1") -> IngestError:
    with pytest.raises(IngestError) as caught, open_jdbc(settings) as reader:
        reader.read("list_accounts", sql)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None
    return caught.value


@pytest.mark.parametrize(
    ("sql", "kind", "words"),
    [
        ("SELEC 1", SourceFormatError, r"list_accounts: refused .*42601\): correct the query"),
        (
            "SELECT * FROM nowhere",
            SourceFormatError,
            r"refused .*42P01\): check the name",
        ),
        (
            "SELECT 'v4lue'::int",
            SourceFormatError,
            r"refused .*22P02\): a value in the rows",
        ),
        ("SELECT 1 AS id, 2 AS id", SourceFormatError, "two columns with the label id"),
        ("SET application_name = 'x'", SourceFormatError, "returns no rows"),
        ("SELECT 1/(2 - n) FROM generate_series(1, 3) n", SourceFormatError, "22012"),
    ],
)
def test_a_query_that_fails_says_which_and_why_and_quotes_no_value(
    postgresql: JdbcSettings, sql: str, kind: type[IngestError], words: str
) -> None:
    problem = _problem(postgresql, sql)
    assert type(problem) is kind
    assert problem.args[0] == str(problem)
    assert "v4lue" not in str(problem)
    with pytest.raises(kind, match=words):
        raise problem


def test_a_query_that_never_ends_is_cancelled(postgresql: JdbcSettings) -> None:
    problem = _problem(replace(postgresql, query_timeout_s=1), "SELECT pg_sleep(60)")
    assert type(problem) is SourceIncompleteError
    assert "cancelled before it ended" in str(problem)
    assert "57014" in str(problem)


def test_a_mariadb_query_that_never_ends_is_cancelled(mariadb: JdbcSettings) -> None:
    problem = _problem(
        replace(mariadb, query_timeout_s=1),
        "SELECT COUNT(*) FROM seq_1_to_100000000 a JOIN seq_1_to_100000000 b ON a.seq > b.seq",
    )
    assert type(problem) is SourceIncompleteError
    assert "cancelled before it ended" in str(problem)


def test_an_error_in_the_middle_of_the_rows_is_no_shorter_table(postgresql: JdbcSettings) -> None:
    sql = "SELECT n, repeat('x', 200), 1/(150000 - n) FROM generate_series(1, 200000) n"
    assert "22012" in str(_problem(replace(postgresql, fetch_rows=1000), sql))


def test_a_connection_cut_in_the_middle_is_no_shorter_table(postgresql: JdbcSettings) -> None:
    slow = replace(postgresql, fetch_rows=10)
    sql = "SELECT n, pg_sleep(0.01)::text FROM generate_series(1, 100000) n"

    def cut() -> None:
        ends_at = time.monotonic() + 60
        with _postgres(postgresql) as connection:
            while not connection.execute(_ASLEEP).fetchall() and time.monotonic() < ends_at:
                time.sleep(0.05)
            connection.execute(_CUT)

    with open_jdbc(slow) as reader:
        cutter = threading.Thread(target=cut)
        cutter.start()
        with pytest.raises(SourceIncompleteError, match="list_accounts: the connection was lost"):
            reader.read("list_accounts", sql)
        cutter.join()


def test_a_killed_java_is_no_shorter_table(postgresql: JdbcSettings) -> None:
    sql = "SELECT n, repeat('x', 500), pg_sleep(0.0001)::text FROM generate_series(1, 1000000) n"
    with open_jdbc(postgresql) as reader:
        process = reader._process
        killer = threading.Timer(1.0, process.send_signal, [signal.SIGKILL])
        killer.start()
        with pytest.raises(SourceIncompleteError, match="ended before the last row"):
            reader.read("list_accounts", sql)
        killer.join()
    assert process.returncode is not None


def test_half_a_character_is_named_and_not_replaced() -> None:
    assert "is not valid Unicode" in str(_problem(_h2(), "SELECT U&'a\\d800b' AS v"))


def test_a_limit_on_rows_in_the_session_shortens_no_table(mariadb: JdbcSettings) -> None:
    limited = replace(mariadb, url=f"{mariadb.url}?sessionVariables=sql_select_limit=1")
    with open_jdbc(limited) as reader:
        assert reader.read("q", "SELECT 1 AS id UNION ALL SELECT 2").height == 2


def test_a_wrong_password_an_unknown_host_and_a_closed_port_are_told_apart(
    postgresql: JdbcSettings, mariadb: JdbcSettings
) -> None:
    wrong = _problem(replace(mariadb, username="nobody", password=SecretStr("pa55word")))
    assert type(wrong) is ConfigError
    assert str(wrong).startswith("jdbc:mariadb: the login is refused")
    assert "pa55word" not in str(wrong)
    missing = _problem(replace(postgresql, url=postgresql.url + "_not_there"))
    assert type(missing) is ConfigError
    assert "no such database" in str(missing)
    unknown = _problem(replace(postgresql, url="jdbc:postgresql://no.such.host.invalid/x"))
    assert type(unknown) is SourceUnavailableError
    assert "host's name is not known" in str(unknown)
    closed = _problem(replace(postgresql, url="jdbc:postgresql://127.0.0.1:1/x"))
    assert type(closed) is SourceUnavailableError
    assert "cannot be reached" in str(closed)
    plain = _problem(replace(postgresql, url=postgresql.url + "?sslmode=require"))
    assert isinstance(plain, IngestError)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"java": "no-such-java"}, "needs Java 11"),
        ({"jars": ()}, "needs the jars"),
        ({"jars": (Path("/nowhere/driver.jar"),)}, "driver.jar is no file"),
        ({"url": "jdbc:firebirdsql://h/x"}, "none of the jars holds a driver for jdbc:firebirdsql"),
        ({"url": "jdbc:postgresql://h/x?password=pa55word"}, "holds a password"),
        ({"url": "jdbc:x://user:pa55word@h/x"}, "holds a password"),
    ],
)
def test_what_is_wrong_before_a_connection_is_one_line(
    change: dict[str, object], words: str
) -> None:
    settings = replace(_h2(), **change)  # type: ignore[arg-type] - one field a case
    problem = _problem(settings)
    assert type(problem) is ConfigError
    assert words in str(problem)
    assert "pa55word" not in str(problem)


def test_nothing_secret_is_in_the_arguments_or_the_environment(postgresql: JdbcSettings) -> None:
    secret = replace(postgresql, password=SecretStr("pa55word"))
    with open_jdbc(secret) as reader:
        home = Path(f"/proc/{reader._process.pid}")
        told = home.joinpath("cmdline").read_bytes() + home.joinpath("environ").read_bytes()
    for text in (b"pa55word", b"postgres:", b"127.0.0.1", b"jdbc:"):
        assert text not in told


def test_java_ends_with_its_parent_in_the_middle_of_a_query(
    postgresql: JdbcSettings, tmp_path: Path
) -> None:
    program = tmp_path / "parent.py"
    program.write_text(
        "import sys, time\n"
        "from pathlib import Path\n"
        "from extractors.sql.drivers.jdbc.process import open_jdbc\n"
        "from extractors.sql.drivers.jdbc.program import JdbcSettings\n"
        "with open_jdbc(JdbcSettings(sys.argv[1], (Path(sys.argv[2]),), 'postgres')) as reader:\n"
        "    print(reader._process.pid, flush=True)\n"
        "    reader.read('q', 'SELECT pg_sleep(300)')\n"
    )
    command = [sys.executable, program, postgresql.url, postgresql.jars[0]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        java = Path(f"/proc/{int(parent.stdout.readline())}")
        parent.kill()
    ends_at = time.monotonic() + 60
    while _is_alive(java) and time.monotonic() < ends_at:
        time.sleep(0.05)
    assert not _is_alive(java)
    with _postgres(postgresql) as connection:
        # The server would notice only at its next word to the client.
        connection.execute(_CUT)


def _is_alive(process: Path) -> bool:
    try:
        return process.joinpath("stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture(autouse=True)
def _no_java_is_left_running() -> Iterator[None]:
    yield
    tasks = [task.read_text().split() for task in Path("/proc/self/task").glob("*/children")]
    children = [child for task in tasks for child in task]
    commands = [Path(f"/proc/{child}/cmdline").read_bytes() for child in children]
    assert not [command for command in commands if b"JdbcReader" in command]
