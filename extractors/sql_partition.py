"""A large table read in parts: ranges of a column of whole numbers, checked against the count.

PostgreSQL's parts are read at once, by connections that share one snapshot; elsewhere they are
read one after another in the source's one transaction.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import polars as pl

from extractors.sql_describe import labels_without_rows
from extractors.sql_session import Fetched, Session
from extractors.sql_snapshot import run
from extractors.sql_statements import Statement
from extractors.sql_text import quoted_name
from schemas.errors import ConfigError, SourceIncompleteError
from schemas.sql_source import Partition

Reading = Callable[[Session, Statement], Fetched]
"""Everything that a statement returns, its values bound."""
Joining = Callable[[str], AbstractContextManager[Session]]
"""Opens another connection within the snapshot that another has exported."""

_MOST_AT_ONCE = 8


def read_in_parts(
    session: Session, statement: Statement, partition: Partition, read: Reading, join: Joining
) -> Fetched:
    """Everything the statement returns, part by part in the order of the ranges, the nulls last.

    Raises:
        ConfigError: the statement cannot stand in another, has no such column, or the column's
            values are no whole numbers.
        SourceIncompleteError: a part did not come whole, or the parts are not the whole.
    """
    if not statement.is_query:
        raise ConfigError(f"{statement.origin}: partition: only a query has parts: leave it out")
    label = _label(session, statement, partition.column)
    column = quoted_name(label, session.engine)
    low, high, count = _span(session, statement, column, read)
    ranges = _ranges(low, high, partition.parts)
    wheres = [f"{column} >= {one.start} AND {column} < {one.stop}" for one in ranges]
    parts = [statement.within("*", f" WHERE {rows}") for rows in (*wheres, f"{column} IS NULL")]
    if session.engine == "postgresql" and session.way == "native":
        found = _at_once(session, parts, read, join)
    else:
        found = [read(session, part) for part in parts]
    labels = found[0].labels
    place = labels.index(label) if label in labels else None
    strays = (
        0 if place is None else sum(map(_strays, (one.rows[:, place] for one in found), ranges))
    )
    rows = pl.concat([one.rows for one in found], rechunk=True)
    if rows.height != count or strays:
        raise SourceIncompleteError(
            f"{statement.origin}: {count} rows, but {rows.height} in its parts, {strays} in a "
            "wrong one: partition by a column of whole numbers that stay as they are"
        )
    return Fetched(rows, labels)


def _at_once(
    session: Session, parts: list[Statement], read: Reading, join: Joining
) -> list[Fetched]:
    name = session.asked(
        parts[0], lambda: str(run(session.connection, "SELECT pg_export_snapshot()"))
    )

    def read_joined(part: Statement) -> Fetched:
        with join(name) as joined:
            return read(joined, part)

    with ThreadPoolExecutor(min(len(parts), _MOST_AT_ONCE)) as pool:
        return list(pool.map(read_joined, parts))


def _label(session: Session, statement: Statement, name: str) -> str:
    """The column's label as the query has it: in capitals, where the database makes them so."""
    labels = labels_without_rows(session, statement) or (name,)
    alike = [label for label in labels if label.casefold() == name.casefold()]
    if name not in alike and len(alike) != 1:
        raise ConfigError(f"{statement.origin}: partition: the query has no column {name}")
    return name if name in alike else alike[0]


def _span(
    session: Session, statement: Statement, column: str, read: Reading
) -> tuple[int, int, int]:
    """The least and the greatest value, and how many rows there are; one scan."""
    ends = f"MIN({column}) AS lowest, MAX({column}) AS highest, COUNT(*) AS total"
    found = read(session, statement.within(ends))
    low, high, count = found.rows.row(0)
    try:
        return int(low or 0), int(high or 0), int(count)
    except ValueError:
        problem = f"partition: {column} is no column of whole numbers"
    raise ConfigError(f"{statement.origin}: {problem}")


def _ranges(low: int, high: int, parts: int) -> list[range]:
    step = max(1, -(-(high - low + 1) // parts))
    return [range(start, start + step) for start in range(low, high + 1, step)]


def _strays(values: pl.Series, within: range) -> int:
    """How many values lie outside, as texts do that the database compares as texts."""
    inside = values.cast(pl.Int128, strict=False).is_between(within.start, within.stop - 1)
    return len(values) - int(inside.sum())
