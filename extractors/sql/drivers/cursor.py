"""Reading through a driver's cursor (DBAPI): right for every database, the fastest for some."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar
from zoneinfo import ZoneInfo

import polars as pl

from extractors.sql.errors.translate import ErrorContext, translate_errors
from extractors.sql.session.session import NO_VALUES, Fetched, Session, Values
from extractors.sql.session.values import column_text
from extractors.sql.statements.statement import Statement, can_be_nested
from schemas.errors import SourceFormatError, raise_as

T = TypeVar("T")

BATCH_ROWS = 20_000
_AT_THE_END = (RuntimeError, AttributeError, TypeError, ValueError, LookupError)
"""What drivers raise by a bug of theirs where nothing was begun, or the connection is lost: Trino's
has a RuntimeError for a rollback without a transaction. It would hide what went wrong before.
"""
_NOTHING = dict.fromkeys(("since", "until", "account_id"))

Begun = tuple[str, tuple[str, ...]]
"""What a transaction is, for the proof, and what it is not, for a person."""


@dataclass(eq=False, kw_only=True)
class CursorSession(Session):
    """A database by its Python driver; of this very class, one that nothing more is known of.

    Attributes:
        connection: the driver's.
        paramstyle: how it marks bound values.
        reconnect: opens another connection like it; None where one has to do.
    """

    connection: Any
    paramstyle: str
    reconnect: Callable[[], Any] | None = None

    without_rows: ClassVar[str] = " WHERE 1 = 0"
    """What stands behind a query, as a subquery, to keep it from returning rows."""

    def begin(self, *first: str) -> None:
        """Begins the transaction on a connection that has just been opened.

        `first` are statements that the URL asks for.

        Raises:
            ConfigError, SourceUnavailableError: the server refuses.
        """
        if first:
            self.translate_login_errors(lambda: self.run(*first))
        self.snapshot, self.warnings = self.translate_login_errors(self._begin)

    def _begin(self) -> Begun:
        warning = (
            f"{self.server}: of this kind of database no read-only snapshot is known: let an "
            "account log in that can only read"
        )
        return "one transaction, rolled back", (warning,)

    def translate_login_errors(self, work: Callable[[], T]) -> T:
        """Returns what `work` returns, a part of the login; a driver's errors become ours."""
        context = ErrorContext(self.engine, self.errors, self.server, is_login=True)
        return translate_errors(context, work)

    def close(self) -> None:
        """Rolls back and closes; what has gone wrong with the connection by now has been told."""
        with contextlib.suppress(*self.errors, *_AT_THE_END):
            self.connection.rollback()
        with contextlib.suppress(*self.errors, *_AT_THE_END):
            self.connection.close()

    def run(self, *statements: str) -> Any:  # noqa: ANN401 - any cell
        """Runs `statements`, and returns the last one's first cell; None where it has no row."""
        with contextlib.closing(self.connection.cursor()) as cursor:
            for statement in statements:
                cursor.execute(statement)
            row = cursor.fetchone() if cursor.description else None
        return None if row is None else row[0]

    def read(self, statement: Statement, values: Values = NO_VALUES) -> Fetched:
        """Reads everything the statement returns.

        Raises:
            SourceIncompleteError: the connection was lost, the statement was cancelled, or a value
                was cut short.
            SourceFormatError: the server refuses the statement, or it returns no columns.
        """
        return self.read_by_cursor(statement, values)

    def read_by_cursor(self, statement: Statement, values: Values) -> Fetched:
        """Reads the same by a cursor, whatever faster way the database has.

        Raises:
            SourceIncompleteError, SourceFormatError: as `read`.
        """
        return self._asked(statement, values, self._fetched)

    def _asked(
        self, statement: Statement, values: Values, fetched_of: Callable[[Any, Statement], Fetched]
    ) -> Fetched:
        """Sends the statement, and returns what `fetched_of` reads by the cursor, to its end."""

        def ask() -> Fetched:
            with contextlib.closing(self.streaming_cursor()) as cursor:
                self._execute(cursor, statement, values)
                fetched = fetched_of(cursor, statement)
                if not statement.is_query:
                    _check_end(cursor, statement)
                return fetched

        return self.translate_errors(statement, ask)

    def describe(self, statement: Statement) -> tuple[str, ...] | None:
        """Returns the query's labels without a row; None for what cannot stand in another query."""
        if not can_be_nested(statement, self.engine):
            return None
        nested = statement.within("*", self.without_rows)

        def ask() -> tuple[str, ...]:
            with contextlib.closing(self.streaming_cursor()) as cursor:
                self._execute(cursor, nested, _NOTHING)
                return labels_of(cursor)

        return self.translate_errors(statement, ask)

    def streaming_cursor(self) -> Any:  # noqa: ANN401 - a DBAPI cursor
        """Returns a cursor whose rows the driver does not gather first."""
        return self.connection.cursor()

    def bound(
        self, statement: Statement, values: Values
    ) -> dict[str, object] | list[object] | None:
        """Returns what the driver gets beside the statement; None where it binds no value."""
        if not statement.names:
            return None
        bindable = {name: self.bindable(value) for name, value in values.items()}
        return statement.values(self.paramstyle, bindable)

    def bindable(self, value: object) -> object:
        """Returns a value as the database compares it: a time by the clock of its columns' zone."""
        return local_clock(value, self.zone) if isinstance(value, datetime) else value

    def check_columns(self, statement: Statement, cursor: Any) -> None:  # noqa: ANN401
        """Raises where the driver would hand over less than a column has, before it does."""

    def zone_of(self, _column: Any) -> str | None:  # noqa: ANN401 - a DBAPI description
        """Returns the zone of the times in a column that carry none."""
        return self.zone

    def adapted(self, cells: list[Any], _column: Any) -> list[Any]:  # noqa: ANN401
        """Mends the cells of a column that the driver hands over as something else."""
        return cells

    def _execute(self, cursor: Any, statement: Statement, values: Values) -> None:  # noqa: ANN401
        """Sends the statement; a procedure's results without columns are passed over."""
        sql, bound = statement.rendered(self.paramstyle), self.bound(statement, values)
        if bound is None:
            cursor.execute(sql)
        else:
            cursor.execute(sql, bound)
        while cursor.description is None and _has_next(cursor):
            pass
        if cursor.description is None:
            raise SourceFormatError(
                f"{statement.origin}: returns no columns: select what is wanted"
            )
        self.check_columns(statement, cursor)

    def _fetched(self, cursor: Any, statement: Statement) -> Fetched:  # noqa: ANN401
        description = cursor.description
        batches = [pl.DataFrame(schema={str(n): pl.String() for n in range(len(description))})]
        for rows in _batches(cursor, statement):
            columns = [
                column_text(str(number), self.adapted(list(cells), column), self.zone_of(column))
                for number, (cells, column) in enumerate(
                    zip(zip(*rows, strict=True), description, strict=True)
                )
            ]
            batches.append(pl.DataFrame(columns))
        return Fetched(pl.concat(batches, rechunk=True), labels_of(cursor))


def local_clock(moment: datetime, zone: str | None) -> datetime:
    """Returns what the clock of `zone` shows at a moment, of UTC where none is known."""
    return moment.astimezone(ZoneInfo(zone) if zone else UTC).replace(tzinfo=None)


def labels_of(cursor: Any) -> tuple[str, ...]:  # noqa: ANN401 - a DBAPI cursor
    """Returns the labels of the columns that the cursor is about to return."""
    return tuple(str(column[0]) for column in cursor.description)


def _batches(cursor: Any, statement: Statement) -> Iterator[list[Any]]:  # noqa: ANN401
    while rows := _next_rows(cursor, statement):
        yield rows


def _next_rows(cursor: Any, statement: Statement) -> list[Any]:  # noqa: ANN401 - a DBAPI cursor
    return handed_over(statement, lambda: cursor.fetchmany(BATCH_ROWS))


def handed_over(statement: Statement, work: Callable[[], T]) -> T:
    """Returns what `work` reads of the statement's rows.

    Raises:
        SourceFormatError: the driver cannot hand over a value.
    """

    def to_error(error: ValueError) -> SourceFormatError:
        return SourceFormatError(
            f"{statement.origin}: the driver cannot hand over a value ({type(error).__name__}), "
            "such as a time over a day: make text of it in the query"
        )

    # pyodbc's of such a time, whose text may quote the value.
    return raise_as(work, {ValueError: to_error})


def _check_end(cursor: Any, statement: Statement) -> None:  # noqa: ANN401 - a DBAPI cursor
    """Raises where what was called has more rows to return, or an error to tell."""
    while _has_next(cursor):
        if cursor.description is not None:
            raise SourceFormatError(
                f"{statement.origin}: returns more than one result: one alone would be the whole"
            )


def _has_next(cursor: Any) -> bool:  # noqa: ANN401 - a DBAPI cursor
    """Whether there is another result, which the cursor is at then; some drivers know of none."""
    return hasattr(cursor, "nextset") and bool(cursor.nextset())
