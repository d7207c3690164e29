"""A connection through any ODBC driver, by DSN or connection string: it only reads."""

import logging
import math
import re

import pyodbc
from pydantic import SecretStr

from extractors.jdbc_url import check_no_secret
from extractors.odbc_values import read_exactly
from extractors.silence import silence_s
from extractors.sql_errors import Asking, to_source_error
from schemas.errors import ConfigError, IngestError

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
    ("maria|maodbc", {"READ_TIMEOUT": "{silence_s}"}),
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
    words = _words(connection_string, username, password, query_timeout_s)
    try:
        connection = pyodbc.connect(words, timeout=login_timeout_s, readonly=read_only)
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
    return to_source_error(error, Asking(engine, (pyodbc.Error,), _WHAT, is_login=True))


def _words(
    connection_string: str, username: str | None, password: SecretStr | None, query_timeout_s: int
) -> str:
    """The whole connection string. It holds the password: it goes to the driver, never to a log."""
    text = connection_string.strip().rstrip(";")
    if not text:
        raise ConfigError(f"{_WHAT} is empty: write a DSN's name or DRIVER=…;SERVER=…")
    parts = [text if "=" in text else f"DSN={text}"]
    parts += [
        f"{name}={value.format(silence_s=math.ceil(silence_s(query_timeout_s)))}"
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
