"""PostgreSQL's fast path: a COPY of the query, parsed in batches by polars, as text throughout.

Values come as PostgreSQL writes them, both from a COPY and from a cursor, and are made canonical
column by column.
"""

import contextlib
import select
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from socket import AF_UNIX, SHUT_RDWR, SOCK_STREAM, fromfd
from typing import Any

import polars as pl
from psycopg import Connection, IsolationLevel, OperationalError
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult
from psycopg.types.string import TextLoader

from extractors.sql.drivers.cursor import BATCH_ROWS, Begun, CursorSession
from extractors.sql.drivers.postgresql_text import (
    PUT_ANEW,
    Kind,
    canonical,
    check_not_put_anew,
    kinds_of,
    postgresql_settings,
)
from extractors.sql.session.session import NO_VALUES, Fetched, Values
from extractors.sql.session.timeouts import deadline, read_timeout_s
from extractors.sql.statements.statement import Statement
from schemas.errors import SourceError, SourceFormatError, SourceIncompleteError, raise_as

_PART_BYTES = 2 * 1024 * 1024
_MOST_AT_ONCE = 8
_IDLE_LIMIT = "SET LOCAL idle_in_transaction_session_timeout"


@dataclass(eq=False, kw_only=True)
class PostgresqlSession(CursorSession):
    """A PostgreSQL by psycopg."""

    def _begin(self, *first: str) -> Begun:
        connection, limit_ms = self.connection, round(self.timeout_s * 1000)
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        connection.prepare_threshold = None
        self.run(
            *first,
            f"SET LOCAL statement_timeout = {limit_ms}",
            f"{_IDLE_LIMIT} = {limit_ms}",
            "SET LOCAL client_encoding = 'UTF8'",
            postgresql_settings(self.zone),
        )
        return "one REPEATABLE READ, READ ONLY transaction", ()

    def read(self, statement: Statement, values: Values = NO_VALUES) -> Fetched:
        """Reads everything the statement returns.

        Raises:
            SourceIncompleteError: the connection was lost, the statement was cancelled, or the rows
                are not as many as the server says.
            SourceFormatError: the server refuses the statement, or a text is not UTF-8.
        """
        columns = self._columns(statement)
        if not columns:
            raise SourceFormatError(
                f"{statement.origin}: returns no columns: select what is wanted"
            )
        kinds = self.translate_errors(
            statement, lambda: kinds_of(self.connection, [oid for _, oid in columns])
        )
        labels = tuple(name for name, _ in columns)
        if statement.is_query and not statement.names:
            batches = self._copied(statement, kinds)
        else:
            batches = self._fetched_as_text(statement, values, kinds)
        count = self.translate_errors(statement, lambda: str(self.run(PUT_ANEW)))
        check_not_put_anew(statement.origin, count)
        return Fetched(pl.concat(batches, rechunk=True), labels)

    def describe(self, statement: Statement) -> tuple[str, ...] | None:
        """Returns the labels of the statement, which is prepared; a query is planned, too."""
        labels = tuple(name for name, _ in self._columns(statement))
        if statement.is_query and not statement.names:
            # To prepare a query is free to anyone; to plan it takes the right to read.
            plan = f"EXPLAIN {statement.rendered('dollar')}"
            self.translate_errors(statement, lambda: self.run(plan))
        return labels

    def read_each(self, statements: Sequence[Statement], values: Values) -> list[Fetched]:
        """Reads each of the statements, and returns what they return in their order.

        They are read at once, by connections of their own that share the snapshot, while this one
        waits for as long as that takes.

        Raises:
            SourceIncompleteError, SourceFormatError: as `read`.
        """
        if self.reconnect is None:
            return super().read_each(statements, values)
        connect, first = self.reconnect, statements[0]
        export = (f"{_IDLE_LIMIT} = 0", "SELECT pg_export_snapshot()")
        snapshot = self.translate_errors(first, lambda: str(self.run(*export)))

        def read_joined(statement: Statement) -> Fetched:
            with self._joined(connect(), snapshot) as joined:
                return joined.read(statement, values)

        with ThreadPoolExecutor(min(len(statements), _MOST_AT_ONCE)) as pool:
            fetched = list(pool.map(read_joined, statements))
        limit_ms = round(self.timeout_s * 1000)
        self.translate_errors(first, lambda: self.run(f"{_IDLE_LIMIT} = {limit_ms}"))
        return fetched

    @contextmanager
    def _joined(self, connection: Connection[Any], snapshot: str) -> Iterator["PostgresqlSession"]:
        """Opens another connection within the snapshot that this one has exported."""
        with closing(replace(self, connection=connection)) as joined:
            share = f"SET TRANSACTION SNAPSHOT '{snapshot}'"
            joined.translate_login_errors(lambda: joined._begin(share))
            yield joined

    @contextmanager
    def savepoint(self, statement: Statement) -> Iterator[None]:
        """Rolls back to the block's beginning on an error in it."""
        self.translate_errors(statement, lambda: self.run("SAVEPOINT attempt"))
        problem = None
        try:
            yield
        except SourceError as error:
            problem = error
        if problem is not None:
            self.translate_errors(statement, lambda: self.run("ROLLBACK TO SAVEPOINT attempt"))
            raise problem

    def _columns(self, statement: Statement) -> list[tuple[str, int]]:
        """Prepares the statement, and returns its columns: each name and type's oid."""
        link = self.connection.pgconn

        def ask() -> list[tuple[str, int]]:
            self._check(link.prepare(b"", statement.rendered("dollar").encode()))
            columns = self._check(link.describe_prepared(b""))
            return [
                ((columns.fname(number) or b"").decode(), columns.ftype(number))
                for number in range(columns.nfields)
            ]

        return self.translate_errors(statement, ask, is_only_prepared=True)

    def _check(self, result: Any) -> Any:  # noqa: ANN401 - libpq's result
        if result.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(result, self.connection.info.encoding)
        return result

    def _copied(self, statement: Statement, kinds: list[Kind]) -> list[pl.DataFrame]:
        """Reads COPY's rows, parsed meanwhile; counted against what the server says it sent."""
        sql = f"COPY (\n{statement.rendered('dollar')}\n) TO STDOUT (FORMAT csv)"
        stream = CopyStream(self.connection, sql, read_timeout_s(self.timeout_s))
        parsed: list[Future[pl.DataFrame]] = []

        def ask() -> int:
            for part in stream.parts():
                parsed.append(pool.submit(_parsed, part, kinds, self.zone))
                if len(parsed) > 1:
                    parsed[-2].result()
            return int(stream.count or 0)

        def read() -> tuple[int, list[pl.DataFrame]]:
            count = self.translate_errors(statement, ask)
            return count, [_empty(kinds), *(batch.result() for batch in parsed)]

        not_utf_8 = SourceFormatError(
            f"{statement.origin}: holds a text that is not UTF-8: convert the database's encoding"
        )
        with ThreadPoolExecutor(1) as pool:
            count, batches = raise_as(read, {pl.exceptions.PolarsError: lambda _: not_utf_8})
        check_count(statement.origin, sent=count, arrived=sum(batch.height for batch in batches))
        return batches

    def _fetched_as_text(
        self, statement: Statement, values: Values, kinds: list[Kind]
    ) -> list[pl.DataFrame]:
        """Reads by a cursor: bound values, which COPY cannot take, and what is no query."""
        as_text(self.connection)
        sql, bound = statement.rendered("pyformat"), self.bound(statement, values)
        batches = [_empty(kinds)]

        def ask() -> None:
            name = "lumos_ingest" if statement.is_query else ""
            with self.connection.cursor(name) if name else self.connection.cursor() as cursor:
                with self._not_silent():
                    cursor.execute(sql, bound)
                while rows := self._next_rows(cursor):
                    columns = zip(*rows, strict=True)
                    batch = pl.DataFrame(
                        {
                            str(number): pl.Series(column, dtype=pl.String)
                            for number, column in enumerate(columns)
                        }
                    )
                    batches.append(canonical(batch, kinds, self.zone))

        self.translate_errors(statement, ask)
        return batches

    def _next_rows(self, cursor: Any) -> list[Any]:  # noqa: ANN401 - psycopg's, of any row
        with self._not_silent():
            rows: list[Any] = cursor.fetchmany(BATCH_ROWS)
            return rows

    @contextmanager
    def _not_silent(self) -> Iterator[None]:
        """Hangs up on a server that says nothing for too long: a cursor would wait without end."""
        with (
            closing(fromfd(self.connection.pgconn.socket, AF_UNIX, SOCK_STREAM)) as socket,
            deadline(read_timeout_s(self.timeout_s), lambda: socket.shutdown(SHUT_RDWR)),
        ):
            yield

    def bindable(self, value: object) -> object:
        """Returns the value as it is: a moment is one to psycopg, too."""
        return value


class CopyStream:
    """The rows of one COPY as CSV, read from libpq itself: one call a row, and no more.

    psycopg's own copy waits for each row by a generator of its own, which takes longer than all
    else.

    Attributes:
        count: how many the server says it sent; None until the stream has ended.
    """

    def __init__(self, connection: Connection[Any], sql: str, read_timeout_s: float) -> None:
        self.count: int | None = None
        self._connection = connection
        self._sql = sql
        self._silence_ms = read_timeout_s * 1000
        self._waiting = select.poll()
        self._waiting.register(connection.pgconn.socket, select.POLLIN)

    def parts(self) -> Iterator[BytesIO]:
        """Yields the CSV in parts of some megabytes, each at its end; each ends with a row.

        Written together at once: a list of rows would keep the garbage collector busy.

        Raises:
            psycopg.Error: the server refuses the statement, cancels it, or is gone.
        """
        link = self._connection.pgconn
        link.send_query(self._sql.encode())
        first = self._result()
        if first is None or first.status != ExecStatus.COPY_OUT:
            self._finish(first)
            raise OperationalError("no COPY began")
        part = BytesIO()
        while True:
            length, row = link.get_copy_data(1)
            if length > 0:
                part.write(row)
                if part.tell() >= _PART_BYTES:
                    yield part
                    part = BytesIO()
            elif length == 0:
                self._wait()
            else:
                break
        self._finish(self._result())
        yield part

    def _result(self) -> PGresult | None:
        while self._connection.pgconn.is_busy():
            self._wait()
        return self._connection.pgconn.get_result()

    def _finish(self, result: PGresult | None) -> None:
        """Takes down what the server says at the end; what it complains of is raised."""
        while result is not None:
            if result.status == ExecStatus.FATAL_ERROR:
                error = error_from_result(result, self._connection.info.encoding)
                # It may hang up right after.
                with contextlib.suppress(OperationalError):
                    while self._result() is not None:
                        pass
                raise error
            self.count = result.command_tuples
            result = self._result()

    def _wait(self) -> None:
        """Waits until there is more to read; a server that says nothing for too long is gone."""
        if not self._waiting.poll(self._silence_ms):
            raise OperationalError("connection timeout expired")
        self._connection.pgconn.consume_input()


def check_count(origin: str, *, sent: int, arrived: int) -> None:
    """Raises unless as many rows arrived as the server says it sent.

    Raises:
        SourceIncompleteError: more or fewer did.
    """
    if arrived != sent:
        raise SourceIncompleteError(
            f"{origin}: the server sent {sent} rows, {arrived} arrived: run again"
        )


def _parsed(part: BytesIO, kinds: list[Kind], zone: str | None) -> pl.DataFrame:
    if not part.tell():
        return _empty(kinds)
    part.seek(0)
    rows = pl.read_csv(
        part,
        has_header=False,
        schema={str(number): pl.String() for number in range(len(kinds))},
    )
    return canonical(rows, kinds, zone)


def _empty(kinds: list[Kind]) -> pl.DataFrame:
    return pl.DataFrame(schema={str(number): pl.String() for number in range(len(kinds))})


def as_text(connection: Connection[Any]) -> None:
    """Makes the connection hand over every value as the text that PostgreSQL writes."""
    for info in connection.adapters.types:
        connection.adapters.register_loader(info.oid, TextLoader)
        if info.array_oid:
            connection.adapters.register_loader(info.array_oid, TextLoader)
