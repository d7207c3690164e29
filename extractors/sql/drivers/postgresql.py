"""PostgreSQL's fast path: a COPY of the query, parsed in batches by polars, as text throughout.

Values come as PostgreSQL writes them, both from a COPY and from a cursor, and are made canonical
column by column.
"""

import contextlib
import select
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from io import BytesIO
from socket import AF_UNIX, SHUT_RDWR, SOCK_STREAM, fromfd
from typing import Any

import polars as pl
from psycopg import Connection, OperationalError
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult
from psycopg.types.string import TextLoader

from extractors.sql.drivers.postgresql_text import Kind, canonical, kinds_of
from extractors.sql.session.session import Fetched, Session, Values
from extractors.sql.session.timeouts import deadline, read_timeout_s
from extractors.sql.statements.statement import Statement
from schemas.errors import SourceFormatError, SourceIncompleteError

# PostgreSQL's COPY as a stream of CSV, read from libpq itself: one call a row, and no more.
# psycopg's own copy waits for each row by a generator of its own, which takes longer than all
# else.

_PART_BYTES = 2 * 1024 * 1024


class CopyStream:
    """The rows of one COPY.

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
        """The CSV in parts of some megabytes, each at its end; each ends with a row.

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
        """Until there is more to read; a server that says nothing for too long is gone."""
        if not self._waiting.poll(self._silence_ms):
            raise OperationalError("connection timeout expired")
        self._connection.pgconn.consume_input()


_BATCH_ROWS = 20_000


def describe(session: Session, statement: Statement) -> list[tuple[str, int]]:
    """The columns of the statement, name and type's oid: prepared by the server, not run."""
    link = session.connection.pgconn

    def ask() -> list[tuple[str, int]]:
        _checked(session, link.prepare(b"", statement.rendered("dollar").encode()))
        found = _checked(session, link.describe_prepared(b""))
        return [
            ((found.fname(number) or b"").decode(), found.ftype(number))
            for number in range(found.nfields)
        ]

    return session.translate_errors(statement, ask, is_only_prepared=True)


def _checked(session: Session, result: Any) -> Any:  # noqa: ANN401 - libpq's result
    if result.status == ExecStatus.FATAL_ERROR:
        raise error_from_result(result, session.connection.info.encoding)
    return result


def read_postgresql(session: Session, statement: Statement, values: Values) -> Fetched:
    """Everything the statement returns.

    Raises:
        SourceIncompleteError: the connection was lost, the statement was cancelled, or the rows
            are not as many as the server says.
        SourceFormatError: the server refuses the statement, or a text is not UTF-8.
    """
    columns = describe(session, statement)
    if not columns:
        raise SourceFormatError(f"{statement.origin}: returns no columns: select what is wanted")
    kinds = session.translate_errors(
        statement, lambda: kinds_of(session.connection, [oid for _, oid in columns])
    )
    labels = tuple(name for name, _ in columns)
    if statement.is_query and not statement.names:
        batches = _copied(session, statement, kinds)
    else:
        batches = _fetched(session, statement, values, kinds)
    rows = pl.concat(batches, rechunk=True)
    return Fetched(rows, labels)


def _empty(kinds: list[Kind]) -> pl.DataFrame:
    return pl.DataFrame(schema={str(number): pl.String() for number in range(len(kinds))})


def _copied(session: Session, statement: Statement, kinds: list[Kind]) -> list[pl.DataFrame]:
    """COPY's rows, parsed beside the reading; counted against what the server says it sent."""
    sql = f"COPY (\n{statement.rendered('dollar')}\n) TO STDOUT (FORMAT csv)"
    waiting: list[Future[pl.DataFrame]] = []

    stream = CopyStream(session.connection, sql, read_timeout_s(session.timeout_s))

    def ask(pool: ThreadPoolExecutor) -> int:
        for part in stream.parts():
            waiting.append(pool.submit(_parsed, part, kinds, session.zone))
            if len(waiting) > 1:
                waiting[-2].result()
        return int(stream.count or 0)

    problem = None
    batches: list[pl.DataFrame] = []
    with ThreadPoolExecutor(1) as pool:
        try:
            count = session.translate_errors(statement, lambda: ask(pool))
            batches = [_empty(kinds), *(one.result() for one in waiting)]
        except pl.exceptions.PolarsError:
            problem = "holds a text that is not UTF-8: convert the database's encoding"
    if problem:
        raise SourceFormatError(f"{statement.origin}: {problem}")
    check_count(statement.origin, sent=count, arrived=sum(one.height for one in batches))
    return batches


def check_count(origin: str, *, sent: int, arrived: int) -> None:
    """Nothing: as many rows arrived as the server says it sent.

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


def _fetched(
    session: Session, statement: Statement, values: Values, kinds: list[Kind]
) -> list[pl.DataFrame]:
    """Through a cursor: for bound values, which COPY cannot take, and for what is no query."""
    connection: Connection[Any] = session.connection
    as_text(connection)
    bound = statement.values("pyformat", values)
    sql = statement.rendered("pyformat")
    batches = [_empty(kinds)]

    def ask() -> None:
        name = "lumos_ingest" if statement.is_query else ""
        with connection.cursor(name) if name else connection.cursor() as cursor:
            with _not_silent(session):
                cursor.execute(sql, bound if statement.names else None)
            while rows := _next_rows(session, cursor):
                columns = list(zip(*rows, strict=True))
                batch = pl.DataFrame(
                    {
                        str(number): pl.Series(column, dtype=pl.String)
                        for number, column in enumerate(columns)
                    }
                )
                batches.append(canonical(batch, kinds, session.zone))

    session.translate_errors(statement, ask)
    return batches


def _next_rows(session: Session, cursor: Any) -> list[Any]:  # noqa: ANN401 - psycopg's, of any row
    with _not_silent(session):
        rows: list[Any] = cursor.fetchmany(_BATCH_ROWS)
        return rows


@contextmanager
def _not_silent(session: Session) -> Iterator[None]:
    """Hangs up on a server that says nothing for too long: psycopg's cursors wait without end."""
    with (
        closing(fromfd(session.connection.pgconn.socket, AF_UNIX, SOCK_STREAM)) as socket,
        deadline(read_timeout_s(session.timeout_s), lambda: socket.shutdown(SHUT_RDWR)),
    ):
        yield


def as_text(connection: Connection[Any]) -> None:
    """Makes the connection hand over every value as the text that PostgreSQL writes."""
    for info in connection.adapters.types:
        connection.adapters.register_loader(info.oid, TextLoader)
        if info.array_oid:
            connection.adapters.register_loader(info.array_oid, TextLoader)
