"""Which rows of a log are meant: those whose columns have the words that `activity.where` names."""

import difflib
import re
from collections.abc import Iterable, Mapping

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


def meant(table: RawTable, activity: Activity) -> tuple[pl.Series, pl.Series]:
    """Two masks, over rows and over lines that could not be split: what may be activity.

    Words of `where` are compared in any case, a null is a blank one.

    Raises:
        SourceFormatError: the table does not have a column that `where` or `leave_out` names.
    """
    for column in activity.asked:
        if column not in table.rows.columns:
            raise _missing(table, column)
    left_out, lines = is_left_out(table, activity.leave_out)
    return _has_words(table.rows, activity.where) & ~left_out, ~lines


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


def unasked_results(columns: Iterable[str], used: Iterable[str]) -> list[str]:
    """The columns that are called like the result of an attempt, and that nobody uses.

    An attempt to log in that failed is then taken for a login.
    """
    known = set(used)
    return [name for name in columns if name not in known and names_result(name)]


def names_result(column: str) -> bool:
    """Whether a column is called like a result: `outcome.result`, `errorCode`; not `event`."""
    return _RESULT.search(_HUMP.sub(" ", column).lower()) is not None
