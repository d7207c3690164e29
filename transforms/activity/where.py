"""Which rows of a log are meant: those whose columns have the words that `activity.where` names."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from schemas.errors import SourceFormatError
from schemas.raw import RawTable
from schemas.source_file.blocks import Activity
from schemas.tables import ROW
from transforms.tables.left_out import is_left_out

_RESULT = re.compile(
    r"(?:^|[^a-z])(?:results?|status(?:code|es)?|outcome|success(?:ful)?|succeeded|fail(?:ed|ure)?|"
    r"error(?:code|message)?|denied|rc|(?:http|response|return|exit)[^a-z]?code)(?:$|[^a-z])"
)
"""In a column's name, its parts told apart: it says how an attempt ended."""

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Meant:
    """What of a table may be activity.

    Attributes:
        rows: over the rows: whether it may.
        lines: likewise over the lines that could not be split.
        unmatched: over the rows: whether one has not the words of `where`, and nothing leaves it
            out.
    """

    rows: pl.Series
    lines: pl.Series
    unmatched: pl.Series


QUIET = 20
"""Rows of the time asked for, not one of which has the words of `where`, that may be a quiet time:
in a log that has them earlier."""


@dataclass(frozen=True, slots=True)
class WhereCount:
    """How many rows have the words of `where`: of all that were read, of the time asked for."""

    matched: int = 0
    unmatched: int = 0
    matched_inside: int = 0
    unmatched_inside: int = 0

    def __add__(self, more: "WhereCount") -> "WhereCount":
        return WhereCount(
            self.matched + more.matched,
            self.unmatched + more.unmatched,
            self.matched_inside + more.matched_inside,
            self.unmatched_inside + more.unmatched_inside,
        )

    @property
    def is_none(self) -> bool:
        """Whether no row has them: of all rows, or of so many that nobody came in lately."""
        never = self.unmatched > 0 and not self.matched
        return never or (self.unmatched_inside >= QUIET and not self.matched_inside)


def meant(table: RawTable, activity: Activity) -> Meant:
    """Returns what of the table may be activity.

    Words of `where` are compared in any case, a null is a blank one.

    Raises:
        SourceFormatError: the table does not have a column that `where` or `leave_out` names.
    """
    for column in activity.asked:
        if column not in table.rows.columns:
            raise _missing(table, column)
    left_out, lines = is_left_out(table, activity.leave_out)
    has_words = _has_words(table.rows, activity.where)
    return Meant(has_words & ~left_out, ~lines, ~has_words & ~left_out)


def _has_words(rows: pl.DataFrame, where: Mapping[str, tuple[str, ...]]) -> pl.Series:
    mask = pl.repeat(True, rows.height, dtype=pl.Boolean, eager=True)
    for column, words in where.items():
        wanted = [word.strip().casefold() for word in words]
        cells = rows[column].fill_null("")
        spellings = [cell for cell in cells.unique().to_list() if cell.strip().casefold() in wanted]
        mask &= cells.is_in(spellings)
    return mask


def _missing(table: RawTable, column: str) -> SourceFormatError:
    present = [name for name in table.rows.columns if name != ROW]
    close = difflib.get_close_matches(column, present, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"it has {len(present)} columns"
    return SourceFormatError(f"{table.origin}: no column {column!r}, wanted under activity; {hint}")


def unasked_results(columns: Iterable[str], asked: Iterable[str]) -> list[str]:
    """The columns that are called like the result of an attempt, where none of those is asked.

    An attempt to log in that failed is then taken for a login.
    """
    if any(map(names_result, asked)):
        return []
    return [name for name in columns if names_result(name)]


def names_result(column: str) -> bool:
    """Whether a column is called like a result: `outcome.result`, `errorCode`; not `event`."""
    return _RESULT.search(_HUMP.sub(" ", column).lower()) is not None
