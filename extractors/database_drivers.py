"""The Python driver that a database's dialect needs, or the command that installs it."""

import contextlib
from importlib.util import find_spec
from typing import Any

from sqlalchemy.dialects import registry
from sqlalchemy.exc import NoSuchModuleError

from extractors.database_urls.value import KEY, DatabaseUrl
from extractors.odbc_drivers import with_odbc_driver
from extractors.optional_parts import install_extra, loaded
from schemas.errors import ConfigError

_NEEDS = {
    "postgresql+psycopg": ("postgresql", ("psycopg",)),
    "mysql+pymysql": ("mysql", ("pymysql",)),
    "mariadb+pymysql": ("mysql", ("pymysql",)),
    "mssql+pyodbc": ("mssql", ("pyodbc",)),
    "mssql+mssqlpython": ("mssql", ("mssql_python",)),
    "oracle+oracledb": ("oracle", ("oracledb",)),
    "snowflake": ("snowflake", ("snowflake", "snowflake.sqlalchemy")),
    "databricks": ("databricks", ("databricks", "databricks.sqlalchemy")),
    "db2+ibm_db": ("db2", ("ibm_db", "ibm_db_sa")),
    "duckdb": ("duckdb", ("duckdb", "duckdb_engine")),
    "sqlite": ("", ()),
}
"""Dialect and driver: the extra of this package that brings them, and the modules it brings."""


def check_driver(drivername: str) -> None:
    """Makes sure that the driver of a dialect is installed. It imports none of it.

    Args:
        drivername: as SQLAlchemy writes it: `mysql+pymysql`, `snowflake`.

    Raises:
        ConfigError: it is missing, with the command to install it, or nobody knows the dialect.
    """
    extra, modules = _NEEDS.get(drivername, ("", ()))
    if any(not _is_there(module) for module in modules):
        raise ConfigError(f"the driver for {drivername} is not installed: {install_extra(extra)}")
    if drivername not in _NEEDS:
        _check_dialect(drivername)


def dialect_of(database: DatabaseUrl) -> tuple[Any, Any]:
    """SQLAlchemy's class for the database, and the driver's module; both are imported here.

    Raises:
        ConfigError: one cannot be loaded; the message says what to install.
    """

    def load() -> tuple[Any, Any]:
        dialect_class: Any = database.url.get_dialect()
        return dialect_class, dialect_class.import_dbapi()

    drivername = database.url.drivername
    extra, _ = _NEEDS.get(drivername, ("", ()))
    return loaded(load, f"{KEY}: {drivername}", install_extra(extra) if extra else None)


def prepared(database: DatabaseUrl) -> DatabaseUrl:
    """The same address once its driver is known to be there, with the ODBC driver it needs.

    Raises:
        ConfigError: a driver is missing; the message has the command that installs it.
    """
    check_driver(database.url.drivername)
    return with_odbc_driver(database)


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the package that it would be in
        return False


def _check_dialect(drivername: str) -> None:
    """Any other dialect that SQLAlchemy or a package beside it brings."""
    dialect = None
    with contextlib.suppress(NoSuchModuleError):
        dialect = registry.load(drivername.replace("+", "."))
    if dialect is None:
        raise ConfigError(
            f"{KEY}: SQLAlchemy knows no dialect {drivername}: install the package that has it"
        )
    loaded(dialect.import_dbapi, f"{KEY}: {drivername}")
