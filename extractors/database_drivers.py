"""The Python driver that a database's dialect needs, or the command that installs it."""

from importlib.util import find_spec

from sqlalchemy.dialects import registry
from sqlalchemy.exc import NoSuchModuleError

from extractors.database_urls.value import KEY, DatabaseUrl
from extractors.odbc_drivers import with_odbc_driver
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
        raise ConfigError(
            f"the driver for {drivername} is not installed: pip install 'lumos-ingest[{extra}]'"
        )
    if drivername not in _NEEDS:
        _check_dialect(drivername)


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
    problem = ""
    try:
        registry.load(drivername.replace("+", ".")).import_dbapi()
    except NoSuchModuleError:
        problem = (
            f"{KEY}: SQLAlchemy knows no dialect {drivername}: install the package that has it"
        )
    except ImportError as error:
        problem = f"{KEY}: the driver of {drivername} is missing: pip install {error.name}"
    if problem:
        raise ConfigError(problem)
