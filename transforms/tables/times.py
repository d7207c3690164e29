"""Times: from the text a source writes to UTC, exactly, or not at all."""

from datetime import UTC, datetime, timedelta

import polars as pl

from schemas.source_file.columns import TimeColumn, names_zone
from schemas.tables import UTC_TIME, Reason

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""Before this, a login is a placeholder (1970, 1900, FILETIME's 1601), not a fact."""

CLOCK_SLACK = timedelta(days=1)
"""How far ahead of our clock a source's may be."""

NOT_A_TIME = Reason(
    "no_time", "is no time in the stated format, or names no zone and none is stated"
)
ABSURD = Reason("absurd_time", "is before 1990 or in the future")
PLACEHOLDER = Reason(
    "placeholder_time", "stands for no time, as 0, 1970-01-01, 0000-00-00, infinity and 9999 do"
)
_PLACEHOLDERS = (
    r"(?i)^(?:-?0+(?:\.0+)?|-1|9223372036854775807|0000-00-00.*|[+-]?inf(?:inity)?|9999-.*)$"
)
_PLACEHOLDER_DAYS = ("1601-01-01", "1753-01-01", "1899-12-30", "1900-01-01", "1970-01-01")
"""The first days of FILETIME, SQL Server, OLE, Excel and Unix."""

_LAST_YEAR = 9999
_USUAL = "%Y-%m-%dT%H:%M:%SZ"
_FAR_FUTURE_US = 100_000_000_000 * 1_000_000
_ISO_DATE = r"^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)"
_ZONED = _ISO_DATE + r" ?(Z|z|[+-]\d{2}:?\d{2})$"
_BARE = _ISO_DATE + "$"


def to_utc(text: pl.Series, column: TimeColumn) -> pl.Series:
    """`text` as UTC times (`UTC_TIME`), row by row; null where it is null or cannot be read.

    A local time that a clock change skips cannot be read; one that it repeats is taken as the
    earlier of the two.
    """
    if column.format is None:
        return _iso_to_utc(text, column.timezone)
    return text.to_frame("time").select(_read(pl.col("time"), column)).to_series()


def _read(text: pl.Expr, column: TimeColumn) -> pl.Expr:
    if column.format in {"epoch", "epoch_ms"}:
        unit = 1_000_000 if column.format == "epoch" else 1_000
        number = text.cast(pl.Int64, strict=False)
        whole = pl.when(number.abs() < _FAR_FUTURE_US // unit).then(number * unit)
        return whole.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    # Python's %f are the digits of a fraction, polars's are nanoseconds: its %.f has the dot too.
    form = (column.format or "").replace(".%f", "%.f")
    if names_zone(form):
        read = text.str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC")
        return read.dt.convert_time_zone("UTC")
    return _local(text.str.to_datetime(form, strict=False, time_unit="us"), column.timezone)


def _iso_to_utc(text: pl.Series, zone: str | None) -> pl.Series:
    """ISO 8601.

    The usual form, in UTC to the second, is read first: it is forty times as fast as the rest.
    """
    # Times seldom repeat: polars's cache of them would take half of the time.
    usual = text.str.to_datetime(_USUAL, strict=False, time_unit="us", time_zone="UTC", cache=False)
    left = usual.is_null() & text.is_not_null()
    if not left.any():
        return usual
    frame = pl.DataFrame({"usual": usual, "text": text, "left": left})
    other = pl.when("left").then(_any_iso_to_utc(pl.col("text"), zone))
    return frame.select(pl.coalesce("usual", other)).to_series()


def _any_iso_to_utc(text: pl.Expr, zone: str | None) -> pl.Expr:
    """ISO 8601 with an offset; without one only where a zone is stated."""
    shape = "%Y-%m-%dT%H:%M:%S%.f"
    zoned = (
        text.str.replace(_ZONED, "${1}T${2}${3}")
        .str.replace("[zZ]$", "+00:00")
        .str.replace(r"T(\d{2}:\d{2})([+-])", "T${1}:00${2}")
    )
    read = (
        pl.when(text.str.contains(_ZONED))
        .then(zoned)
        .str.to_datetime(f"{shape}%#z", strict=False, time_unit="us", time_zone="UTC")
    )
    if zone is None:
        return read
    bare = text.str.replace(_BARE, "${1}T${2}").str.replace(r"T(\d{2}:\d{2})$", "T${1}:00")
    local = (
        pl.when(text.str.contains(_BARE))
        .then(bare)
        .str.to_datetime(shape, strict=False, time_unit="us")
    )
    return pl.coalesce(read, _local(local, zone))


def _local(time: pl.Expr, zone: str | None) -> pl.Expr:
    placed = time.dt.replace_time_zone(zone or "UTC", ambiguous="earliest", non_existent="null")
    return placed.dt.convert_time_zone("UTC").cast(UTC_TIME)


def is_absurd(time: pl.Expr, now: datetime) -> pl.Expr:
    """Whether a time cannot be a login of a living system; false where it is null."""
    return ((time < EARLIEST) | (time > now + CLOCK_SLACK)).fill_null(value=False)


def is_placeholder(text: pl.Expr, time: pl.Expr) -> pl.Expr:
    """Whether a cell, its text and what was read of it, stands for no time at all."""
    day, hours = time.dt.date(), timedelta(hours=14)
    first_days = pl.any_horizontal(
        time.is_between(first - hours, first + timedelta(days=1) + hours)
        for first in (datetime.fromisoformat(f"{one}T00:00:00+00:00") for one in _PLACEHOLDER_DAYS)
    )
    is_first = first_days | (day.dt.year() >= _LAST_YEAR) | (day.dt.year() <= 1)
    return text.str.strip_chars().str.contains(_PLACEHOLDERS).fill_null(
        value=False
    ) | is_first.fill_null(value=False)
