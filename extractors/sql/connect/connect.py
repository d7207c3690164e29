"""Opens a database: login, encryption, timeouts, and the one transaction everything is read in."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from extractors.optional_parts import install_extra, loaded
from extractors.sql.connect.login import check_driver, dialect_of, login_of, prepared
from extractors.sql.drivers.cursor import CursorSession
from extractors.sql.drivers.db2 import Db2Session
from extractors.sql.drivers.duckdb import DuckdbSession
from extractors.sql.drivers.jdbc.session import open_jdbc_session
from extractors.sql.drivers.mssql import MssqlSession
from extractors.sql.drivers.mysql import MysqlSession, PymysqlSession
from extractors.sql.drivers.oracle import OracleSession
from extractors.sql.drivers.sqlite import SqliteSession, connect_sqlite
from extractors.sql.drivers.warehouses import DatabricksSession, SnowflakeSession
from extractors.sql.errors.translate import ErrorContext, driver_errors, translate_errors
from extractors.sql.session.session import Session
from extractors.sql.urls.address import DatabaseUrl
from extractors.sql.urls.db2 import connection_string
from extractors.sql.urls.parse import needs_java, read_database_url
from schemas.errors import ConfigError
from schemas.source_file.kinds.sql_source import DatabaseOptions
from schemas.source_file.secrets import Resolve


@contextmanager
def open_session(source: DatabaseOptions, workspace: Path, resolve: Resolve) -> Iterator[Session]:
    """Opens the database, logs in and begins its transaction; rolls back and closes at the end.

    Raises:
        ConfigError: the url cannot be meant as it is written, a driver or a secret is missing, or
            the login is refused.
        SourceUnavailableError: no connection.
    """
    is_javas = source.driver == "auto" and source.jars and needs_java(source.url or "")
    if source.driver == "jdbc" or is_javas:
        with open_jdbc_session(source, workspace, resolve) as session:
            yield session
    elif source.driver == "odbc":
        open_odbc_session = loaded(_opener_of_odbc, "odbc", key="source.driver")
        with open_odbc_session(source, resolve) as session:
            yield session
    else:
        with _open_native_session(source, workspace, resolve) as session:
            yield session


def database_of(source: DatabaseOptions) -> DatabaseUrl:
    """Returns the address of the source's database.

    Raises:
        ConfigError: the url is missing, is none, or holds a password.
    """
    if source.url is None:
        raise ConfigError("name the database, such as postgresql://host/database", key="source.url")
    return read_database_url(source.url)


def _opener_of_odbc() -> Callable[
    [DatabaseOptions, Resolve], AbstractContextManager[CursorSession]
]:
    from extractors.sql.drivers.odbc import open_odbc_session  # loads pyodbc

    return open_odbc_session


@contextmanager
def _open_native_session(
    source: DatabaseOptions, workspace: Path, resolve: Resolve
) -> Iterator[CursorSession]:
    """Opens the database by its Python driver."""
    database = database_of(source)
    opened = _open(database, source, workspace, resolve)
    session = session_class(database.url)(
        engine=database.dialect,
        server=database.place,
        errors=opened.errors,
        timeout_s=database.query_timeout_s or source.statement_timeout.total_seconds(),
        zone=source.timezone or database.timezone,
        file=opened.file,
        connection=opened.connection,
        paramstyle=opened.paramstyle,
        reconnect=opened.reconnect,
    )
    with closing(session):
        session.begin(*database.session)
        yield session


_SESSIONS: dict[str, type[CursorSession]] = {
    "mysql+pymysql": PymysqlSession,
    "mariadb+pymysql": PymysqlSession,
    "mysql": MysqlSession,
    "mariadb": MysqlSession,
    "sqlite": SqliteSession,
    "duckdb": DuckdbSession,
    "mssql": MssqlSession,
    "oracle": OracleSession,
    "snowflake": SnowflakeSession,
    "databricks": DatabricksSession,
    "db2": Db2Session,
}
"""By dialect and driver, else by dialect alone."""


def session_class(url: URL) -> type[CursorSession]:
    """Returns the class of the sessions at `url`; its module may load the Python driver."""
    if url.drivername == "postgresql+psycopg":
        from extractors.sql.drivers.postgresql import PostgresqlSession  # loads psycopg

        return PostgresqlSession
    own = _SESSIONS.get(url.drivername)
    return own or _SESSIONS.get(url.get_backend_name(), CursorSession)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A driver's connection.

    Attributes:
        connection: the driver's.
        errors: what the driver raises.
        paramstyle: how it marks bound values.
        file: of an embedded database.
        reconnect: opens another one like it.
    """

    connection: Any
    errors: tuple[type[Exception], ...]
    paramstyle: str
    file: Path | None = None
    reconnect: Callable[[], Any] | None = None


def _open(
    database: DatabaseUrl, source: DatabaseOptions, workspace: Path, resolve: Resolve
) -> _Opened:
    match database.dialect:
        case "sqlite":
            return _open_sqlite(database, workspace, source)
        case "duckdb":
            return _open_duckdb(database, workspace)
    return _open_server(database, source, workspace, resolve)


def _open_sqlite(database: DatabaseUrl, workspace: Path, source: DatabaseOptions) -> _Opened:
    path = _file_of(database, workspace)
    wait_s = database.connect_args.get("timeout", source.connect_timeout.total_seconds())
    context = ErrorContext("sqlite", driver_errors(sqlite3), database.place, is_login=True)
    connection = translate_errors(context, lambda: connect_sqlite(path, wait_s))
    return _Opened(connection, context.errors, "qmark", path)


def _open_duckdb(database: DatabaseUrl, workspace: Path) -> _Opened:
    check_driver("duckdb")
    duckdb = loaded(_duckdb, "duckdb", install_extra("duckdb"), key="source.url")
    path = _file_of(database, workspace)
    context = ErrorContext("duckdb", driver_errors(duckdb), database.place, is_login=True)
    connection = translate_errors(context, lambda: duckdb.connect(str(path), read_only=True))
    return _Opened(connection, context.errors, "qmark", path)


def _duckdb() -> Any:  # noqa: ANN401 - a module
    import duckdb

    return duckdb


def _file_of(database: DatabaseUrl, workspace: Path) -> Path:
    name = database.url.database
    if not name or name == ":memory:":
        raise ConfigError("name the database's file", key="source.url")
    path = workspace / name.removeprefix("file:")
    if not path.is_file():
        raise ConfigError(f"{name}: no such file: check the path", key="source.url")
    return path


def _open_server(
    database: DatabaseUrl, source: DatabaseOptions, workspace: Path, resolve: Resolve
) -> _Opened:
    database = prepared(database)
    dialect_class, module = dialect_of(database)
    dialect = dialect_class(dbapi=module)
    errors = driver_errors(module)
    # PyMySQL's word for a package that the account's way to log in needs.
    context = ErrorContext(
        database.dialect,
        (*errors, RuntimeError),
        database.place,
        is_login=True,
        shows_certificate=source.tls is not None and source.tls.certificate is not None,
    )

    def connect() -> Any:  # noqa: ANN401 - the driver's
        # Each has a token of its own: one may be good for one login only.
        url, more = login_of(database, source, workspace, resolve)
        if url.drivername == "db2+ibm_db":
            texts, arguments = (connection_string(url, more), url.username or ""), {}
        else:
            texts, arguments = dialect.create_connect_args(url)
            arguments = {**arguments, **more}
        return translate_errors(context, lambda: dialect.connect(*texts, **arguments))

    return _Opened(connect(), errors, module.paramstyle, reconnect=connect)
