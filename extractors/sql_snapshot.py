"""The transaction that all queries of a source share: read-only, one snapshot, with a deadline."""

import contextlib
import re
from collections.abc import Callable
from typing import Any

from extractors.sql_session import Session, run
from extractors.sql_settings import postgresql_settings, set_mysql

_NO_SNAPSHOT_ISOLATION = (
    "the database does not allow snapshot isolation, so rows that change while they are read may "
    "be seen as they were or as they are: ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON"
)

Begun = tuple[str, tuple[str, ...]]
"""What the transaction is, for the proof, and what it is not, for a person."""


def begin(session: Session, exported: str | None = None) -> Begun:
    """Begins the transaction on a connection that has just been opened.

    `exported` is the name of a snapshot of PostgreSQL's to join.
    """
    if exported is not None:
        return _postgresql(session, f"SET TRANSACTION SNAPSHOT '{exported}'")
    return _BEGINNINGS.get(session.engine, _any)(session)


def _postgresql(session: Session, *first: str) -> Begun:
    from psycopg import IsolationLevel  # noqa: PLC0415 - for no other database

    connection, limit = session.connection, round(session.timeout_s * 1000)
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    connection.prepare_threshold = None
    run(
        connection,
        *first,
        f"SET LOCAL statement_timeout = {limit}",
        f"SET LOCAL idle_in_transaction_session_timeout = {limit}",
        "SET LOCAL client_encoding = 'UTF8'",
        postgresql_settings(session.zone),
    )
    return "one REPEATABLE READ, READ ONLY transaction", ()


def _mysql(session: Session) -> Begun:
    set_mysql(session)
    is_mariadb = session.engine == "mariadb"
    limit = (
        f"SET SESSION max_statement_time = {session.timeout_s}"
        if is_mariadb
        else f"SET SESSION max_execution_time = {round(session.timeout_s * 1000)}"
    )
    run(
        session.connection,
        limit,
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "SET SESSION TRANSACTION READ ONLY",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    )
    return "one consistent snapshot, READ ONLY", _without_transactions(session)


def _without_transactions(session: Session) -> tuple[str, ...]:
    """What to say of tables that no snapshot holds, such as MyISAM's; among them may be ours."""
    count = None
    with contextlib.suppress(*session.errors):  # what only speaks its protocol may not know these
        count = run(
            session.connection,
            "SELECT COUNT(*) FROM information_schema.tables JOIN information_schema.engines "
            "USING (engine) WHERE table_schema = DATABASE() AND transactions <> 'YES'",
        )
    if not count:
        return ()
    said = (
        f"{session.server}: {count} tables are kept by an engine without transactions, such as "
        "MyISAM, and no snapshot holds them: rows that change while they are read may not fit "
        "together: ALTER TABLE … ENGINE = InnoDB"
    )
    return (said,)


def _sqlite(session: Session) -> Begun:
    run(session.connection, "PRAGMA query_only = ON", "BEGIN", "SELECT 1 FROM sqlite_master")
    return "opened read-only, one transaction", ()


def _duckdb(session: Session) -> Begun:
    run(
        session.connection,
        f"SET TimeZone = '{session.zone or 'UTC'}'",
        "BEGIN TRANSACTION READ ONLY",
    )
    return "opened read-only, one transaction", ()


def _mssql(session: Session) -> Begun:
    connection = session.connection
    connection.timeout = max(1, round(session.timeout_s))
    state = run(
        connection,
        "SELECT snapshot_isolation_state FROM sys.databases WHERE name = DB_NAME()",
    )
    connection.rollback()
    if state == 1:
        run(connection, "SET TRANSACTION ISOLATION LEVEL SNAPSHOT")
        return "one SNAPSHOT transaction, rolled back", ()
    run(connection, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    return "one transaction, rolled back", (_NO_SNAPSHOT_ISOLATION,)


def _oracle(session: Session) -> Begun:
    connection = session.connection
    connection.call_timeout = round(session.timeout_s * 1000)
    run(
        connection,
        f"ALTER SESSION SET TIME_ZONE = '{session.zone or '+00:00'}'",
        "SET TRANSACTION READ ONLY",
    )
    return "one READ ONLY transaction", ()


def _snowflake(session: Session) -> Begun:
    run(
        session.connection,
        f"ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = {max(1, round(session.timeout_s))}, "
        f"TIMEZONE = '{session.zone or 'UTC'}', ROWS_PER_RESULTSET = 0",
    )
    return _no_snapshot("Snowflake")


def _databricks(session: Session) -> Begun:
    run(session.connection, f"SET STATEMENT_TIMEOUT = {max(1, round(session.timeout_s))}")
    return _no_snapshot("Databricks")


def _db2(session: Session) -> Begun:
    run(session.connection, "SET CURRENT ISOLATION = RS")
    said = (
        "DB2 has no READ ONLY transaction and no snapshot: rows that were read stay as they are "
        "until the end, new ones may join them; let an account log in that can only read"
    )
    return "one READ STABILITY transaction, rolled back", (said,)


def _no_snapshot(name: str) -> Begun:
    said = (
        f"{name} has no snapshot over several queries: rows that change between two of them may "
        "not fit together; the links that lead nowhere are rejects"
    )
    return "each query on its own", (said,)


def _any(session: Session) -> Begun:
    """A database that we know nothing of: nothing is committed, and that is all there is."""
    said = (
        f"{session.server}: of this kind of database no read-only snapshot is known: let an "
        "account log in that can only read"
    )
    return "one transaction, rolled back", (said,)


_BEGINNINGS: dict[str, Callable[[Session], Begun]] = {
    "postgresql": _postgresql,
    "mysql": _mysql,
    "mariadb": _mysql,
    "sqlite": _sqlite,
    "duckdb": _duckdb,
    "mssql": _mssql,
    "oracle": _oracle,
    "snowflake": _snowflake,
    "databricks": _databricks,
    "db2": _db2,
}


def is_mariadb(connection: Any) -> bool:  # noqa: ANN401 - a DBAPI connection
    """Whether a server that speaks MySQL's protocol is MariaDB."""
    return bool(re.search("mariadb", str(run(connection, "SELECT VERSION()")), re.IGNORECASE))
