"""A large table read in parts: ranges of a column of whole numbers, checked against the count.

PostgreSQL's parts are read at once, by connections that share one snapshot; elsewhere they are
read one after another in the source's one transaction.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import polars as pl

from extractors.sql.queries.describe import labels_without_rows
from extractors.sql.queries.labels import LABELS, known_label
from extractors.sql.session.session import Fetched, Session, run
from extractors.sql.statements.lexer import quoted_name
from extractors.sql.statements.statement import Statement
from schemas.errors import ConfigError, SourceIncompleteError
from schemas.source_file.sql_source import Partition

Reading = Callable[[Session, Statement], Fetched]
"""Everything that a statement returns, its values bound."""
Joining = Callable[[str], AbstractContextManager[Session]]
"""Opens another connection within the snapshot that another has exported."""

_MOST_AT_ONCE = 8
_WAIT = "SET LOCAL idle_in_transaction_session_timeout"
_KEYS = {
    "list_entitlements": ("integration_specific_id", "integration_specific_resource_id"),
    "list_resources": ("integration_specific_id",),
}
"""What no two rows have in common; rows of what else is read may repeat their ids."""


def read_in_parts(
    session: Session,
    statement: Statement,
    partition: Partition,
    read: Reading,
    join: Joining,
    id_column: str,
) -> Fetched:
    """Everything the statement returns, part by part in the order of the ranges, the nulls last.

    `id_column` is that of the accounts' ids.

    Raises:
        ConfigError: the statement cannot stand in another, has no such column, or the column's
            values are no whole numbers.
        SourceIncompleteError: a part did not come whole, the parts are not the whole, or overlap.
    """
    if not statement.is_query:
        raise ConfigError(f"{statement.origin}: partition: only a query has parts: leave it out")
    labels = labels_without_rows(session, statement) or (partition.column,)
    label = part_column(statement, partition, labels)
    column = quoted_name(label, session.engine)
    low, high, count = _span(session, statement, column, read)
    ranges = _ranges(low, high, partition.parts)
    wheres = [f"{column} >= {one.start} AND {column} < {one.stop}" for one in ranges]
    parts = [statement.within("*", f" WHERE {rows}") for rows in (*wheres, f"{column} IS NULL")]
    if session.by_psycopg:
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
    _check_apart(statement, labels, [one.rows for one in found], id_column)
    return Fetched(rows, labels)


def _at_once(
    session: Session, parts: list[Statement], read: Reading, join: Joining
) -> list[Fetched]:
    """The parts by connections of their own, while this one waits for as long as that takes."""
    export = (f"{_WAIT} = 0", "SELECT pg_export_snapshot()")
    name = session.translate_errors(parts[0], lambda: str(run(session.connection, *export)))

    def read_joined(part: Statement) -> Fetched:
        with join(name) as joined:
            return read(joined, part)

    with ThreadPoolExecutor(min(len(parts), _MOST_AT_ONCE)) as pool:
        found = list(pool.map(read_joined, parts))
    limit = round(session.timeout_s * 1000)
    session.translate_errors(parts[0], lambda: run(session.connection, f"{_WAIT} = {limit}"))
    return found


def _check_apart(
    statement: Statement, labels: tuple[str, ...], parts: list[pl.DataFrame], id_column: str
) -> None:
    """No id is in two parts: one row was read twice then, and another perhaps not at all.

    Raises:
        SourceIncompleteError: one is.
    """
    keys = {**_KEYS, "list_accounts": (id_column,)}.get(statement.capability, ())
    names = [known_label(label, LABELS[statement.capability]) for label in labels]
    places = [names.index(name) for name in keys if name in names]
    if not places:
        return
    ids = [rows[:, places].drop_nulls() for rows in parts]
    twice = sum(one.n_unique() for one in ids) - pl.concat(ids).n_unique()
    if twice:
        raise SourceIncompleteError(
            f"{statement.origin}: the parts overlap: {twice:,} ids are in two of them: partition "
            "by a column that each id has once, and that stays as it is"
        )


def part_column(statement: Statement, partition: Partition, labels: tuple[str, ...]) -> str:
    """The column's label as the query has it: in capitals, where the database makes them so.

    Raises:
        ConfigError: there is none, or more than one.
    """
    name = partition.column
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
