"""Reading through any ODBC driver, for databases that have one and no better way in."""

import logging
import math
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar

import pyodbc
from pydantic import SecretStr

from extractors.sql.drivers.cursor import Begun, CursorSession
from extractors.sql.drivers.mysql import check_nothing_cut, keep_whole
from extractors.sql.drivers.odbc_text import read_compared
from extractors.sql.drivers.postgresql_text import (
    check_no_question_mark,
    postgresql_settings,
    read_postgresql_text,
)
from extractors.sql.drivers.sqlite import SqliteSession, connect_sqlite
from extractors.sql.errors.translate import (
    ErrorContext,
    driver_errors,
    to_source_error,
    translate_errors,
)
from extractors.sql.session.session import NO_VALUES, Fetched, Values
from extractors.sql.session.timeouts import read_timeout_s
from extractors.sql.statements.statement import Statement
from extractors.sql.urls.address import error_at
from extractors.sql.urls.parse import check_no_secret
from schemas.errors import ConfigError, IngestError, raise_as
from schemas.source_file.kinds.sql_source import DatabaseOptions
from schemas.source_file.secrets import Resolve

_log = logging.getLogger(__name__)
_ENGINES = {"microsoft sql server": "mssql", "sqlite": "sqlite"}


@dataclass(eq=False, kw_only=True)
class OdbcSession(CursorSession):
    """Any database by its ODBC driver; of this very class, one that nothing more is known of.

    Attributes:
        product: what the driver calls the database.
    """

    product: str

    def _begin(self) -> Begun:
        warning = (
            f"{self.product}: of this database no read-only snapshot through ODBC is known: let an "
            "account log in that can only read"
        )
        return "one transaction through ODBC, rolled back", (warning,)

    def read(self, statement: Statement, values: Values = NO_VALUES) -> Fetched:
        """Reads everything the statement returns, each value compared with the database's text.

        Raises:
            SourceIncompleteError, SourceFormatError: as every read; or a value is not its text.
        """
        quote = str(self.connection.getinfo(pyodbc.SQL_IDENTIFIER_QUOTE_CHAR)).strip()
        return read_compared(self, statement, values, quote)


class MssqlOdbcSession(OdbcSession):
    """A SQL Server by its ODBC driver: each of its values has the type of its column."""

    def read(self, statement: Statement, values: Values = NO_VALUES) -> Fetched:
        """Reads everything the statement returns.

        Raises:
            SourceIncompleteError, SourceFormatError: as every read.
        """
        return self.read_by_cursor(statement, values)


class PostgresqlOdbcSession(OdbcSession):
    """A PostgreSQL by its ODBC driver."""

    tries_optional_queries: ClassVar[bool] = False

    def checked(self, statement: Statement) -> Statement:
        """Returns the statement, if the driver would bind no value in place of an operator.

        Raises:
            ConfigError: it would.
        """
        check_no_question_mark(statement)
        return statement

    def _begin(self) -> Begun:
        self.run(postgresql_settings(self.zone))
        return _ONE_SNAPSHOT

    def read(self, statement: Statement, values: Values = NO_VALUES) -> Fetched:
        """Reads everything the statement returns, written by the server itself.

        Raises:
            SourceIncompleteError, SourceFormatError: as every read.
        """
        return read_postgresql_text(
            statement, self.zone, lambda part: self.read_by_cursor(part, values)
        )


class MysqlOdbcSession(OdbcSession):
    """A MySQL or MariaDB by its ODBC driver."""

    def _begin(self) -> Begun:
        keep_whole(self)
        return _ONE_SNAPSHOT

    def read(self, statement: Statement, values: Values = NO_VALUES) -> Fetched:
        """Reads everything the statement returns, and raises where the server warns of a cut.

        Raises:
            SourceIncompleteError, SourceFormatError: as every read.
        """
        fetched = self.read_by_cursor(statement, values)
        check_nothing_cut(self, statement)
        return fetched


_ONE_SNAPSHOT: Begun = ("one READ ONLY transaction through ODBC, rolled back", ())
_SESSIONS: dict[str, type[OdbcSession]] = {
    "postgresql": PostgresqlOdbcSession,
    "mysql": MysqlOdbcSession,
    "mariadb": MysqlOdbcSession,
    "mssql": MssqlOdbcSession,
}
"""By the database's kind; what `_READ_ONLY` makes a session only read is one snapshot, too."""


@contextmanager
def open_odbc_session(source: DatabaseOptions, resolve: Resolve) -> Iterator[CursorSession]:
    """Opens the database by its ODBC driver, in one transaction, rolled back at the end.

    A SQLite file is found by its driver and read by Python's own: the driver converts each value
    to the type that its column declares, which in SQLite binds no value.

    Raises:
        ConfigError: no DSN or driver of that name, a password in the string, or the login refused.
        SourceUnavailableError: the database cannot be reached.
    """
    if source.dsn is None:
        raise ConfigError("driver: odbc needs a DSN's name, or DRIVER=…;SERVER=…", key="source.dsn")
    if source.tls is not None or source.kerberos:
        key = "source.tls" if source.tls else "source.kerberos"
        raise error_at(key, "source.tls, source.kerberos: with driver: odbc, say it in the dsn")
    secret = source.password or source.token
    connection = connect_odbc(
        source.dsn,
        source.username,
        None if secret is None else resolve(secret),
        login_timeout_s=max(1, round(source.connect_timeout.total_seconds())),
        query_timeout_s=max(1, round(source.statement_timeout.total_seconds())),
    )
    product = str(connection.getinfo(pyodbc.SQL_DBMS_NAME)).lower()
    engine = _ENGINES.get(product, product)
    session = (
        _sqlite_session(connection, source)
        if engine == "sqlite"
        else _odbc_session(connection, source, engine, product)
    )
    with closing(session):
        session.begin()
        yield session


def _odbc_session(
    connection: pyodbc.Connection, source: DatabaseOptions, engine: str, product: str
) -> OdbcSession:
    return _SESSIONS.get(engine, OdbcSession)(
        engine=engine,
        product=product,
        server=str(connection.getinfo(pyodbc.SQL_DATABASE_NAME)) or "the database",
        connection=connection,
        errors=driver_errors(pyodbc),
        paramstyle="qmark",
        timeout_s=source.statement_timeout.total_seconds(),
        zone=source.timezone,
    )


def _sqlite_session(connection: pyodbc.Connection, source: DatabaseOptions) -> SqliteSession:
    """Opens the file that the ODBC driver has opened, by Python's own driver, and closes that."""
    with closing(connection):
        name = str(connection.getinfo(pyodbc.SQL_DATABASE_NAME))
        row = connection.execute("PRAGMA database_list").fetchone()
    if row is None or not row[2]:
        raise ConfigError("name the database's file, Database=…", key=_WHAT)
    path = Path(row[2])
    context = ErrorContext("sqlite", driver_errors(sqlite3), name, is_login=True, key=_WHAT)
    wait_s = source.connect_timeout.total_seconds()
    return SqliteSession(
        engine="sqlite",
        server=name,
        connection=translate_errors(context, lambda: connect_sqlite(path, wait_s)),
        errors=context.errors,
        paramstyle="qmark",
        timeout_s=source.statement_timeout.total_seconds(),
        zone=source.timezone,
        file=path,
    )


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
    # Else the driver makes a file where there is none, and cuts every whole number to 32 bits.
    ("sqlite", {"NoCreat": "1", "BigInt": "1"}),
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
    """Opens a connection, not in a transaction yet; the first statement begins one.

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
    whole = to_connection_string(connection_string, username, password, query_timeout_s)

    def connect() -> pyodbc.Connection:
        connection = pyodbc.connect(whole, timeout=login_timeout_s, readonly=read_only)
        try:
            read_exactly(connection)
            _prepare(connection, query_timeout_s, read_only=read_only)
        except pyodbc.Error:
            connection.close()
            raise
        return connection

    return raise_as(connect, {pyodbc.Error: _not_connected})


def _not_connected(error: pyodbc.Error) -> IngestError:
    state, text = str(error.args[0]), str(error.args[-1])
    if state == "IM002":
        return ConfigError("no such DSN or driver (SQLSTATE IM002): see odbcinst -q -d", key=_WHAT)
    if state in {"IM003", "IM004"} or "Can't open lib" in text:
        return ConfigError(
            f"the ODBC driver cannot be loaded (SQLSTATE {state}): install it, or see "
            "odbcinst -q -d for its name",
            key=_WHAT,
        )
    if re.search(r"\[SQLite\]connect failed \(14\)", text):
        return ConfigError("no such file, or none to be read: check the path in it", key=_WHAT)
    engine = "mssql" if "SQL Server]" in text else "mysql" if "[ma-" in text else ""
    context = ErrorContext(engine, (pyodbc.Error,), _WHAT, is_login=True, key=_WHAT)
    return to_source_error(error, context)


def to_connection_string(
    connection_string: str, username: str | None, password: SecretStr | None, query_timeout_s: int
) -> str:
    """Returns the whole connection string, password included: for the driver, never for a log."""
    text = connection_string.strip().rstrip(";")
    if not text:
        raise error_at(_WHAT, f"{_WHAT} is empty: write a DSN's name or DRIVER=…;SERVER=…")
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
    """Returns what the driver has to be told, by the name that the string or its DSN calls it."""
    driver = re.search(r"(?i)(?:^|;)\s*driver\s*=\s*\{?([^;}]*)", connection_string)
    dsn = re.search(r"(?i)(?:^|;)\s*dsn\s*=\s*\{?([^;}]*)", connection_string)
    named = driver.group(1) if driver else ""
    if dsn and not named:
        named = pyodbc.dataSources().get(dsn.group(1).strip(), "")
    known = (options for pattern, options in _OPTIONS if re.search(pattern, named.lower()))
    return next(known, {})


def _braced(value: str) -> str:
    """Writes a value as a connection string takes it: plain where it can be, else in braces."""
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
    """Sets the strongest isolation up to REPEATABLE READ that the database has."""
    offered = int(connection.getinfo(pyodbc.SQL_TXN_ISOLATION_OPTION))
    for level in (pyodbc.SQL_TXN_REPEATABLE_READ, pyodbc.SQL_TXN_SERIALIZABLE):
        if offered & level:
            connection.set_attr(pyodbc.SQL_ATTR_TXN_ISOLATION, level)
            return


# What MariaDB's driver hands over wrongly, made from the bytes it got from the server instead.

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
