"""A database that is logged in to, by whatever driver: one read-only transaction, and its reads."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypeVar

import polars as pl

from extractors.sql.errors.translate import ErrorContext, translate_errors
from extractors.sql.statements.statement import Statement

T = TypeVar("T")

Values = Mapping[str, object]
"""What placeholders stand for, by name: texts, and moments as aware datetimes."""

NO_VALUES: Values = {}


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


@dataclass(eq=False, kw_only=True)
class Session(ABC):
    """One login within its transaction. Each driver has a class of its own.

    Attributes:
        engine: the database's kind: postgresql, mysql, mariadb, sqlite and so on.
        server: how messages call it: host and database, never who logs in.
        errors: what the driver raises.
        timeout_s: for each statement.
        zone: the zone of times that carry none; None leaves them as they are.
        snapshot: what the transaction is, for the proof.
        warnings: what it is not.
        file: what an embedded database is kept in; None for a server.
    """

    engine: str
    server: str
    errors: tuple[type[Exception], ...]
    timeout_s: float
    zone: str | None
    snapshot: str = ""
    warnings: tuple[str, ...] = ()
    file: Path | None = None

    tries_optional_queries: ClassVar[bool] = True
    """Whether a query that can be done without is tried, as its failure does not end all others."""

    def checked(self, statement: Statement) -> Statement:
        """Returns the statement, if the driver takes it for what it is.

        Raises:
            ConfigError: it would take it for another.
        """
        return statement

    @abstractmethod
    def read(self, statement: Statement, values: Values = NO_VALUES) -> Fetched:
        """Reads everything the statement returns, in the fastest way that is exact for it.

        Raises:
            SourceIncompleteError: it did not come whole.
            SourceFormatError: the server refuses it.
        """

    @abstractmethod
    def describe(self, statement: Statement) -> tuple[str, ...] | None:
        """Returns the labels the statement would return; None where only running it could tell.

        Raises:
            SourceFormatError: the server refuses it.
        """

    def read_each(self, statements: Sequence[Statement], values: Values) -> list[Fetched]:
        """Reads each of the statements, in their order; at once where that is one snapshot.

        Raises:
            SourceIncompleteError, SourceFormatError: as `read`.
        """
        return [self.read(statement, values) for statement in statements]

    def savepoint(self, _statement: Statement) -> AbstractContextManager[None]:
        """Rolls back to the block's beginning on an error in it, where the driver can do so."""
        return nullcontext()

    def translate_errors(
        self, statement: Statement, ask: Callable[[], T], *, is_only_prepared: bool = False
    ) -> T:
        """Returns what `ask` returns; a driver's errors become ours, with the statement's name."""
        context = ErrorContext(
            self.engine,
            self.errors,
            statement.origin,
            sql=statement.rendered("qmark"),
            is_only_prepared=is_only_prepared,
        )
        with self.deadline():
            return translate_errors(context, ask)

    def deadline(self) -> AbstractContextManager[None]:
        """Ends what takes longer than `timeout_s`, where the database cannot be told to."""
        return nullcontext()
