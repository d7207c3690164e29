"""A database that is logged in to: one read-only transaction, and what is known of its driver."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import polars as pl

from extractors.sql.drivers.jdbc.process import JdbcReader
from extractors.sql.errors.translate import ErrorContext, translate_errors
from extractors.sql.session.timeouts import deadline
from extractors.sql.statements.statement import Statement

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Session:
    """One connection within its transaction.

    Attributes:
        engine: the database's kind: postgresql, mysql, mariadb, sqlite and so on.
        server: how messages call it: host and database, never who logs in.
        connection: the driver's.
        errors: what the driver raises.
        paramstyle: how it marks bound values.
        timeout_s: for each statement.
        zone: the zone of times that carry none; None leaves them as they are.
        snapshot: what the transaction is, for the proof.
        warnings: what it is not.
        way: through the database's own Python driver, or another.
        jdbc: what reads in the driver's stead, where that is Java's; `connection` is None then.
    """

    engine: str
    server: str
    connection: Any
    errors: tuple[type[Exception], ...]
    paramstyle: str
    timeout_s: float
    zone: str | None
    snapshot: str = ""
    warnings: tuple[str, ...] = ()
    way: Literal["native", "odbc", "jdbc"] = "native"
    jdbc: JdbcReader | None = None

    @property
    def by_psycopg(self) -> bool:
        """Whether it is a PostgreSQL by its own driver."""
        return self.engine == "postgresql" and self.way == "native"

    def translate_errors(
        self, statement: Statement, ask: Callable[[], T], *, is_only_prepared: bool = False
    ) -> T:
        """What `ask` returns; a driver's errors become ours, with the statement's name."""
        context = ErrorContext(
            self.engine,
            self.errors,
            statement.origin,
            sql=statement.rendered("qmark"),
            is_only_prepared=is_only_prepared,
        )
        with self.deadline():
            return translate_errors(context, ask)

    @contextmanager
    def deadline(self) -> Iterator[None]:
        """Interrupts what runs too long, where the database cannot be told to."""
        if self.engine not in {"sqlite", "duckdb"} or self.way != "native":
            yield
            return
        with deadline(self.timeout_s, self.connection.interrupt):
            yield


def run(connection: Any, *statements: str) -> Any:  # noqa: ANN401 - a DBAPI connection, any cell
    """The first cell that the last of `statements` returns; None where it returns no row."""
    cursor = connection.cursor()
    try:
        for statement in statements:
            cursor.execute(statement)
        row = cursor.fetchone() if cursor.description else None
    finally:
        cursor.close()
    return None if row is None else row[0]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a statement returned.

    Attributes:
        rows: every column as text, in order, numbered "0", "1" and so on.
        labels: the query's labels of these columns; they may repeat.
        warnings: what a person should know.
    """

    rows: pl.DataFrame
    labels: tuple[str, ...]
    warnings: tuple[str, ...] = ()


Values = Mapping[str, object]
"""What placeholders stand for, by name."""

NO_VALUES: Values = {}
