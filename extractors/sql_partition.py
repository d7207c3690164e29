"""A large PostgreSQL table read in parts at once, by connections that share one snapshot."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace

import polars as pl

from extractors.sql_postgresql import read_postgresql
from extractors.sql_session import NO_VALUES, Fetched, Session
from extractors.sql_snapshot import run
from extractors.sql_statements import Statement
from schemas.errors import ConfigError, SourceIncompleteError
from schemas.sql_source import Partition

Joining = Callable[[str], AbstractContextManager[Session]]
"""Opens another connection within the snapshot that another has exported."""


def read_in_parts(
    session: Session, statement: Statement, partition: Partition, join: Joining
) -> Fetched:
    """Everything the statement returns, part by part in the order of the ranges, the nulls last.

    Raises:
        ConfigError: the database has no snapshot that several connections can share, or the
            column's values are no whole numbers.
        SourceIncompleteError: a part did not come whole, or the parts are not the whole.
    """
    if session.engine != "postgresql" or session.way != "native":
        raise ConfigError(
            f"{statement.origin}: partition: only PostgreSQL lets several connections read one "
            "snapshot: leave it out"
        )
    column = f'"{partition.column.replace(chr(34), chr(34) * 2)}"'
    low, high, count = _span(session, statement, column)
    parts = [_part(statement, where) for where in _ranges(column, low, high, partition.parts)]
    name = session.asked(
        statement, lambda: str(run(session.connection, "SELECT pg_export_snapshot()"))
    )

    def read(part: Statement) -> Fetched:
        with join(name) as joined:
            return read_postgresql(joined, part, NO_VALUES)

    with ThreadPoolExecutor(min(partition.parts, _MOST_AT_ONCE)) as pool:
        found = list(pool.map(read, parts))
    rows = pl.concat([one.rows for one in found], rechunk=True)
    if rows.height != count:
        raise SourceIncompleteError(
            f"{statement.origin}: {count} rows, but {rows.height} in its parts: partition by a "
            "column that the query does not compute anew each time"
        )
    return Fetched(rows, found[0].labels)


_MOST_AT_ONCE = 8


def _span(session: Session, statement: Statement, column: str) -> tuple[int, int, int]:
    """The least and the greatest value, and how many rows there are; one scan."""
    sql = (
        f"SELECT min({column})::bigint::text, max({column})::bigint::text, count(*)::text, "  # noqa: S608
        f"bool_and({column} = trunc({column}))::text FROM (\n{statement.rendered('dollar')}\n) q"
    )

    def ask() -> tuple[str | None, str | None, str, str | None]:
        with session.connection.cursor() as cursor:
            cursor.execute(sql)
            found: tuple[str | None, str | None, str, str | None] = cursor.fetchone()
            return found

    low, high, count, is_whole = session.asked(statement, ask)
    if is_whole == "false":
        raise ConfigError(f"{statement.origin}: partition: {column} is no column of whole numbers")
    return int(low or 0), int(high or 0), int(count)


def _ranges(column: str, low: int, high: int, parts: int) -> list[str]:
    step = max(1, -(-(high - low + 1) // parts))
    starts = range(low, high + 1, step)
    ranges = [f"{column} >= {start} AND {column} < {start + step}" for start in starts]
    return [*ranges, f"{column} IS NULL"]


def _part(statement: Statement, where: str) -> Statement:
    pieces = ("SELECT * FROM (\n", *statement.pieces, f"\n) q WHERE {where}")
    return replace(statement, pieces=pieces, partition=None)
