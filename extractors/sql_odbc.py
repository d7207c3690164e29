"""Reading through any ODBC driver, for databases that have one and no better way in."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager

import pyodbc

from extractors.odbc_connection import connect_odbc
from extractors.sql_errors import Asking, asked, driver_errors
from extractors.sql_session import Session, run
from extractors.sql_settings import postgresql_settings, set_mysql
from schemas.errors import ConfigError
from schemas.secrets import Resolve
from schemas.sql_source import DatabaseOptions

_ENGINES = {"microsoft sql server": "mssql", "sqlite": "sqlite"}
_SNAPSHOTS = {"postgresql", "mysql", "mariadb", "sqlite"}


@contextmanager
def open_odbc_session(source: DatabaseOptions, resolve: Resolve) -> Iterator[Session]:
    """The database through its ODBC driver, in one transaction, rolled back at the end.

    Raises:
        ConfigError: no DSN or driver of that name, a password in the string, or the login refused.
        SourceUnavailableError: the database cannot be reached.
    """
    if source.dsn is None:
        raise ConfigError("source.dsn: driver: odbc needs a DSN's name, or DRIVER=…;SERVER=…")
    if source.tls is not None or source.kerberos:
        raise ConfigError("source.tls, source.kerberos: with driver: odbc, say it in the dsn")
    secret = source.password or source.token
    connection = connect_odbc(
        source.dsn,
        source.username,
        None if secret is None else resolve(secret),
        login_timeout_s=max(1, round(source.connect_timeout.total_seconds())),
        query_timeout_s=max(1, round(source.statement_timeout.total_seconds())),
    )
    try:
        product = str(connection.getinfo(pyodbc.SQL_DBMS_NAME)).lower()
        engine = _ENGINES.get(product, product)
        is_snapshot = engine in _SNAPSHOTS
        session = Session(
            engine=engine,
            server=str(connection.getinfo(pyodbc.SQL_DATABASE_NAME)) or "the database",
            connection=connection,
            errors=driver_errors(pyodbc),
            paramstyle="qmark",
            timeout_s=source.statement_timeout.total_seconds(),
            zone=source.timezone,
            snapshot=f"one {'READ ONLY ' if is_snapshot else ''}transaction through ODBC, "
            "rolled back",
            warnings=() if is_snapshot else (_no_snapshot(product),),
            way="odbc",
        )
        asking = Asking(engine, session.errors, session.server, is_login=True)
        asked(asking, lambda: _set(session))
        yield session
    finally:
        with contextlib.suppress(pyodbc.Error):
            connection.rollback()
        with contextlib.suppress(pyodbc.Error):
            connection.close()


def _set(session: Session) -> None:
    if session.engine in {"mysql", "mariadb"}:
        set_mysql(session)
    elif session.engine == "postgresql":
        run(session.connection, postgresql_settings(session.zone))


def _no_snapshot(product: str) -> str:
    return (
        f"{product}: of this database no read-only snapshot through ODBC is known: let an account "
        "log in that can only read"
    )
