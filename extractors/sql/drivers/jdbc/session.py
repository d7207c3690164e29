"""Reading through real JDBC, for databases whose only driver is Java's."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import polars as pl

from extractors.sql.drivers.jdbc.process import JdbcReader, Parameter, open_jdbc
from extractors.sql.drivers.jdbc.program import JdbcSettings
from extractors.sql.session.session import Fetched, Session, Values
from extractors.sql.session.transaction import postgresql_settings
from extractors.sql.session.values import without_zeros
from extractors.sql.statements.statement import Statement
from schemas.errors import ConfigError
from schemas.source_file.secrets import Resolve
from schemas.source_file.sql_source import DatabaseOptions

_ENGINES = {"sqlserver": "mssql", "db2j": "db2", "as400": "db2", "spark": "databricks"}
_SNAPSHOTS = {"postgresql", "mysql", "mariadb", "oracle", "h2", "sqlite"}
"""Where REPEATABLE READ or SERIALIZABLE is a snapshot; elsewhere it locks, row by row."""
_CANONICAL = {"tinyInt1isBit": "false", "yearIsDateType": "false"}
"""What MySQL's and MariaDB's drivers are told: a small number is no boolean, a year no date."""
_DECIMALS = {"NUMERIC", "DECIMAL", "NUMBER", "DECFLOAT"}


@contextmanager
def open_jdbc_session(
    source: DatabaseOptions, workspace: Path, resolve: Resolve
) -> Iterator[Session]:
    """The database through its own JDBC driver, in one transaction, rolled back at the end.

    Raises:
        ConfigError: no Java, no jar, the url is no JDBC URL, or the login is refused.
        SourceUnavailableError: the database cannot be reached.
    """
    url = source.url or ""
    if not url.lower().startswith("jdbc:"):
        raise ConfigError("source.url: driver: jdbc needs a JDBC URL, jdbc:…")
    if source.tls is not None or source.kerberos:
        raise ConfigError("source.tls, source.kerberos: with driver: jdbc, say it in the url")
    named = url.split(":")[1].lower()
    engine = _ENGINES.get(named, named)
    secret = source.password or source.token
    settings = JdbcSettings(
        url=url,
        jars=tuple(workspace / jar for jar in source.jars),
        username=source.username,
        password=None if secret is None else resolve(secret),
        login_timeout_s=max(1, round(source.connect_timeout.total_seconds())),
        query_timeout_s=max(1, round(source.statement_timeout.total_seconds())),
        properties=_CANONICAL if named in {"mysql", "mariadb"} else {},
        zone=source.timezone,
    )
    with open_jdbc(settings) as reader:
        if engine == "postgresql":
            reader.read(reader.product, postgresql_settings(source.timezone))
        strong = reader.isolation in {"repeatable read", "serializable"}
        is_snapshot = strong and engine in _SNAPSHOTS
        warnings = () if is_snapshot else (_no_snapshot(reader),)
        yield Session(
            engine=engine,
            server=reader.product,
            connection=None,
            errors=(),
            paramstyle="qmark",
            timeout_s=source.statement_timeout.total_seconds(),
            zone=source.timezone,
            snapshot=f"one transaction ({reader.isolation}"
            f"{', READ ONLY' if reader.is_read_only else ''}) through JDBC, rolled back",
            warnings=warnings,
            way="jdbc",
            jdbc=reader,
        )


def _no_snapshot(reader: JdbcReader) -> str:
    return (
        f"{reader.product}: its transaction is {reader.isolation}: rows that change between two "
        "queries may not fit together"
    )


def read_jdbc(reader: JdbcReader, statement: Statement, values: Values) -> Fetched:
    """Everything the statement returns.

    Raises:
        SourceIncompleteError: it did not come whole.
        SourceFormatError: the server refuses it, or two columns have one label.
    """
    name = statement.origin
    rows = reader.read(name, statement.rendered("qmark"), _parameters(statement, values))
    kinds = [re.split(r"\W", kind.upper())[0] for kind in reader.column_types(name)]
    columns = [
        without_zeros(column) if kind in _DECIMALS else column
        for column, kind in zip(rows.get_columns(), kinds, strict=True)
    ]
    numbered = pl.DataFrame([column.alias(str(n)) for n, column in enumerate(columns)])
    return Fetched(numbered, tuple(rows.columns))


def _parameters(statement: Statement, values: Values) -> list[Parameter]:
    found: list[Parameter] = []
    for name in statement.names:
        value = values[name]
        if isinstance(value, datetime):
            found.append(("timestamp", value))
        else:
            found.append(("text", str(value)))
    return found
