"""DuckDB's own way: its Arrow batches into polars, made text column by column.

Only for types whose text is proved to be the cursor's; a statement with any other goes by the
cursor.
"""

import re
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

import polars as pl

from extractors.sql.drivers.cursor import Begun, CursorSession
from extractors.sql.session.session import NO_VALUES, Fetched, Values
from extractors.sql.session.timeouts import deadline
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
_TIMES = {"DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"}
_FLOATS = {"FLOAT", "DOUBLE"}


@dataclass(eq=False, kw_only=True)
class DuckdbSession(CursorSession):
    """A DuckDB file."""

    without_rows: ClassVar[str] = " LIMIT 0"

    def _begin(self) -> Begun:
        self.run(f"SET TimeZone = '{self.zone or 'UTC'}'", "BEGIN TRANSACTION READ ONLY")
        return "opened read-only, one transaction", ()

    def deadline(self) -> AbstractContextManager[None]:
        """Interrupts what takes longer than `timeout_s`: DuckDB has no limit of its own."""
        return deadline(self.timeout_s, self.connection.interrupt)

    def read(self, statement: Statement, values: Values = NO_VALUES) -> Fetched:
        """Reads everything the statement returns.

        Raises:
            SourceIncompleteError: the statement was cancelled.
            SourceFormatError: DuckDB refuses it, or a value in its rows.
        """
        if not statement.is_query:
            return self.read_by_cursor(statement, values)
        bound, sql = self.bound(statement, values), statement.rendered(self.paramstyle)
        described = self.translate_errors(
            statement, lambda: self.connection.execute(f"DESCRIBE {sql}", bound).fetchall()
        )
        kinds = [str(column[1]) for column in described]
        rows = self._read_batches(statement, kinds, bound)
        if rows is None:
            columns = [_finite(number, kind) for number, kind in enumerate(kinds)]
            finite = statement.within(", ".join([*columns, *_infinite(kinds)]))
            rows = self.read_by_cursor(finite, values).rows
        labels = tuple(str(column[0]) for column in described)
        return Fetched(_with_infinite(rows, kinds), labels)

    def _read_batches(
        self,
        statement: Statement,
        kinds: list[str],
        bound: Any,  # noqa: ANN401 - the values
    ) -> pl.DataFrame | None:
        """Reads the rows by Arrow; None where the cursor's text of them may be another."""
        selected = [_selected(number, kind) for number, kind in enumerate(kinds)]
        if None in selected:
            return None
        infinite = _infinite(kinds)
        texts = statement.within(", ".join(map(str, [*selected, *infinite])))
        kinds = [*kinds, *("VARCHAR" for _ in infinite)]
        sql = texts.rendered(self.paramstyle)
        return self.translate_errors(statement, lambda: self._streamed(sql, bound, kinds))

    def _streamed(self, sql: str, bound: Any, kinds: list[str]) -> pl.DataFrame | None:  # noqa: ANN401
        """Reads the rows; None where a time is none of Python's, which the cursor reads as text."""
        relation = self.connection.sql(sql, params=bound)
        batches = [pl.DataFrame(schema={str(number): pl.String for number in range(len(kinds))})]
        problem = None
        with self._pulled(relation) as pulled:
            try:
                for batch in pulled:
                    if not all(map(_is_pythons, batch)):
                        return None
                    columns = zip(batch, kinds, strict=True)
                    texts = [_text(column, kind, self.zone) for column, kind in columns]
                    batches.append(pl.DataFrame(texts))
            except pl.exceptions.ComputeError as error:
                problem = str(error)
        if problem:
            raise self.errors[0](problem)  # DuckDB's own text, which polars passes on
        return pl.concat(batches, rechunk=True)

    @contextmanager
    def _pulled(self, relation: Any) -> Iterator[Iterator[pl.DataFrame]]:  # noqa: ANN401
        """Yields the relation's batches, and takes all of them at the end, wanted or not.

        polars pulls them in a thread of its own until there are no more, and DuckDB refuses a
        connection that another thread is at work on, even to be closed.
        """
        batches = pl.scan_arrow_c_stream(relation).collect_batches()
        try:
            yield batches
        except BaseException:
            self.connection.interrupt()
            raise
        finally:
            with suppress(pl.exceptions.PolarsError):
                deque(batches, maxlen=0)


def _selected(number: int, kind: str) -> str | None:
    """Returns a column as it is selected; None where it is of a type that is not known here."""
    place = f"#{number + 1}"
    if kind in _TIMES:
        return _finite(number, kind)
    if _AS_TEXT.fullmatch(kind):
        place = f"CAST({place} AS VARCHAR)"
    elif kind in _FLOATS:
        place = f"CAST({place} AS DOUBLE)"
    elif kind == "BLOB":
        place = f"lower(hex({place}))"
    else:
        return None
    return f'{place} AS "{number}"'


def _finite(number: int, kind: str) -> str:
    """Returns a column as it is selected where `_infinite` has its infinite times."""
    place = f"#{number + 1}"
    if kind in _TIMES:
        place = f"CASE WHEN isfinite({place}) THEN {place} END"
    return f'{place} AS "{number}"'


def _infinite(kinds: list[str]) -> list[str]:
    """Returns the infinite times of each column that may have some, as they are selected.

    DuckDB's Python driver makes the last day of all of `infinity`, which a column may hold, too.
    """
    places = [number + 1 for number, kind in enumerate(kinds) if kind in _TIMES]
    return [
        f'CASE WHEN NOT isfinite(#{place}) THEN CAST(#{place} AS VARCHAR) END AS "{number}"'
        for number, place in enumerate(places, len(kinds))
    ]


def _with_infinite(rows: pl.DataFrame, kinds: list[str]) -> pl.DataFrame:
    """Puts the infinite times, which follow the columns, into these."""
    columns = rows.get_columns()
    times = [number for number, kind in enumerate(kinds) if kind in _TIMES]
    for number, infinite in zip(times, columns[len(kinds) :], strict=True):
        finite = columns[number]
        columns[number] = finite.zip_with(infinite.is_null(), infinite)
    return pl.DataFrame(columns[: len(kinds)])


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
