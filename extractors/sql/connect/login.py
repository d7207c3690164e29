"""What a driver needs to log in: password or token, encryption, time limits, who we are."""

import struct
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import URL
from sqlalchemy.dialects import registry
from sqlalchemy.exc import NoSuchModuleError

from extractors.optional_parts import install_extra, loaded
from extractors.sql.connect.tls import tls_options
from extractors.sql.drivers.odbc_driver_search import with_odbc_driver
from extractors.sql.session.timeouts import read_timeout_s
from extractors.sql.urls.address import KEY, DatabaseUrl
from schemas.errors import ConfigError, raise_as
from schemas.source_file.kinds.sql_source import DatabaseOptions
from schemas.source_file.secrets import Resolve

_MSSQL_ACCESS_TOKEN = 1256
_DEAD_AFTER_MS = 60_000
_ALWAYS: dict[str, dict[str, Any]] = {
    "snowflake": {"application": "lumos_ingest", "session_parameters": {"QUERY_TAG": "lumos"}},
    "databricks": {"_disable_pandas": True},  # which would make an array numpy's
}


def login_of(
    database: DatabaseUrl, source: DatabaseOptions, workspace: Path, resolve: Resolve
) -> tuple[URL, dict[str, Any]]:
    """Returns the URL with the secret in it, for the driver only, and its further arguments.

    Raises:
        ConfigError: a secret is not in its place, or the file says two things that exclude one
            another.
    """
    if source.password is not None and source.token is not None:
        raise ConfigError("password and token: name one of the two", key="source.token")
    if source.kerberos and database.dialect not in {"postgresql", "mssql", "db2"}:
        raise ConfigError(f"not known for {database.dialect}", key="source.kerberos")
    seconds = max(1, round(source.connect_timeout.total_seconds()))
    database = database.with_login_timeout(seconds)
    ours = _arguments(database.dialect, source)
    arguments = {
        **{name: value for name, value in ours.items() if name not in database.url.query},
        **database.connect_args,
        **tls_options(database, source.tls, workspace),
    }
    password = None
    if source.password is not None:
        password = resolve(source.password).get_secret_value()
    if source.token is not None:
        token = resolve(source.token).get_secret_value()
        match database.dialect:
            case "mssql":
                bits = token.encode("utf-16-le")
                packed = struct.pack(f"<I{len(bits)}s", len(bits), bits)
                arguments["attrs_before"] = {_MSSQL_ACCESS_TOKEN: packed}
            case "snowflake":
                arguments |= {"authenticator": "oauth", "token": token}
            case _:
                password = token
    if password is not None and database.dialect in {"mysql", "mariadb"}:
        # PyMySQL would take it for Latin-1.
        arguments["password"] = password.encode()
    return database.login_url(source.username, password), arguments


def _arguments(dialect: str, source: DatabaseOptions) -> dict[str, Any]:
    match dialect:
        case "postgresql":
            return {
                "application_name": "lumos-ingest",
                "keepalives_idle": 30,
                "keepalives_interval": 10,
                "keepalives_count": 3,
                "tcp_user_timeout": _DEAD_AFTER_MS,
                **({"require_auth": "gss", "gssencmode": "prefer"} if source.kerberos else {}),
            }
        case "mysql" | "mariadb":
            return {
                "read_timeout": read_timeout_s(source.statement_timeout.total_seconds()),
                "charset": "utf8mb4",
                "local_infile": False,
            }
        case "mssql" if source.kerberos:
            return {"Trusted_Connection": "yes"}
        case "db2":
            return {
                "ReceiveTimeout": max(1, round(source.statement_timeout.total_seconds())),
                "ClientApplName": "lumos-ingest",
                **({"Authentication": "KERBEROS"} if source.kerberos else {}),
            }
    return _ALWAYS.get(dialect, {})


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
    """Raises unless the driver of a dialect is installed; it imports none of it.

    Args:
        drivername: as SQLAlchemy writes it: `mysql+pymysql`, `snowflake`.

    Raises:
        ConfigError: it is missing, with the command to install it, or nobody knows the dialect.
    """
    extra, modules = _NEEDS.get(drivername, ("", ()))
    if any(not _is_there(module) for module in modules):
        reason = f"the driver for {drivername} is not installed: {install_extra(extra)}"
        raise ConfigError(reason, key=KEY)
    if drivername not in _NEEDS:
        _check_dialect(drivername)


def dialect_of(database: DatabaseUrl) -> tuple[Any, Any]:
    """Imports SQLAlchemy's class for the database, and the driver's module.

    Raises:
        ConfigError: one cannot be loaded; the message says what to install.
    """

    def load() -> tuple[Any, Any]:
        dialect_class: Any = database.url.get_dialect()
        return dialect_class, dialect_class.import_dbapi()

    drivername = database.url.drivername
    extra, _ = _NEEDS.get(drivername, ("", ()))
    return loaded(load, drivername, install_extra(extra) if extra else None, key=KEY)


def prepared(database: DatabaseUrl) -> DatabaseUrl:
    """Returns the same address once its driver is known to be there, with the ODBC driver it needs.

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
    """Raises unless SQLAlchemy, or a package beside it, brings the dialect and its driver."""
    reason = f"SQLAlchemy knows no dialect {drivername}: install the package that has it"
    if drivername.startswith("mongodb"):
        reason = "a MongoDB takes no queries: write discover: mongodb in their place"
    unknown = ConfigError(reason, key=KEY)
    dialect = raise_as(
        lambda: registry.load(drivername.replace("+", ".")), {NoSuchModuleError: lambda _: unknown}
    )
    loaded(dialect.import_dbapi, drivername, key=KEY)
