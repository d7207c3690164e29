"""Reading through real JDBC, for databases whose only driver is Java's."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar

import polars as pl

from extractors.sql.drivers.jdbc.process import JdbcReader, Parameter, open_jdbc
from extractors.sql.drivers.jdbc.program import JdbcSettings
from extractors.sql.drivers.postgresql_text import (
    check_no_question_mark,
    jsons_text,
    postgresql_settings,
    read_postgresql_text,
)
from extractors.sql.session.session import NO_VALUES, Fetched, Session, Values
from extractors.sql.session.values import without_zeros
from extractors.sql.statements.statement import Statement, can_be_nested
from extractors.sql.urls.address import error_at
from schemas.errors import ConfigError
from schemas.source_file.kinds.sql_source import DatabaseOptions
from schemas.source_file.secrets import Resolve

_ENGINES = {"sqlserver": "mssql", "db2j": "db2", "as400": "db2", "spark": "databricks"}
_SNAPSHOTS = {"postgresql", "mysql", "mariadb", "oracle", "h2", "sqlite"}
"""Where REPEATABLE READ or SERIALIZABLE is a snapshot; elsewhere it locks, row by row."""
_CANONICAL = {"tinyInt1isBit": "false", "yearIsDateType": "false"}
"""What MySQL's and MariaDB's drivers are told: a small number is no boolean, a year no date."""
_CHANGES: dict[str, Callable[[pl.Series], pl.Series]] = {
    **dict.fromkeys(("NUMERIC", "DECIMAL", "NUMBER", "DECFLOAT"), without_zeros),
    **dict.fromkeys(("JSON", "JSONB"), jsons_text),
}
"""What is left to do with the text of a type's values, by the type's name."""
_IN_PLACE_OF = {"sqlite": "sqlite:///", "duckdb": "duckdb:///"}
"""What Python reads itself: their Java drivers make a file where there is none."""
_ONLY_IF_THERE = (
    (re.compile(r"(?i)jdbc:h2:(?!mem:|tcp:|ssl:|zip:)(?!.*;IFEXISTS=)"), ";IFEXISTS=TRUE"),
    (
        re.compile(r"(?i)jdbc:hsqldb:(?!mem:|res:|hsqls?:|https?:)(?!.*;ifexists=)"),
        ";ifexists=true",
    ),
)
"""What keeps a driver from making a database where there is none, unless the url says it."""


@dataclass(eq=False, kw_only=True)
class JdbcSession(Session):
    """Any database by its JDBC driver.

    Attributes:
        reader: the Java program.
    """

    reader: JdbcReader

    def begin(self) -> None:
        """Has the database tell what is canonical here, where it has to be told to."""

    def read(self, statement: Statement, values: Values = NO_VALUES) -> Fetched:
        """Reads everything the statement returns.

        Raises:
            SourceIncompleteError: it did not come whole.
            SourceFormatError: the server refuses it, or two columns have one label.
        """
        return self.read_plainly(statement, values)

    def read_plainly(self, statement: Statement, values: Values) -> Fetched:
        """Reads the same as the driver has it.

        Raises:
            SourceIncompleteError, SourceFormatError: as `read`.
        """
        name = statement.origin
        rows = self.reader.read(name, statement.rendered("qmark"), _parameters(statement, values))
        kinds = [re.split(r"\W", kind.upper())[0] for kind in self.reader.column_types(name)]
        columns = [
            _CHANGES[kind](column) if kind in _CHANGES else column
            for column, kind in zip(rows.get_columns(), kinds, strict=True)
        ]
        numbered = pl.DataFrame([column.alias(str(n)) for n, column in enumerate(columns)])
        return Fetched(numbered, tuple(rows.columns))

    def describe(self, statement: Statement) -> tuple[str, ...] | None:
        """Returns the query's labels without a row; None for what binds a value or cannot nest."""
        if statement.names or not can_be_nested(statement, self.engine):
            return None
        return self.read_plainly(statement.within("*", " WHERE 1 = 0"), NO_VALUES).labels


class PostgresqlJdbcSession(JdbcSession):
    """A PostgreSQL by its JDBC driver."""

    tries_optional_queries: ClassVar[bool] = False

    def checked(self, statement: Statement) -> Statement:
        """Returns the statement, if the driver would bind no value in place of an operator.

        Raises:
            ConfigError: it would.
        """
        check_no_question_mark(statement)
        return statement

    def begin(self) -> None:
        """Has the server write its values as they are made canonical here."""
        self.reader.read(self.server, postgresql_settings(self.zone))

    def read(self, statement: Statement, values: Values = NO_VALUES) -> Fetched:
        """Reads everything the statement returns, written by the server itself.

        Raises:
            SourceIncompleteError, SourceFormatError: as every read.
        """
        return read_postgresql_text(
            statement, self.zone, lambda part: self.read_plainly(part, values)
        )


_SESSIONS: dict[str, type[JdbcSession]] = {"postgresql": PostgresqlJdbcSession}


@contextmanager
def open_jdbc_session(
    source: DatabaseOptions, workspace: Path, resolve: Resolve
) -> Iterator[JdbcSession]:
    """Opens the database by its own JDBC driver, in one transaction, rolled back at the end.

    Raises:
        ConfigError: no Java, no jar, the url is no JDBC URL, or the login is refused.
        SourceUnavailableError: the database cannot be reached.
    """
    url = source.url or ""
    if not url.lower().startswith("jdbc:"):
        raise ConfigError("driver: jdbc needs a JDBC URL, jdbc:…", key="source.url")
    if source.tls is not None or source.kerberos:
        key = "source.tls" if source.tls else "source.kerberos"
        raise error_at(key, "source.tls, source.kerberos: with driver: jdbc, say it in the url")
    named = url.split(":")[1].lower()
    if named in _IN_PLACE_OF:
        raise ConfigError(
            f"{named} is read without Java: leave driver and jars out, and write "
            f"{_IN_PLACE_OF[named]}PATH",
            key="source.driver",
        )
    engine = _ENGINES.get(named, named)
    secret = source.password or source.token
    settings = JdbcSettings(
        url=url + "".join(word for kind, word in _ONLY_IF_THERE if kind.match(url)),
        jars=tuple(workspace / jar for jar in source.jars),
        username=source.username,
        password=None if secret is None else resolve(secret),
        login_timeout_s=max(1, round(source.connect_timeout.total_seconds())),
        query_timeout_s=max(1, round(source.statement_timeout.total_seconds())),
        properties=_CANONICAL if named in {"mysql", "mariadb"} else {},
        zone=source.timezone,
    )
    with open_jdbc(settings) as reader:
        strong = reader.isolation in {"repeatable read", "serializable"}
        is_snapshot = strong and engine in _SNAPSHOTS
        session = _SESSIONS.get(engine, JdbcSession)(
            engine=engine,
            server=reader.product,
            errors=(),
            timeout_s=source.statement_timeout.total_seconds(),
            zone=source.timezone,
            snapshot=f"one transaction ({reader.isolation}"
            f"{', READ ONLY' if reader.is_read_only else ''}) through JDBC, rolled back",
            warnings=(
                *(() if is_snapshot else (_no_snapshot(reader),)),
                *((_not_read_only(reader),) if reader.refuses_read_only else ()),
            ),
            reader=reader,
        )
        session.begin()
        yield session


def _not_read_only(reader: JdbcReader) -> str:
    return (
        f"{reader.product}: its driver refuses to be set read-only once it is connected: say it in "
        "the url, if the driver has a word for it, and let an account log in that can only read"
    )


def _no_snapshot(reader: JdbcReader) -> str:
    return (
        f"{reader.product}: its transaction is {reader.isolation}: rows that change between two "
        "queries may not fit together"
    )


def _parameters(statement: Statement, values: Values) -> list[Parameter]:
    parameters: list[Parameter] = []
    for name in statement.names:
        value = values[name]
        if isinstance(value, datetime):
            parameters.append(("timestamp", value))
        else:
            parameters.append(("text", str(value)))
    return parameters
