"""Values of an ODBC driver that nothing is known of, compared with the text the database writes.

Such a driver may convert a value to its column's declared type, and say nothing of what is lost.
"""

import re
from datetime import datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

import polars as pl

from extractors.sql.drivers.cursor import CursorSession
from extractors.sql.session.session import Fetched, Values
from extractors.sql.statements.statement import Statement, can_be_nested
from schemas.errors import SourceFormatError

_LONGEST = 4000
"""Of a text in a cast: as much as every dialect allows."""
_TRUTHS = {"true": {"1", "t", "true", "y", "yes"}, "false": {"0", "f", "false", "n", "no"}}


def read_compared(
    session: CursorSession, statement: Statement, values: Values, quote: str
) -> Fetched:
    """Reads everything the statement returns, with each value's text as the database casts it.

    What cannot be cast has to be text as the driver gives it: a query casts it itself then.

    Args:
        session: the driver's.
        statement: a procedure is read as it is: it cannot stand in another statement.
        values: that are bound.
        quote: what stands around a column's name; empty where the dialect has nothing.

    Raises:
        SourceIncompleteError: as every read.
        SourceFormatError: as every read; or a value is another than its text.
    """
    if not can_be_nested(statement, session.engine):
        return session.read_by_cursor(statement, values)
    labels = session.describe(statement) or ()
    if not all(labels) or len(set(labels)) < len(labels):
        raise SourceFormatError(
            f"{statement.origin}: a column without a label, or two with one: give each its own "
            "with AS"
        )
    names = [f"q.{_quoted(label, quote)}" for label in labels]
    texts = [f"CAST({name} AS VARCHAR({_LONGEST}))" for name in names]
    both = session.read_by_cursor(statement.within(", ".join([*names, *texts])), values).rows
    for number, label in enumerate(labels):
        text = both.to_series(number + len(labels))
        _check_alike(statement, label, both.to_series(number), text, session.zone)
    return Fetched(both[:, : len(labels)], labels)


def _quoted(label: str, quote: str) -> str:
    return f"{quote}{label.replace(quote, quote * 2)}{quote}" if quote else label


def _check_alike(
    statement: Statement, label: str, given: pl.Series, text: pl.Series, zone: str | None
) -> None:
    pairs = pl.DataFrame([given.alias("given"), text.alias("text")])
    others = pairs.filter(pl.col("given").ne_missing(pl.col("text"))).unique()
    count = sum(not is_same(one, other, zone) for one, other in others.rows())
    if count:
        raise SourceFormatError(
            f"{statement.origin}: {label}: {count:,} values of the ODBC driver are others than "
            "the database's own text of them: cast the column to text in the query"
        )


def is_same(given: str | None, text: str | None, zone: str | None = None) -> bool:
    """Whether a driver's value, as text, and the database's own text of it say the same.

    Texts do where they are equal but for blanks that CHAR pads with, numbers by their value, truths
    by their words, bytes by their hex digits, times by their numbers, on the clock of `zone`.
    """
    if given is None or text is None:
        return given is text
    if given.rstrip(" ") == text.rstrip(" ") or text.strip().lower() in _TRUTHS.get(given, ()):
        return True
    if len(text) == _LONGEST and given.startswith(text):
        return True
    if re.fullmatch(r"[0-9a-f]+", given) and given == text.lower().removeprefix("0x"):
        return True
    return _is_time(given, text, zone) or _is_number(given, text)


def _is_number(given: str, text: str) -> bool:
    # No database writes a number with a zero before it: what has one is a text.
    if re.match(r"\s*[+-]?0\d", text):
        return False
    try:
        return Decimal(given) == Decimal(text)
    except InvalidOperation:
        return False


def _is_time(given: str, text: str, zone: str | None) -> bool:
    """Whether the numbers in `text` are those of the time; their order is the dialect's own."""
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        return False
    if moment.tzinfo is not None and zone is not None:
        moment = moment.astimezone(ZoneInfo(zone))
    numbers = [int(number) for number in re.findall(r"\d+", re.sub(r"(:\d\d)[.,]\d+", r"\1", text))]
    year, month, day, hour, minute, second = moment.timetuple()[:6]
    if re.match(r"\d{4}-\d\d-\d\d", text):
        return numbers[:6] == [year, month, day, hour, minute, second][: len(numbers)]
    return day in numbers and set(numbers) <= {
        *(year, year % 100, month, day, hour, hour % 12 or 12, minute, second),
    }
