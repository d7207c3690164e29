"""DuckDB's own way: its Arrow batches into polars, made text column by column.

Only for types whose text is proved to be the cursor's; a statement with any other goes by the
cursor.
"""

import re
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from typing import Any

import polars as pl

from extractors.sql.drivers.cursor import read_cursor
from extractors.sql.session.session import Fetched, Session, Values
from extractors.sql.session.values import (
    column_text,
    floats_text,
    local_text,
    utc_text,
    without_zeros,
)
from extractors.sql.statements.statement import Statement

_WHOLE = r"U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)"
_AS_TEXT = re.compile(rf"VARCHAR|JSON|{_WHOLE}|BOOLEAN|UUID|ENUM\(.*\)|DECIMAL\(\d+,\s*\d+\)")
_AS_IT_IS = {"DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"}
_FLOATS = {"FLOAT", "DOUBLE"}


def read_duckdb(session: Session, statement: Statement, values: Values) -> Fetched:
    """Everything the statement returns.

    Raises:
        SourceIncompleteError: the statement was cancelled.
        SourceFormatError: DuckDB refuses it, or a value in its rows.
    """
    if not statement.is_query:
        return read_cursor(session, statement, values)
    bound: Any = statement.values(session.paramstyle, values) if statement.names else None
    sql = statement.rendered(session.paramstyle)
    described = session.translate_errors(
        statement, lambda: session.connection.execute(f"DESCRIBE {sql}", bound).fetchall()
    )
    kinds = [str(column[1]) for column in described]
    chosen = [_chosen(number, kind) for number, kind in enumerate(kinds)]
    if None in chosen:
        return read_cursor(session, statement, values)
    translate_errors = f"SELECT {', '.join(map(str, chosen))} FROM (\n{sql}\n) q"  # noqa: S608 - the query
    rows = session.translate_errors(
        statement, lambda: _streamed(session, translate_errors, bound, kinds)
    )
    if rows is None:
        return read_cursor(session, statement, values)
    return Fetched(rows, tuple(str(column[0]) for column in described))


def _chosen(number: int, kind: str) -> str | None:
    """A column as it is asked for; None where it is of a type that is not known here."""
    place = f"#{number + 1}"
    if _AS_TEXT.fullmatch(kind):
        place = f"CAST({place} AS VARCHAR)"
    elif kind in _FLOATS:
        place = f"CAST({place} AS DOUBLE)"
    elif kind == "BLOB":
        place = f"lower(hex({place}))"
    elif kind not in _AS_IT_IS:
        return None
    return f'{place} AS "{number}"'


def _streamed(session: Session, sql: str, bound: Any, kinds: list[str]) -> pl.DataFrame | None:  # noqa: ANN401
    """The rows; None where a time is none that Python has, which the cursor has its way with."""
    relation = session.connection.sql(sql, params=bound)
    batches = [pl.DataFrame(schema={str(number): pl.String for number in range(len(kinds))})]
    problem = None
    with _pulled(session, relation) as pulled:
        try:
            for batch in pulled:
                if not all(map(_is_pythons, batch)):
                    return None
                columns = [
                    _text(column, kind, session.zone)
                    for column, kind in zip(batch, kinds, strict=True)
                ]
                batches.append(pl.DataFrame(columns))
        except pl.exceptions.ComputeError as error:
            problem = str(error)
    if problem:
        raise session.errors[0](problem)  # DuckDB's own words, which polars passes on
    return pl.concat(batches, rechunk=True)


@contextmanager
def _pulled(session: Session, relation: Any) -> Iterator[Iterator[pl.DataFrame]]:  # noqa: ANN401
    """The relation's batches, all of them taken at the end, whether or not they are wanted.

    polars pulls them in a thread of its own until there are no more, and DuckDB refuses a
    connection that another thread is at work on, even to be closed.
    """
    batches = pl.scan_arrow_c_stream(relation).collect_batches()
    try:
        yield batches
    except BaseException:
        session.connection.interrupt()
        raise
    finally:
        with suppress(pl.exceptions.PolarsError):
            deque(batches, maxlen=0)


def _is_pythons(column: pl.Series) -> bool:
    return not column.dtype.is_temporal() or bool(
        column.cast(pl.Date).is_between(date.min, date.max).all()
    )


def _text(column: pl.Series, kind: str, zone: str | None) -> pl.Series:
    if kind.startswith("DECIMAL"):
        return without_zeros(column)
    if kind == "DATE":
        return column.dt.to_string("%Y-%m-%d")
    if kind == "TIMESTAMP":
        if zone not in {None, "UTC"}:
            return column_text(column.name, column.to_list(), zone)
        return local_text(column, zone)
    if kind == "TIMESTAMP WITH TIME ZONE":
        return utc_text(column)
    return floats_text(column) if kind in _FLOATS else column
