"""Opens a database: login, encryption, timeouts, and the one transaction everything is read in."""

import contextlib
import importlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from extractors.database_drivers import check_driver, dialect_of, prepared
from extractors.database_urls.db2 import connection_string
from extractors.database_urls.value import DatabaseUrl
from extractors.jdbc_url import needs_java, read_database_url
from extractors.optional_parts import install_extra, loaded
from extractors.sql_errors import Asking, asked, driver_errors
from extractors.sql_jdbc import open_jdbc_session
from extractors.sql_login import login_of
from extractors.sql_session import Session, run
from extractors.sql_snapshot import begin, is_mariadb
from schemas.errors import ConfigError
from schemas.secrets import Resolve
from schemas.sql_source import DatabaseOptions


@contextmanager
def open_session(source: DatabaseOptions, workspace: Path, resolve: Resolve) -> Iterator[Session]:
    """The database, logged in to, within its transaction; rolled back and closed at the end.

    Raises:
        ConfigError: the url cannot be meant as it is written, a driver or a secret is missing, or
            the login is refused.
        SourceUnavailableError: no connection.
    """
    is_javas = source.driver == "auto" and source.jars and needs_java(source.url or "")
    if source.driver == "jdbc" or is_javas:
        with open_jdbc_session(source, workspace, resolve) as session:
            yield session
        return
    if source.driver == "odbc":
        loaded(lambda: importlib.import_module("pyodbc"), "source.driver: odbc")
        from extractors.sql_odbc import open_odbc_session  # noqa: PLC0415 - loads pyodbc

        with open_odbc_session(source, resolve) as session:
            yield session
        return
    session = connected(source, workspace, resolve)
    try:
        asking = Asking(session.engine, session.errors, session.server, is_login=True)
        snapshot, warnings = asked(asking, lambda: begin(session))
        yield replace(session, snapshot=snapshot, warnings=warnings)
    finally:
        close(session)


@contextmanager
def join_snapshot(
    source: DatabaseOptions, workspace: Path, resolve: Resolve, name: str
) -> Iterator[Session]:
    """Another connection to a PostgreSQL, within the snapshot that one of ours has exported.

    Raises:
        ConfigError, SourceUnavailableError: as `open_session`.
    """
    session = connected(source, workspace, resolve)
    try:
        asking = Asking(session.engine, session.errors, session.server, is_login=True)
        snapshot, _ = asked(asking, lambda: begin(session, exported=name))
        yield replace(session, snapshot=snapshot)
    finally:
        close(session)


def close(session: Session) -> None:
    """Rolls back and closes; what has gone wrong with the connection by now has been told."""
    with contextlib.suppress(*session.errors):
        session.connection.rollback()
    with contextlib.suppress(*session.errors):
        session.connection.close()


def database_of(source: DatabaseOptions) -> DatabaseUrl:
    """Where the source's database is.

    Raises:
        ConfigError: the url is missing, is none, or holds a password.
    """
    if source.url is None:
        raise ConfigError("source.url: name the database, such as postgresql://host/database")
    return read_database_url(source.url)


def connected(source: DatabaseOptions, workspace: Path, resolve: Resolve) -> Session:
    """The database, logged in to; no transaction has begun.

    Raises:
        ConfigError, SourceUnavailableError: as `open_session`.
    """
    database = database_of(source)
    match database.dialect:
        case "sqlite":
            opened = _open_sqlite(database, workspace, source)
        case "duckdb":
            opened = _open_duckdb(database, workspace)
        case _:
            opened = _open_server(database, source, workspace, resolve)
    connection, errors, paramstyle = opened
    session = Session(
        database.dialect,
        database.place,
        connection,
        errors,
        paramstyle,
        database.query_timeout_s or source.statement_timeout.total_seconds(),
        source.timezone or database.timezone,
    )
    asking = Asking(session.engine, errors, session.server, is_login=True)
    if session.engine in {"mysql", "mariadb"}:
        found = asked(asking, lambda: is_mariadb(connection))
        session = replace(session, engine="mariadb" if found else "mysql")
    if database.session:
        asked(asking, lambda: run(connection, *database.session))
    return session


_Opened = tuple[Any, tuple[type[Exception], ...], str]
"""A driver's connection, what the driver raises, and its paramstyle."""


def _open_sqlite(database: DatabaseUrl, workspace: Path, source: DatabaseOptions) -> _Opened:
    path = _file_of(database, workspace)
    asking = Asking("sqlite", driver_errors(sqlite3), database.place, is_login=True)
    waits_s = database.connect_args.get("timeout", source.connect_timeout.total_seconds())

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro",
            uri=True,
            timeout=waits_s,
            isolation_level=None,
            check_same_thread=False,  # interrupt() comes from the watch
        )

    return asked(asking, connect), asking.errors, "qmark"


def _open_duckdb(database: DatabaseUrl, workspace: Path) -> _Opened:
    check_driver("duckdb")
    duckdb = loaded(
        lambda: importlib.import_module("duckdb"), "source.url: duckdb", install_extra("duckdb")
    )
    path = _file_of(database, workspace)
    asking = Asking("duckdb", driver_errors(duckdb), database.place, is_login=True)
    connection = asked(asking, lambda: duckdb.connect(str(path), read_only=True))
    return connection, asking.errors, "qmark"


def _file_of(database: DatabaseUrl, workspace: Path) -> Path:
    name = database.url.database
    if not name or name == ":memory:":
        raise ConfigError("source.url: name the database's file")
    path = workspace / name.removeprefix("file:")
    if not path.is_file():
        raise ConfigError(f"source.url: {name}: no such file: check the path")
    return path


def _open_server(
    database: DatabaseUrl, source: DatabaseOptions, workspace: Path, resolve: Resolve
) -> _Opened:
    database = prepared(database)
    dialect_class, module = dialect_of(database)
    url, more = login_of(database, source, workspace, resolve)
    dialect = dialect_class(dbapi=module)
    if url.drivername == "db2+ibm_db":
        words, arguments = (connection_string(url, more), url.username or ""), {}
    else:
        words, arguments = dialect.create_connect_args(url)
        arguments = {**arguments, **more}
    errors = driver_errors(module)
    # PyMySQL's word for a package that the account's way to log in needs.
    asking = Asking(
        database.dialect,
        (*errors, RuntimeError),
        database.place,
        is_login=True,
        shows_certificate=source.tls is not None and source.tls.certificate is not None,
    )
    connection = asked(asking, lambda: dialect.connect(*words, **arguments))
    return connection, errors, module.paramstyle
