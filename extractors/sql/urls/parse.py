"""A database's URL, JDBC's or SQLAlchemy's, to the one address that everything else works with.

Pure: no driver is imported and nothing is looked up. A message never quotes a URL or a value in it.
"""

import re
from collections.abc import Callable
from functools import partial

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from extractors.sql.urls.address import KEY, DatabaseUrl, error_at
from extractors.sql.urls.db2 import db2_url
from extractors.sql.urls.files import duckdb_url, sqlite_url
from extractors.sql.urls.mssql import mssql_url
from extractors.sql.urls.mysql import mysql_url
from extractors.sql.urls.oracle import oracle_url
from extractors.sql.urls.postgresql import postgresql_url
from extractors.sql.urls.syntax import refuse_secret, secret_error
from extractors.sql.urls.warehouses import databricks_url, snowflake_url
from schemas.errors import ConfigError, raise_as

__all__ = ["DatabaseUrl", "check_no_secret", "needs_java", "read_database_url"]

_READERS: dict[str, Callable[[str], DatabaseUrl]] = {
    "postgresql": postgresql_url,
    "mysql": partial(mysql_url, "mysql"),
    "mariadb": partial(mysql_url, "mariadb"),
    "sqlserver": mssql_url,
    "oracle": oracle_url,
    "snowflake": snowflake_url,
    "databricks": databricks_url,
    "spark": databricks_url,
    "db2": db2_url,
    "sqlite": sqlite_url,
    "duckdb": duckdb_url,
}
_DRIVERS = {
    "postgresql": "psycopg",
    "mysql": "pymysql",
    "mariadb": "pymysql",
    "mssql": "pyodbc",
    "oracle": "oracledb",
    "db2": "ibm_db",
}
"""The driver of a SQLAlchemy URL that names none; the only ones that everything is proved with."""

_ASYNC = {"asyncpg", "aiosqlite", "aiomysql", "asyncmy", "aioodbc"}


def read_database_url(text: str) -> DatabaseUrl:
    """Reads the address that a URL means, with its options in the driver's own words.

    Args:
        text: `jdbc:…` as Lumos's JDBC connector takes it, or a SQLAlchemy URL, which stays as it
            is but for a driver where it names none.

    Raises:
        ConfigError: it holds a password, is not well-formed, is of a database that only its Java
            driver reads, or has an option without a translation, which is named.
    """
    text = text.strip()
    if re.match(r"jdbc:", text, re.IGNORECASE):
        return _from_jdbc(text[len("jdbc:") :])
    return _from_sqlalchemy(text)


def needs_java(text: str) -> bool:
    """Whether it is the JDBC URL of a database that no Python driver reads, such as H2."""
    start, database, *_ = [*text.strip().lower().split(":", 2), ""]
    return start == "jdbc" and database not in {*_READERS, "mongodb"}


def check_no_secret(text: str, key: str = KEY) -> None:
    """Makes sure that a JDBC URL or an ODBC connection string of any database holds no password.

    `key` is where it stands in the source file.

    Raises:
        ConfigError: it does; the message does not quote it.
    """
    for name in re.findall(r"(?:^|[?&;:,(])\s*([A-Za-z][\w.\- ]*?)\s*=", text):
        refuse_secret(name, key)
    if re.search(r"//[^/@?;]*:[^@?;]*@|thin:[^@/]+/[^@]+@", text):
        raise secret_error(key)


def _from_jdbc(text: str) -> DatabaseUrl:
    database, _, rest = text.partition(":")
    read = _READERS.get(database.lower())
    if read is None:
        raise _only_by_java(database.lower())
    return read(rest)


def _only_by_java(database: str) -> ConfigError:
    if database == "mongodb":
        return ConfigError("MongoDB has no SQL: write discover: mongodb", key=KEY)
    named = f" of {database}" if re.fullmatch(r"[a-z][a-z0-9+]{0,30}", database) else ""
    return ConfigError(
        f"no Python driver reads a JDBC URL{named}: write jars: [driver.jar] beside it, and "
        "it is read with Java",
        key=KEY,
    )


_OTHER_NAMES = {
    "ibm_db_sa": "db2+ibm_db",  # before SQLAlchemy knew DB2 by db2
    "postgres": "postgresql",  # before its version 1.4, and from hosts of databases to this day
}


def _from_sqlalchemy(text: str) -> DatabaseUrl:
    url = _made(text)
    for name, value in url.query.items():
        refuse_secret(name)
        if name == "odbc_connect" and re.search(r"(?i)(^|;)\s*(pwd|password)\s*=", str(value)):
            raise secret_error()
    if url.password is not None:
        raise secret_error()
    if url.drivername in _OTHER_NAMES:
        url = url.set(drivername=_OTHER_NAMES[url.drivername])
    backend, plus, driver = url.drivername.partition("+")
    if driver in _ASYNC:
        raise ConfigError(
            f"{driver} is a driver for asynchronous programs: leave +{driver} out", key=KEY
        )
    if not plus and backend in _DRIVERS:
        url = url.set(drivername=f"{backend}+{_DRIVERS[backend]}")
    if url.host is None:
        return DatabaseUrl(url, url.database or "")
    port = f":{url.port}" if url.port else ""
    return DatabaseUrl(url, f"{url.host}{port}/{url.database or ''}")


def _made(text: str) -> URL:
    def to_error(_: Exception) -> ConfigError:
        return error_at(
            KEY,
            f"{KEY} is neither a JDBC URL (jdbc:postgresql://host:port/database) nor a SQLAlchemy "
            "URL (postgresql://host:port/database)",
        )

    return raise_as(lambda: make_url(text), {ArgumentError: to_error, ValueError: to_error})
