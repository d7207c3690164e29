"""Reading only the accounts that changed gives what reading all gives."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import psycopg
import pymysql
import pyodbc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymysql.constants import CLIENT
from sqlalchemy.engine import make_url

from extractors.read import probe_source, read_source
from schemas.raw import Raw, ReaderState
from schemas.source_file.columns import Named
from schemas.source_file.kinds.sql_source import SqlSource
from schemas.tables import ROW

if TYPE_CHECKING:
    from sqlalchemy import URL

pytest_plugins = ["tests.postgresql_server", "tests.mariadb_server"]

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
_ID = "id AS Integration_Specific_ID"
_COLUMNS = "mail AS email, team AS Team, seen AS last_login"
LIST = f"SELECT {_ID}, {_COLUMNS} FROM people WHERE state <> 'hidden'"
UPDATED = (
    f"SELECT {_ID}, {_COLUMNS} FROM people WHERE changed_at >= {{since}} AND state <> 'hidden'"
)
ROLES = """SELECT id AS integration_specific_id, '' AS integration_specific_resource_id, 'ROLE' AS
entitlement_type, id AS label FROM roles"""
TABLES = """
CREATE TABLE people (id {id} PRIMARY KEY, mail varchar(99), team varchar(99), seen {time},
    state varchar(9) DEFAULT '', changed_at {time});
CREATE TABLE roles (id varchar(9));
INSERT INTO people VALUES
    ('00012', 'zoe@example.com', 'Ops', '2026-01-02 03:04:05', '', '2026-01-01 00:00:00'),
    ('b', NULL, '', NULL, '', '2026-01-01 00:00:00'),
    ('C', 'c@example.com', 'É "x"', NULL, '', '2026-01-01 00:00:00'),
    ('d', 'd@example.com', NULL, NULL, '', '2026-01-01 00:00:00');
INSERT INTO roles VALUES ('R1');
"""


@dataclass
class Reader:
    """Reads a database again and again, each time from what the last time left."""

    workspace: Path
    options: dict[str, Any]
    run: Callable[[str], None]
    clock: str
    delta: dict[str, Any] = field(default_factory=dict)
    queries: dict[str, str] = field(
        default_factory=lambda: {
            "list_accounts": LIST,
            "list_updated_accounts": UPDATED,
            "list_entitlements": ROLES,
        }
    )
    state: ReaderState | None = None
    now: datetime = NOW

    def read(self) -> Raw:
        raw = self._read({"delta": self.delta}, self.state)
        self.state = raw.state
        return raw

    def whole(self) -> Raw:
        return self._read({}, None)

    def source(self, **more: object) -> SqlSource:
        options = {"timezone": "UTC", **self.options}
        return SqlSource(kind="sql", queries=self.queries, **options, **more)

    def _read(self, more: Mapping[str, Any], state: ReaderState | None) -> Raw:
        source = self.source(**more)
        return read_source(source, self.workspace, now=self.now, state=state)

    def check_equal(self) -> str:
        """Reads what changed, and compares it with everything; what the read says of itself."""
        raw, whole = self.read(), self.whole()
        assert in_order(raw) == in_order(whole)
        assert raw.entitlements is not None
        assert whole.entitlements is not None
        assert raw.entitlements.rows.equals(whole.entitlements.rows)
        assert raw.accounts.rows[ROW].to_list() == list(range(1, raw.accounts.read_count + 1))
        return raw.proof[-1]


def in_order(raw: Raw) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The accounts in a fixed order: not every database keeps one in a subquery."""
    rows = raw.accounts.rows.drop(ROW)
    return rows.columns, sorted(rows.rows(), key=repr)


def _postgresql(url: URL, sql: str) -> None:
    with psycopg.connect(url.render_as_string(), autocommit=True) as connection:
        connection.execute(sql.encode())


def _mariadb(url: URL, sql: str) -> None:
    with pymysql.connect(
        host=url.host, port=url.port or 0, user=url.username, database=url.database,
        charset="utf8mb4", autocommit=True, client_flag=CLIENT.MULTI_STATEMENTS,
    ) as connection:  # fmt: skip
        cursor = connection.cursor()
        cursor.execute(sql)
        while cursor.nextset():
            pass


@pytest.fixture
def postgresql(new_database: Callable[[], str], tmp_path: Path) -> Reader:
    url = make_url(new_database())
    options = {"url": url.render_as_string()}
    reader = Reader(tmp_path, options, lambda sql: _postgresql(url, sql), "now()")
    reader.run(TABLES.format(id="text", time="timestamptz"))
    return reader


@pytest.fixture
def mariadb(new_mariadb_database: Callable[[], str], tmp_path: Path) -> Reader:
    url = make_url(new_mariadb_database())
    options = {"url": url.render_as_string()}
    reader = Reader(tmp_path, options, lambda sql: _mariadb(url, sql), "UTC_TIMESTAMP()")
    reader.run(TABLES.format(id="varchar(9)", time="datetime"))
    return reader


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Reader]:
    with _sqlite(tmp_path) as connection:
        yield Reader(
            tmp_path,
            {"url": "sqlite:///app.db"},
            lambda sql: connection.executescript(sql) and None,
            f"'{NOW:%Y-%m-%d %H:%M:%S}'",
        )
    connection.close()


def _sqlite(folder: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(folder / "app.db", isolation_level=None)
    connection.executescript(TABLES.format(id="text", time="text"))
    return connection


@pytest.fixture
def odbc(postgresql: Reader) -> Reader:
    if "PostgreSQL Unicode" not in pyodbc.drivers():
        pytest.skip("missing: PostgreSQL Unicode (Debian: odbc-postgresql)")
    url = make_url(postgresql.options["url"])
    where = f"Server=127.0.0.1;Port={url.port};Database={url.database}"
    dsn = f"DRIVER={{PostgreSQL Unicode}};{where}"
    postgresql.options = {"driver": "odbc", "dsn": dsn, "username": "postgres"}
    return postgresql


@pytest.fixture
def odbc_mariadb(mariadb: Reader) -> Reader:
    if "MariaDB Unicode" not in pyodbc.drivers():
        pytest.skip("missing: MariaDB Unicode (Debian: odbc-mariadb)")
    url = make_url(mariadb.options["url"])
    where = f"SERVER=127.0.0.1;PORT={url.port};DATABASE={url.database};CHARSET=utf8mb4"
    dsn = f"DRIVER={{MariaDB Unicode}};{where}"
    mariadb.options = {"driver": "odbc", "dsn": dsn, "username": "root"}
    return mariadb


@pytest.fixture
def jdbc(postgresql: Reader) -> Reader:
    _over_java(postgresql, "postgresql.jar", "postgresql", "postgres")
    return postgresql


@pytest.fixture
def jdbc_mariadb(mariadb: Reader) -> Reader:
    _over_java(mariadb, "mariadb-java-client.jar", "mariadb", "root")
    return mariadb


def _over_java(reader: Reader, jar: str, kind: str, user: str) -> None:
    path = Path("/usr/share/java") / jar
    if not (path.is_file() and shutil.which("java")):
        pytest.skip(f"missing: {jar}, or java")
    url = make_url(reader.options["url"])
    place = f"jdbc:{kind}://127.0.0.1:{url.port}/{url.database}"
    reader.options = {"driver": "jdbc", "url": place, "jars": [str(path)], "username": user}


WAYS = ["postgresql", "mariadb", "sqlite", "odbc", "odbc_mariadb", "jdbc", "jdbc_mariadb"]


@pytest.fixture(params=WAYS)
def reader(request: pytest.FixtureRequest) -> Reader:
    found: Reader = request.getfixturevalue(request.param)
    return found


def test_what_changed_came_or_went_is_all_that_is_read_anew(reader: Reader) -> None:
    assert "all of 4 accounts read" in reader.check_equal()
    assert "4 ids; 0 changed, 0 gone since" in reader.check_equal()
    reader.run(
        f"UPDATE people SET mail = 'new@example.com', changed_at = {reader.clock} WHERE id = 'C';"
        "DELETE FROM people WHERE id = '00012';"
        f"INSERT INTO people VALUES ('E', NULL, '', NULL, '', {reader.clock});"
        f"UPDATE people SET state = 'hidden', changed_at = {reader.clock} WHERE id = 'd';"
    )
    said = reader.check_equal()
    assert "3 ids; 2 changed, 2 gone since, on top of all that was read on 2" in said
    reader.run("UPDATE people SET team = 'unseen' WHERE id = 'b'")
    assert in_order(reader.read()) != in_order(reader.whole())


def test_the_moment_of_a_read_is_by_the_server_s_own_clock(reader: Reader) -> None:
    kept = reader.read().state
    assert kept is not None
    at = datetime.fromisoformat(kept.marks["at"])
    is_ours = reader.options.get("url") == "sqlite:///app.db"
    assert abs(at - (NOW if is_ours else datetime.now(UTC))) < timedelta(minutes=1)


def test_nothing_but_ids_and_changed_rows_is_asked_for(postgresql: Reader) -> None:
    """A column that would fail for a row that did not change is not computed."""
    postgresql.read()
    postgresql.run("UPDATE people SET seen = NULL; ALTER TABLE people RENAME TO persons;")
    postgresql.run(
        "CREATE FUNCTION broken() RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$ BEGIN "
        "RAISE EXCEPTION 'was computed'; END $$;"
        "CREATE VIEW people AS SELECT id, mail, team, CASE WHEN changed_at < '2026-01-02' THEN "
        "broken() END AS seen, state, changed_at FROM persons"
    )
    assert "4 ids; 0 changed" in postgresql.read().proof[-1]


def _whole_because(reader: Reader, caplog: pytest.LogCaptureFixture, reason: str) -> None:
    caplog.clear()
    with caplog.at_level("INFO"):
        assert "all of" in reader.check_equal()
    assert reason in caplog.text
    assert "ids; " in reader.check_equal()  # and the next time goes on from that


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda reader: reader.options.update(trim_ids=True), "the queries, the url"),
        (
            lambda reader: reader.queries.update(list_accounts=f"{LIST} AND 1 = 1"),
            "the queries, the url",
        ),
        (
            lambda reader: reader.queries.update(list_updated_accounts=f"{UPDATED} AND 1 = 1"),
            "the queries, the url",
        ),
        (lambda reader: reader.state.marks.update(at="2999-01-01T00:00:00+00:00"), "clock"),
        (
            lambda reader: reader.state.marks.update(full_at="2020-01-01T00:00:00+00:00"),
            "full_every (7d)",
        ),
        (
            lambda reader: reader.run(
                "INSERT INTO people VALUES ('F', '', '', NULL, '', '2026-01-01 00:00:00')"
            ),
            "1 ids are new",
        ),
        (lambda reader: setattr(reader, "state", None), "nothing is kept"),
        (lambda reader: reader.state.marks.pop("full_at"), "damaged"),
    ],
)
def test_what_cannot_be_told_is_read_whole_and_the_log_says_why(
    change: Callable[[Reader], object],
    reason: str,
    reader_of_three: Reader,
    caplog: pytest.LogCaptureFixture,
) -> None:
    reader_of_three.check_equal()
    change(reader_of_three)
    _whole_because(reader_of_three, caplog, reason)


@pytest.fixture(params=["postgresql", "mariadb", "sqlite"])
def reader_of_three(request: pytest.FixtureRequest) -> Reader:
    found: Reader = request.getfixturevalue(request.param)
    return found


def test_an_update_under_an_id_written_otherwise_is_read_whole_with_a_warning(
    reader_of_three: Reader,
) -> None:
    reader_of_three.queries["list_updated_accounts"] = UPDATED.replace("id AS", "upper(id) AS")
    reader_of_three.read()
    reader_of_three.run(
        f"UPDATE people SET mail = 'new', changed_at = {reader_of_three.clock} WHERE id = 'b'"
    )
    raw = reader_of_three.read()
    assert in_order(raw) == in_order(reader_of_three.whole())
    assert any("list_updated_accounts has 1 ids" in warning for warning in raw.warnings)


def test_a_change_that_was_not_told_is_warned_of_once_all_is_read(reader_of_three: Reader) -> None:
    reader = reader_of_three
    reader.read()
    reader.run(
        "UPDATE people SET mail = 'untold' WHERE id IN ('b', 'C');"
        f"UPDATE people SET mail = 'told', changed_at = {reader.clock} WHERE id = 'd';"
        f"INSERT INTO people VALUES ('E', NULL, '', NULL, '', {reader.clock});"
    )
    raw = reader.read()
    assert "2 changed" in raw.proof[-1]
    assert not raw.warnings
    reader.delta = {"full_every": "0s"}
    raw = reader.read()
    [said] = [warning for warning in raw.warnings if "without" in warning]
    assert said.startswith("2 accounts had changed without list_updated_accounts telling")
    assert "untold" not in said
    reader.run(f"UPDATE people SET mail = 'x', changed_at = {reader.clock} WHERE id = 'b'")
    assert not reader.read().warnings


def test_who_is_shut_out_without_a_word_of_it_is_shut_out(reader_of_three: Reader) -> None:
    reader = reader_of_three
    for name in ("list_accounts", "list_updated_accounts"):
        reader.queries[name] = reader.queries[name].replace(
            " FROM",
            ", CASE WHEN team = 'out' THEN 'SUSPENDED' ELSE 'ACTIVE' END AS User_Status FROM",
        )
    reader.read()
    reader.run("UPDATE people SET team = 'out' WHERE id = 'b'")
    raw = reader.read()
    statuses = dict(raw.accounts.rows.select("integration_specific_id", "user_status").rows())
    assert statuses == {"00012": "ACTIVE", "b": "SUSPENDED", "C": "ACTIVE", "d": "ACTIVE"}
    assert "0 changed" in raw.proof[-1]
    [said] = [warning for warning in raw.warnings if "another status" in warning]
    assert said.startswith("1 accounts have another status, and list_updated_accounts")
    assert not reader.read().warnings


def test_a_status_of_the_file_s_own_columns_is_swept_too(sqlite: Reader) -> None:
    columns = "id AS employee, state FROM people"
    sqlite.queries = {
        "list_accounts": f"SELECT {columns}",
        "list_updated_accounts": f"SELECT {columns} WHERE changed_at >= {{since}}",
    }
    named = Named(frozenset({"employee", "state"}), frozenset(), frozenset({"state"}))
    state, found = None, []
    for _ in range(2):
        raw = read_source(
            sqlite.source(delta={}),
            sqlite.workspace,
            now=NOW,
            named=named,
            id_columns={"accounts": "employee"},
            state=state,
        )
        state = raw.state
        found.append(dict(raw.accounts.rows.select("employee", "state").rows())["b"])
        sqlite.run("UPDATE people SET state = 'gone' WHERE id = 'b'")
    assert found == ["", "gone"]


def test_a_whole_read_that_is_due_does_not_fail_for_what_was_told(reader_of_three: Reader) -> None:
    """Else a query for changes that fails would keep the accounts from ever being read again."""
    reader = reader_of_three
    reader.read()
    reader.run("ALTER TABLE people RENAME COLUMN changed_at TO altered_at")
    reader.delta = {"full_every": "0s"}
    raw = reader.read()
    assert raw.accounts.read_count == 4
    assert raw.entitlements is not None
    assert raw.entitlements.read_count == 1
    [said] = [one for one in raw.warnings if "whether all changes were told" in one]
    assert "list_updated_accounts" in said


SIX_HOURS_WEST = """
INSERT INTO mysql.time_zone (Use_leap_seconds) VALUES ('N');
SET @zone = LAST_INSERT_ID();
INSERT INTO mysql.time_zone_name VALUES ('Etc/GMT+6', @zone);
INSERT INTO mysql.time_zone_transition_type VALUES (@zone, 0, -21600, 0, '-06');
"""


def test_times_without_a_zone_are_compared_in_the_one_that_is_stated(
    reader_of_three: Reader,
) -> None:
    """West of UTC a change would look hours older than it is."""
    reader = reader_of_three
    reader.options["timezone"] = "Etc/GMT+6"
    at = {
        "now()": "now() AT TIME ZONE 'UTC' - INTERVAL '6 hours'",
        "UTC_TIMESTAMP()": "UTC_TIMESTAMP() - INTERVAL 6 HOUR",
    }.get(reader.clock, f"'{NOW - timedelta(hours=6):%Y-%m-%d %H:%M:%S}'")
    if reader.clock == "now()":
        reader.run("ALTER TABLE people ALTER changed_at TYPE timestamp")
    elif reader.clock == "UTC_TIMESTAMP()":
        reader.run(SIX_HOURS_WEST)
    reader.read()
    reader.run(f"UPDATE people SET mail = 'new', changed_at = {at} WHERE id = 'b'")
    assert "4 ids; 1 changed" in reader.check_equal()


def test_times_counted_in_seconds_are_compared_with_since_so_counted(sqlite: Reader) -> None:
    sqlite.run("UPDATE people SET changed_at = 0")
    sqlite.queries["list_updated_accounts"] = UPDATED.replace(
        "changed_at >= {since}", "CAST(changed_at AS INTEGER) >= unixepoch({since})"
    )
    sqlite.read()
    sqlite.run(f"UPDATE people SET mail = 'm', changed_at = {NOW.timestamp():.0f} WHERE id = 'b'")
    assert "4 ids; 1 changed" in sqlite.check_equal()


def test_a_column_that_came_is_read_whole(
    postgresql: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    columns = "integration_specific_id, mail AS email, people.* FROM people"
    postgresql.queries["list_accounts"] = f"SELECT id AS {columns}"
    postgresql.queries["list_updated_accounts"] = (
        f"SELECT id AS {columns} WHERE changed_at >= {{since}}"
    )
    postgresql.check_equal()
    postgresql.run("ALTER TABLE people ADD COLUMN floor text DEFAULT 'ground'")
    _whole_because(postgresql, caplog, "its columns are others than before")


def test_a_procedure_is_read_whole_each_time(
    postgresql: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    postgresql.run(
        "CREATE PROCEDURE listed(INOUT integration_specific_id text) LANGUAGE sql AS "
        "$$ SELECT 'b'::text $$"
    )
    postgresql.queries["list_accounts"] = "CALL listed(NULL)"
    postgresql.queries["list_updated_accounts"] = "SELECT '' AS integration_specific_id LIMIT 0"
    with caplog.at_level("INFO"):
        for _ in range(2):
            assert "all of 1 accounts read" in postgresql.check_equal()
    assert "its ids cannot be read alone" in caplog.text


def test_a_query_with_a_cte_an_order_and_a_comment_is_swept(reader_of_three: Reader) -> None:
    reader_of_three.queries["list_accounts"] = (
        f"WITH shown AS ({LIST}) SELECT * FROM shown ORDER BY email -- by email"
    )
    reader_of_three.read()
    assert "4 ids; 0 changed" in reader_of_three.check_equal()


def test_the_order_is_that_of_a_whole_read_where_a_subquery_keeps_it(sqlite: Reader) -> None:
    sqlite.queries["list_accounts"] = f"{LIST} ORDER BY mail DESC, id"
    sqlite.read()
    sqlite.run(
        f"UPDATE people SET mail = 'aaa', changed_at = {sqlite.clock} WHERE id = '00012';"
        f"INSERT INTO people VALUES ('E', 'zzz', '', NULL, '', {sqlite.clock});"
    )
    delta = sqlite.read()
    assert "2 changed" in delta.proof[-1]
    assert delta.accounts.rows.equals(sqlite.whole().accounts.rows)


def test_an_own_id_column_is_the_one_that_is_swept(sqlite: Reader) -> None:
    columns = "id AS employee, mail AS email FROM people"
    sqlite.queries = {
        "list_accounts": f"SELECT {columns}",
        "list_updated_accounts": f"SELECT {columns} WHERE changed_at >= {{since}}",
    }
    state, named = None, Named(frozenset({"employee", "email"}))
    for said in ("all of 4 accounts", "4 ids; 0 changed"):
        raw = read_source(
            sqlite.source(delta={}),
            sqlite.workspace,
            now=NOW,
            named=named,
            id_columns={"accounts": "employee"},
            state=state,
        )
        state = raw.state
        assert said in raw.proof[-1]
    probe_source(sqlite.source(delta={}), sqlite.workspace, now=NOW, named=named)


def test_a_partitioned_list_is_swept_in_one_and_read_whole_in_parts(postgresql: Reader) -> None:
    postgresql.queries["list_accounts"] = {  # type: ignore[assignment]
        "sql": f"SELECT {_ID}, {_COLUMNS}, n FROM (SELECT *, length(id) AS n FROM people) p",
        "partition": {"column": "n", "parts": 2},
    }
    postgresql.queries["list_updated_accounts"] = UPDATED.replace(" FROM", ", length(id) AS n FROM")
    assert "all of 4 accounts read" in postgresql.check_equal()
    postgresql.run("UPDATE people SET mail = 'x', changed_at = now() WHERE id = 'b'")
    assert "4 ids; 1 changed" in postgresql.check_equal()


def test_since_is_the_last_read_less_the_overlap(sqlite: Reader) -> None:
    """A row that was written just before the last read, and became visible after it."""
    sqlite.read()
    late = "UPDATE people SET team = 'late', changed_at = '2026-06-01 11:30:00' WHERE id = 'b'"
    sqlite.run(late)
    sqlite.now += timedelta(days=1)
    kept = sqlite.state
    sqlite.delta = {"overlap": "10m"}
    assert "0 changed" in sqlite.read().proof[-1]
    sqlite.delta, sqlite.state = {}, kept
    assert "1 changed" in sqlite.check_equal()


def test_everything_is_read_every_week_however_often_it_was_read_since(sqlite: Reader) -> None:
    sqlite.read()
    for day in range(1, 8):
        sqlite.now = NOW + timedelta(days=day)
        assert ("all of 4 accounts" in sqlite.check_equal()) == (day == 7)
    sqlite.now += timedelta(days=1)
    assert "on top of all that was read on 2026-06-08" in sqlite.check_equal()


def test_more_than_a_fifth_that_changed_is_read_whole(
    sqlite: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    old = "strftime('2026-01-01 00:00:00')"
    sqlite.run(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) "
        f"INSERT INTO people SELECT 'n' || i, '', '', NULL, '', {old} FROM n"
    )
    sqlite.read()
    sqlite.run(f"UPDATE people SET mail = 'm', changed_at = {sqlite.clock} WHERE id > 'n3'")
    with caplog.at_level("INFO"):
        assert "all of 504 accounts" in sqlite.check_equal()
    assert "of 504 accounts changed" in caplog.text


WITHIN_OVERLAP = 60  # minutes
IDS = st.sampled_from([f"a{n}" for n in range(6)])
TEXTS = st.sampled_from([None, "", "x", "Ü"])
STEPS = st.one_of(
    st.tuples(
        st.just("put"), IDS, TEXTS, st.sampled_from(["", "hidden"]), st.integers(0, WITHIN_OVERLAP)
    ),
    st.tuples(st.just("delete"), IDS, st.none(), st.none(), st.just(0)),
    st.tuples(st.just("read"), st.none(), st.none(), st.none(), st.just(0)),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(STEPS, max_size=20), st.sampled_from(["UTC", "America/Chicago", "Asia/Kolkata"]))
def test_whatever_happens_between_two_reads_the_result_is_that_of_a_whole_read(
    steps: list[tuple[str, str | None, str | None, str | None, int]], zone: str
) -> None:
    with TemporaryDirectory() as folder, _sqlite(Path(folder)) as connection:
        options = {"url": "sqlite:///app.db", "timezone": zone}
        reader = Reader(Path(folder), options, connection.execute, "")
        reader.read()
        for what, one, text, state, late in [*steps, ("read", None, None, None, 0)]:
            reader.now += timedelta(minutes=7)
            if what == "read":
                assert "ids; " in reader.check_equal()
            elif what == "delete":
                connection.execute("DELETE FROM people WHERE id = ?", [one])
            else:
                stamped = (reader.now - timedelta(minutes=late)).astimezone(ZoneInfo(zone))
                at = f"{stamped:%Y-%m-%d %H:%M:%S}"
                connection.execute(
                    "REPLACE INTO people VALUES (?, ?, ?, NULL, ?, ?)", [one, text, text, state, at]
                )
    connection.close()
