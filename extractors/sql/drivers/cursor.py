"""Reading through a driver's cursor, for every database without a faster way that is exact."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import polars as pl

from extractors.sql.session.session import Fetched, Session, Values
from extractors.sql.session.values import column_text
from extractors.sql.statements.statement import Statement
from schemas.errors import SourceFormatError, SourceIncompleteError

_BATCH_ROWS = 20_000
_MYSQL_BIT, _MYSQL_TIMESTAMP = 16, 7
_CUT_SHORT = {1260, 1265, 1301, 1931}
"""MySQL's warnings of what was cut: GROUP_CONCAT, a conversion, max_allowed_packet, the rows."""


def read_cursor(session: Session, statement: Statement, values: Values) -> Fetched:
    """Everything the statement returns.

    Raises:
        SourceIncompleteError: the connection was lost, the statement was cancelled, or a value was
            cut short.
        SourceFormatError: the server refuses the statement, or it returns no columns.
    """
    found: list[Fetched] = []

    def ask() -> None:
        cursor = streaming_cursor(session)
        try:
            execute(session, cursor, statement, values)
            found.append(_fetched(session, cursor, statement))
            if not statement.is_query:
                _check_end(cursor, statement)
        finally:
            cursor.close()

    session.translate_errors(statement, ask)
    if session.engine in {"mysql", "mariadb"}:
        session.translate_errors(statement, lambda: _check_warnings(session, statement))
    return found[0]


def streaming_cursor(session: Session) -> Any:  # noqa: ANN401 - a DBAPI cursor
    """A cursor whose rows the driver does not gather first."""
    if session.engine in {"mysql", "mariadb"} and hasattr(session.connection, "set_charset"):
        return session.connection.cursor(_streaming_mysql_cursor())
    cursor = session.connection.cursor()
    if session.engine == "oracle":
        cursor.arraysize = _BATCH_ROWS
        cursor.outputtypehandler = _oracle_types
    return cursor


@cache
def _streaming_mysql_cursor() -> type[Any]:
    """PyMySQL's streaming cursor, which lets go of a result whose connection is lost."""
    from pymysql.cursors import SSCursor

    class StreamingCursor(SSCursor):  # type: ignore[misc] # no types of its own
        """Its rows are not gathered first."""

        connection: Any

        def close(self) -> None:
            """Reads what is left of the result, where the connection is there to read it from.

            PyMySQL's own fails on a lost one, with an AttributeError in place of what went wrong.
            """
            if self.connection is not None and not self.connection.open:
                if self._result is not None:
                    self._result.unbuffered_active = False
                self.connection = None
            super().close()

        __del__ = close

    return StreamingCursor


def execute(
    session: Session,
    cursor: Any,  # noqa: ANN401 - a DBAPI cursor
    statement: Statement,
    values: Values,
) -> None:
    """Sends the statement; a procedure's results without columns are passed over."""
    sql = statement.rendered(session.paramstyle)
    if statement.names:
        cursor.execute(sql, statement.values(session.paramstyle, values))
    else:
        cursor.execute(sql)
    while cursor.description is None and hasattr(cursor, "nextset") and cursor.nextset():
        pass
    if cursor.description is None:
        raise SourceFormatError(f"{statement.origin}: returns no columns: select what is wanted")
    if session.engine == "oracle" and session.way == "native":
        _check_zones(statement, cursor)


def labels_of(cursor: Any) -> tuple[str, ...]:  # noqa: ANN401 - a DBAPI cursor
    """The labels of the columns that the cursor is about to return."""
    return tuple(str(column[0]) for column in cursor.description)


def _fetched(session: Session, cursor: Any, statement: Statement) -> Fetched:  # noqa: ANN401
    description = cursor.description
    batches = [pl.DataFrame(schema={str(n): pl.String() for n in range(len(description))})]
    for rows in _batches(cursor, statement):
        columns = [
            column_text(str(number), _adapted(session, list(cells), description[number]), zone)
            for number, cells in enumerate(zip(*rows, strict=True))
            for zone in [_zone(session, description[number])]
        ]
        batches.append(pl.DataFrame(columns))
    return Fetched(pl.concat(batches, rechunk=True), labels_of(cursor))


def _batches(cursor: Any, statement: Statement) -> Iterator[list[Any]]:  # noqa: ANN401
    while rows := _next_rows(cursor, statement):
        yield rows


def _next_rows(cursor: Any, statement: Statement) -> list[Any]:  # noqa: ANN401 - a DBAPI cursor
    problem = None
    try:
        rows: list[Any] = cursor.fetchmany(_BATCH_ROWS)
    except ValueError as error:  # pyodbc's, of a time over a day; its words may quote the value
        problem = type(error).__name__
    else:
        return rows
    raise SourceFormatError(
        f"{statement.origin}: the driver cannot hand over a value ({problem}), such as a time over "
        "a day: make text of it in the query"
    )


def _check_end(cursor: Any, statement: Statement) -> None:  # noqa: ANN401 - a DBAPI cursor
    """Nothing: what was called has no more rows to return, nor an error to tell."""
    while hasattr(cursor, "nextset") and cursor.nextset():
        if cursor.description is not None:
            raise SourceFormatError(
                f"{statement.origin}: returns more than one result: one alone would be the whole"
            )


def _zone(session: Session, column: Any) -> str | None:  # noqa: ANN401 - a DBAPI description
    """MySQL's TIMESTAMP is a moment: it comes in the session's zone."""
    is_moment = session.engine in {"mysql", "mariadb"} and column[1] == _MYSQL_TIMESTAMP
    return session.zone or ("UTC" if is_moment else None)


def _adapted(session: Session, cells: list[Any], column: Any) -> list[Any]:  # noqa: ANN401
    """MySQL's BIT(1) is a boolean; its TINYINT(1) may be any small number, and stays one."""
    if session.engine not in {"mysql", "mariadb"} or column[1] != _MYSQL_BIT or column[3] != 1:
        return cells
    # A computed one comes as a digit.
    return [None if one is None else one not in {b"\0", b"0"} for one in cells]


def _check_zones(statement: Statement, cursor: Any) -> None:  # noqa: ANN401 - oracledb's
    """Oracle's Python driver hands over the clock of a zone, and not the zone."""
    import oracledb

    zoned = oracledb.DB_TYPE_TIMESTAMP_TZ
    lost = [column[0] for column in cursor.description if column[1] is zoned]
    if lost:
        raise SourceFormatError(
            f"{statement.origin}: {lost[0]} is a TIMESTAMP WITH TIME ZONE, whose zone Oracle's "
            "Python driver drops: select SYS_EXTRACT_UTC of it and state timezone: UTC, or read "
            "with driver: jdbc"
        )


def _oracle_types(cursor: Any, column: Any) -> Any:  # noqa: ANN401 - oracledb's own
    import oracledb

    exact = {
        oracledb.DB_TYPE_NUMBER: oracledb.DB_TYPE_VARCHAR,
        oracledb.DB_TYPE_CLOB: oracledb.DB_TYPE_LONG,
        oracledb.DB_TYPE_NCLOB: oracledb.DB_TYPE_LONG_NVARCHAR,
        oracledb.DB_TYPE_BLOB: oracledb.DB_TYPE_LONG_RAW,
    }.get(column.type_code)
    return None if exact is None else cursor.var(exact, arraysize=cursor.arraysize)


def _check_warnings(session: Session, statement: Statement) -> None:
    with session.connection.cursor() as cursor:
        cursor.execute("SHOW WARNINGS")
        cut = [code for _, code, _ in cursor.fetchall() if code in _CUT_SHORT]
    if cut:
        raise SourceIncompleteError(
            f"{statement.origin}: values or rows were cut short, {len(cut)} times (warning "
            f"{cut[0]}): raise max_allowed_packet, select less of that column, or take the "
            "query's own limit out"
        )
