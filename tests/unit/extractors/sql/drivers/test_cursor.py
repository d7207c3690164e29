"""What a driver's cursor hands over as text; a database that nothing is known of says so."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from extractors.sql.drivers.cursor import CursorSession
from extractors.sql.drivers.mysql import MysqlSession
from extractors.sql.drivers.sqlite import SqliteSession
from extractors.sql.session.session import Fetched
from extractors.sql.statements.statement import Bound, Statement
from schemas.errors import SourceFormatError, SourceIncompleteError

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def session_of(
    kind: type[CursorSession], connection: Any, zone: str | None = None
) -> CursorSession:
    return kind(
        engine="somebase",
        server="h/x",
        errors=(sqlite3.Error,),
        timeout_s=60,
        zone=zone,
        connection=connection,
        paramstyle="qmark",
    )


def query(sql: str, *, is_query: bool = True) -> Statement:
    return Statement("list_accounts", "list_accounts", (sql,), is_query=is_query)


@pytest.fixture
def session() -> CursorSession:
    return session_of(CursorSession, sqlite3.connect(":memory:"))


def test_a_database_that_nothing_is_known_of_is_read_with_a_warning(session: CursorSession) -> None:
    session.begin()
    assert session.snapshot == "one transaction, rolled back"
    [warning] = session.warnings
    assert warning.startswith("h/x: of this kind of database no read-only snapshot is known")


class NeverBegun:
    """A connection whose driver, as Trino's, raises where there is nothing to roll back."""

    def rollback(self) -> None:
        raise RuntimeError("no transaction was started")

    def close(self) -> None:
        raise AttributeError("no socket")


def test_a_rollback_that_fails_hides_nothing() -> None:
    with (
        pytest.raises(SourceFormatError, match="what went wrong"),
        closing(session_of(CursorSession, NeverBegun())),
    ):
        raise SourceFormatError("what went wrong")


def test_rows_are_text_in_order_under_the_query_s_labels(session: CursorSession) -> None:
    fetched = session.read(query("SELECT 1.50 AS a, x'00FF' AS a UNION ALL SELECT 2, NULL"))
    assert fetched.labels == ("a", "a")
    assert fetched.rows.rows() == [("1.5", "00ff"), ("2", None)]


def test_labels_are_told_without_a_row(session: CursorSession) -> None:
    assert session.describe(query("SELECT 1 AS n")) == ("n",)
    assert session.describe(query("PRAGMA user_version", is_query=False)) is None


def test_what_the_database_refuses_names_the_query_and_is_not_chained(
    session: CursorSession,
) -> None:
    with pytest.raises(SourceFormatError, match=r"^list_accounts: refused") as caught:
        session.read(query("SELECT nonesuch"))
    assert caught.value.__context__ is None
    with pytest.raises(SourceFormatError, match="returns no columns"):
        session.read(query("CREATE TABLE t (n)", is_query=False))


def test_parts_are_read_one_after_the_other(session: CursorSession) -> None:
    parts = [query("SELECT 1"), query("SELECT 2")]
    assert [part.rows.item() for part in session.read_each(parts, {})] == ["1", "2"]


@pytest.mark.parametrize(
    ("kind", "zone", "shown"),
    [
        (CursorSession, None, datetime(2026, 7, 1, 12)),  # noqa: DTZ001 - a column's own
        (CursorSession, "Europe/Paris", datetime(2026, 7, 1, 14)),  # noqa: DTZ001
        (SqliteSession, "Europe/Paris", "2026-07-01 14:00:00"),
    ],
)
def test_a_moment_is_bound_as_the_clock_of_the_columns_shows_it(
    kind: type[CursorSession], zone: str | None, shown: object
) -> None:
    statement = Statement("q", "q", ("SELECT ", Bound("since")), is_query=True)
    assert session_of(kind, None, zone).bound(statement, {"since": NOON}) == [shown]
    assert session_of(kind, None, zone).bound(query("SELECT 1"), {"since": NOON}) is None


def test_mysql_s_single_bits_are_booleans_and_its_timestamps_moments() -> None:
    mysql = session_of(MysqlSession, None)
    bit, byte = ("b", 16, None, 1), ("b", 16, None, 8)
    assert mysql.adapted([b"\0", b"\1", b"0", b"1", None], bit) == [False, True, False, True, None]
    assert mysql.adapted([b"\n"], byte) == [b"\n"]
    assert mysql.zone_of(("at", 7)) == "UTC"
    assert mysql.zone_of(("at", 12)) is None
    assert session_of(MysqlSession, None, "Asia/Tokyo").zone_of(("at", 12)) == "Asia/Tokyo"


class Warnings:
    """A connection to a MySQL that answers every query with one row, and warns of `code`."""

    def __init__(self, code: int) -> None:
        self.code = code
        self.description: Any = None
        self.rows: list[tuple[object, ...]] = []

    def cursor(self) -> "Warnings":
        return self

    def execute(self, sql: str) -> None:
        is_show = sql == "SHOW WARNINGS"
        self.description = [("n", 253, None, None)]
        self.rows = [("Warning", self.code, "cut")] if is_show else [("1",)]

    def fetchmany(self, _size: int) -> list[tuple[object, ...]]:
        rows, self.rows = self.rows, []
        return rows

    def fetchall(self) -> list[tuple[object, ...]]:
        return self.rows

    def close(self) -> None:
        self.description = None


@pytest.mark.parametrize("code", [1260, 1265, 1301, 1931])
def test_what_mysql_cut_short_is_not_whole(code: int) -> None:
    with pytest.raises(SourceIncompleteError, match=f"cut short, 1 times .warning {code}"):
        session_of(MysqlSession, Warnings(code)).read(query("SELECT 1 AS n"))


def test_another_warning_of_mysql_s_cuts_nothing() -> None:
    fetched: Fetched = session_of(MysqlSession, Warnings(1003)).read(query("SELECT 1 AS n"))
    assert fetched.rows.rows() == [("1",)]
