"""Reading through any ODBC driver, for databases that have one and no better way in."""

import contextlib
import logging
import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import pyodbc
from pydantic import SecretStr

from extractors.sql.errors.translate import (
    ErrorContext,
    driver_errors,
    to_source_error,
    translate_errors,
)
from extractors.sql.session.session import Session, run
from extractors.sql.session.timeouts import read_timeout_s
from extractors.sql.session.transaction import postgresql_settings, set_mysql
from extractors.sql.urls.parse import check_no_secret
from schemas.errors import ConfigError, IngestError
from schemas.source_file.secrets import Resolve
from schemas.source_file.sql_source import DatabaseOptions

# What an ODBC driver hands over wrongly, made from the bytes it got from the server instead.

_MARIADB = ("libmaodbc", "maodbc")


def read_exactly(connection: pyodbc.Connection) -> None:
    """Has MariaDB's driver give what the server sent.

    Its own conversions make false of a computed BIT(1) and a negative number of a large INT
    UNSIGNED, lose the sign of a TIME and whatever is over a day, make NULL of a date of zeros, and
    digits of its own of a FLOAT.
    """
    if str(connection.getinfo(pyodbc.SQL_DRIVER_NAME)).lower().startswith(_MARIADB):
        for kind, convert in _FROM_BYTES.items():
            connection.add_output_converter(kind, convert)


def _bit(sent: bytes | None) -> bool | None:
    return None if sent is None else sent not in {b"\0", b"0"}


def _text(sent: bytes | None) -> str | None:
    return None if sent is None else sent.decode("ascii")


def _time(sent: bytes | None) -> str | None:
    text = _text(sent)
    return text.rstrip("0").rstrip(".") if text and "." in text else text


def _datetime(sent: bytes | None) -> datetime | str | None:
    text = _text(sent)
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError:  # zeros for a year, a month or a day
        return text


def _int(sent: bytes | None) -> int | None:
    return None if sent is None else int(sent)


def _float(sent: bytes | None) -> float | None:
    return None if sent is None else float(sent)


_FROM_BYTES: dict[int, Callable[[bytes | None], object]] = {
    pyodbc.SQL_BIT: _bit,
    pyodbc.SQL_INTEGER: _int,
    pyodbc.SQL_REAL: _float,
    pyodbc.SQL_TYPE_DATE: _text,
    pyodbc.SQL_TYPE_TIME: _time,
    pyodbc.SQL_TYPE_TIMESTAMP: _datetime,
}


# A connection through any ODBC driver, by DSN or connection string: it only reads.

_log = logging.getLogger(__name__)
_WHAT = "source.dsn"
_MYSQL = (
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "SET SESSION TRANSACTION READ ONLY",
)
_READ_ONLY = {
    "postgresql": (
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    ),
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "sqlite": ("PRAGMA query_only = 1",),
}
"""What makes a session only read, beyond the hint that ODBC has for it."""
_LIMITS = {
    "postgresql": "SET statement_timeout = '{}s'",
    "mysql": "SET SESSION max_execution_time = {}000",
    "mariadb": "SET SESSION max_statement_time = {}",
}
"""The server's own limit, where the driver sets none."""
_OPTIONS = (
    # Else the driver holds the whole result in memory, and a host that is gone is not missed.
    (
        "postgres|psqlodbc",
        {
            "UseDeclareFetch": "1",
            "Fetch": "10000",
            "KeepaliveTime": "60",
            "KeepaliveInterval": "10",
        },
    ),
    ("maria|maodbc", {"READ_TIMEOUT": "{read_timeout_s}"}),
    # Else the driver cuts every whole number to 32 bits.
    ("sqlite", {"BigInt": "1"}),
)
"""What drivers are told, by what is in their names, unless the connection string says it."""


def connect_odbc(
    connection_string: str,
    username: str | None,
    password: SecretStr | None,
    *,
    login_timeout_s: int = 15,
    query_timeout_s: int = 0,
    read_only: bool = True,
) -> pyodbc.Connection:
    """A connection, not in a transaction yet; the first statement begins one.

    Args:
        connection_string: a DSN's name, or `DRIVER=…;SERVER=…`, without a password.
        username: who logs in; None where the string or the DSN says.
        password: None where none is needed.
        login_timeout_s: for connecting, in seconds, where the driver has a limit.
        query_timeout_s: for each statement, in seconds, where the driver has a limit; 0 is none.
        read_only: the session may only read, and sees one snapshot, where the database can do so.

    Raises:
        ConfigError: a password in the string, no such driver or DSN, a login refused, no such
            database, or TLS that is refused.
        SourceUnavailableError: the database could not be reached.
    """
    check_no_secret(connection_string, _WHAT)
    told = to_connection_string(connection_string, username, password, query_timeout_s)
    try:
        connection = pyodbc.connect(told, timeout=login_timeout_s, readonly=read_only)
    except pyodbc.Error as error:
        problem = _not_connected(error)
    else:
        try:
            read_exactly(connection)
            _prepare(connection, query_timeout_s, read_only=read_only)
        except pyodbc.Error as error:
            connection.close()
            problem = _not_connected(error)
        else:
            return connection
    raise problem


def _not_connected(error: pyodbc.Error) -> IngestError:
    state, text = str(error.args[0]), str(error.args[-1])
    if state == "IM002":
        return ConfigError(f"{_WHAT}: no such DSN or driver (SQLSTATE IM002): see odbcinst -q -d")
    if state in {"IM003", "IM004"} or "Can't open lib" in text:
        return ConfigError(
            f"{_WHAT}: the ODBC driver cannot be loaded (SQLSTATE {state}): install it, or see "
            "odbcinst -q -d for its name"
        )
    engine = "mssql" if "SQL Server]" in text else "mysql" if "[ma-" in text else ""
    return to_source_error(error, ErrorContext(engine, (pyodbc.Error,), _WHAT, is_login=True))


def to_connection_string(
    connection_string: str, username: str | None, password: SecretStr | None, query_timeout_s: int
) -> str:
    """The whole connection string. It holds the password: it goes to the driver, never to a log."""
    text = connection_string.strip().rstrip(";")
    if not text:
        raise ConfigError(f"{_WHAT} is empty: write a DSN's name or DRIVER=…;SERVER=…")
    parts = [text if "=" in text else f"DSN={text}"]
    parts += [
        f"{name}={value.format(read_timeout_s=math.ceil(read_timeout_s(query_timeout_s)))}"
        for name, value in _options(parts[0]).items()
        if not re.search(rf"(?i)(^|;)\s*{name}\s*=", text)
    ]
    parts += [f"UID={_braced(username)}"] if username else []
    parts += [f"PWD={_braced(password.get_secret_value())}"] if password else []
    return ";".join(parts)


def _options(connection_string: str) -> dict[str, str]:
    """What the driver has to be told, by the name that the string or its DSN calls it."""
    driver = re.search(r"(?i)(?:^|;)\s*driver\s*=\s*\{?([^;}]*)", connection_string)
    dsn = re.search(r"(?i)(?:^|;)\s*dsn\s*=\s*\{?([^;}]*)", connection_string)
    named = driver.group(1) if driver else ""
    if dsn and not named:
        named = pyodbc.dataSources().get(dsn.group(1).strip(), "")
    found = (options for known, options in _OPTIONS if re.search(known, named.lower()))
    return next(found, {})


def _braced(value: str) -> str:
    """A value as a connection string takes it: plain where it can be, as some know no braces."""
    if re.fullmatch(r"[\w.@\-]*", value):
        return value
    return "{" + value.replace("}", "}}") + "}"


def _prepare(connection: pyodbc.Connection, query_timeout_s: int, *, read_only: bool) -> None:
    product = str(connection.getinfo(pyodbc.SQL_DBMS_NAME)).lower()
    statements = _READ_ONLY.get(product, ()) if read_only else ()
    if product in _LIMITS and query_timeout_s:
        statements += (_LIMITS[product].format(query_timeout_s),)
    elif query_timeout_s:
        _limit(connection, query_timeout_s)
    if read_only and product not in _READ_ONLY:
        _isolate(connection)
    for statement in statements:
        connection.execute(statement).close()
    # The next transaction is the first one of this kind.
    connection.commit()


def _limit(connection: pyodbc.Connection, query_timeout_s: int) -> None:
    try:
        connection.timeout = query_timeout_s
    except pyodbc.Error:
        _log.info("%s: this ODBC driver has no limit on the time of a query", _WHAT)


def _isolate(connection: pyodbc.Connection) -> None:
    """The strongest isolation up to REPEATABLE READ that the driver says the database has."""
    offered = int(connection.getinfo(pyodbc.SQL_TXN_ISOLATION_OPTION))
    for level in (pyodbc.SQL_TXN_REPEATABLE_READ, pyodbc.SQL_TXN_SERIALIZABLE):
        if offered & level:
            connection.set_attr(pyodbc.SQL_ATTR_TXN_ISOLATION, level)
            return


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
        context = ErrorContext(engine, session.errors, session.server, is_login=True)
        translate_errors(context, lambda: _set(session))
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
