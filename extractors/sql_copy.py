"""PostgreSQL's COPY as a stream of CSV, read from libpq itself: one call a row, and no more.

psycopg's own copy waits for each row by a generator of its own, which takes longer than all else.
"""

import contextlib
import select
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from psycopg import Connection, OperationalError
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

_PART_BYTES = 2 * 1024 * 1024


class CopyStream:
    """The rows of one COPY.

    Attributes:
        count: how many the server says it sent; None until the stream has ended.
    """

    def __init__(self, connection: Connection[Any], sql: str, silence_s: float) -> None:
        self.count: int | None = None
        self._connection = connection
        self._sql = sql
        self._silence_ms = silence_s * 1000
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
