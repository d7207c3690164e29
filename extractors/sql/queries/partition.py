"""A large table read in parts: ranges of a column of whole numbers, checked against the count.

PostgreSQL's parts are read at once, by connections that share one snapshot; elsewhere they are
read one after another in the source's one transaction.
"""

import polars as pl

from extractors.sql.queries.labels import LABELS, known_label
from extractors.sql.session.session import Fetched, Session, Values
from extractors.sql.statements.lexer import quoted_name
from extractors.sql.statements.statement import Statement
from schemas.errors import ConfigError, SourceIncompleteError, raise_as
from schemas.source_file.kinds.sql_source import Partition

_KEYS = {
    "list_entitlements": ("integration_specific_id", "integration_specific_resource_id"),
    "list_resources": ("integration_specific_id",),
}
"""What no two rows have in common; rows of what else is read may repeat their ids."""


def read_in_parts(
    session: Session, statement: Statement, partition: Partition, values: Values, id_column: str
) -> Fetched:
    """Reads a statement part by part, in the order of the ranges, the nulls last.

    `id_column` is that of the accounts' ids.

    Raises:
        ConfigError: the statement cannot stand in another, has no such column, or the column's
            values are no whole numbers.
        SourceIncompleteError: a part did not come whole, the parts are not the whole, or overlap.
    """
    if not statement.is_query:
        raise ConfigError(f"{statement.origin}: partition: only a query has parts: leave it out")
    label = part_column(statement, partition, session.describe(statement) or (partition.column,))
    column = quoted_name(label, session.engine)
    low, high, count = _span(session, statement, column, values)
    ranges = _ranges(low, high, partition.parts)
    wheres = [f"{column} >= {part.start} AND {column} < {part.stop}" for part in ranges]
    parts = [statement.within("*", f" WHERE {rows}") for rows in (*wheres, f"{column} IS NULL")]
    fetched = session.read_each(parts, values)
    labels = fetched[0].labels
    place = labels.index(label) if label in labels else None
    columns = [] if place is None else [part.rows[:, place] for part in fetched]
    strays = sum(map(_strays, columns, ranges))
    rows = pl.concat([part.rows for part in fetched], rechunk=True)
    if rows.height != count or strays:
        raise SourceIncompleteError(
            f"{statement.origin}: {count} rows, but {rows.height} in its parts, {strays} in a "
            "wrong one: partition by a column of whole numbers that stay as they are"
        )
    _check_apart(statement, labels, [part.rows for part in fetched], id_column)
    return Fetched(rows, labels)


def _check_apart(
    statement: Statement, labels: tuple[str, ...], parts: list[pl.DataFrame], id_column: str
) -> None:
    """Raises unless each id is in one part: one row was read twice then, another perhaps never.

    Raises:
        SourceIncompleteError: an id is in two.
    """
    keys = {**_KEYS, "list_accounts": (id_column,)}.get(statement.capability, ())
    names = [known_label(label, LABELS[statement.capability]) for label in labels]
    places = [names.index(name) for name in keys if name in names]
    if not places:
        return
    ids = [rows[:, places].drop_nulls() for rows in parts]
    twice = sum(part.n_unique() for part in ids) - pl.concat(ids).n_unique()
    if twice:
        raise SourceIncompleteError(
            f"{statement.origin}: the parts overlap: {twice:,} ids are in two of them: partition "
            "by a column that each id has once, and that stays as it is"
        )


def part_column(statement: Statement, partition: Partition, labels: tuple[str, ...]) -> str:
    """Returns the column's label as the query has it: in capitals, where the database does so.

    Raises:
        ConfigError: there is none, or more than one.
    """
    name = partition.column
    alike = [label for label in labels if label.casefold() == name.casefold()]
    if name not in alike and len(alike) != 1:
        raise ConfigError(f"{statement.origin}: partition: the query has no column {name}")
    return name if name in alike else alike[0]


def _span(
    session: Session, statement: Statement, column: str, values: Values
) -> tuple[int, int, int]:
    """Reads the least and the greatest value, and how many rows there are; one scan."""
    ends = f"MIN({column}) AS lowest, MAX({column}) AS highest, COUNT(*) AS total"
    low, high, count = session.read(statement.within(ends), values).rows.row(0)
    no_numbers = ConfigError(
        f"{statement.origin}: partition: {column} is no column of whole numbers"
    )
    return raise_as(
        lambda: (int(low or 0), int(high or 0), int(count)), {ValueError: lambda _: no_numbers}
    )


def _ranges(low: int, high: int, parts: int) -> list[range]:
    step = max(1, -(-(high - low + 1) // parts))
    return [range(start, start + step) for start in range(low, high + 1, step)]


def _strays(values: pl.Series, within: range) -> int:
    """Counts the values that lie outside, as texts do that the database compares as texts."""
    inside = values.cast(pl.Int128, strict=False).is_between(within.start, within.stop - 1)
    return len(values) - int(inside.sum())
