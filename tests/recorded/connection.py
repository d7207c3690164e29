"""A DBAPI connection that answers with recorded rows, where no server can be had."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Column(NamedTuple):
    """A column's description, as DBAPI has it, and what a driver does with it.

    Attributes:
        asked: the type under which the recorded cells were fetched, where one was asked for.
        else_is: what the driver makes of a cell where it was not.
    """

    name: str
    type_code: object = None
    display_size: int | None = None
    internal_size: int | None = None
    precision: int | None = None
    scale: int | None = None
    null_ok: bool | None = None
    asked: object = None
    else_is: Callable[[Any], Any] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a statement returned."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]


@dataclass(slots=True)
class RecordedConnection:
    """Knows the answer to certain statements, to the letter; keeps what it was told in `told`.

    Any other query is an error, and any other statement has no answer, like a SET.
    """

    answers: Mapping[str, Answer]
    told: list[str] = field(default_factory=list)
    call_timeout: int = 0

    def cursor(self) -> "RecordedCursor":
        return RecordedCursor(self)


@dataclass(slots=True)
class RecordedCursor:
    """Hands over the rows in batches, tuples or whatever the driver has in their place."""

    connection: RecordedConnection
    description: Sequence[Column] | None = None
    arraysize: int = 1
    outputtypehandler: Callable[[Any, Column], Any] | None = None
    _rows: Iterator[Any] = field(default_factory=lambda: iter(()))

    def execute(self, sql: str) -> None:
        self.connection.told.append(sql)
        answer = self.connection.answers.get(sql)
        self.description = answer.columns if answer else None
        if answer is None:
            if not sql.startswith(("SET ", "ALTER SESSION ")):
                raise AssertionError(f"no answer is recorded for: {sql}")
            return
        asked = [
            self.outputtypehandler(self, one) if self.outputtypehandler else None
            for one in answer.columns
        ]
        self._rows = iter([_handed(row, answer.columns, asked) for row in answer.rows])

    def var(self, kind: object, arraysize: int) -> object:
        assert arraysize == self.arraysize
        return kind

    def fetchmany(self, size: int) -> list[Any]:
        # Smaller batches than were asked for, as drivers may have them.
        return [row for _, row in zip(range(min(size, 2)), self._rows, strict=False)]

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def close(self) -> None:
        self.description = None


def _handed(row: Any, columns: Sequence[Column], asked: Sequence[object]) -> Any:
    lost = [
        one.else_is if one.asked is not kind else None
        for one, kind in zip(columns, asked, strict=True)
    ]
    if not any(lost):
        return row
    return tuple(
        change(cell) if change and cell is not None else cell
        for cell, change in zip(row, lost, strict=True)
    )
