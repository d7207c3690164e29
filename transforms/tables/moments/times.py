"""Times: from the text a source writes to UTC, exactly, or not at all."""

import re
from datetime import UTC, datetime, timedelta

import polars as pl

from schemas.source_file.columns import TimeColumn, names_zone
from schemas.tables import UTC_TIME, Reason
from transforms.tables.moments.month_names import in_english
from transforms.tables.moments.zone_names import ZONE_NAME, at_offset, of_format

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
_ZONED = _ISO_DATE + r"([+-]\d{2}:\d{2})$"
_BARE = _ISO_DATE + "$"
_SPELLINGS = (
    (r"^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})?", "${1}-${2}-${3}T${4}:${5}:${6}"),
    (r"^(.{16}):(\D|$)", "${1}${2}"),
    (r"^((?:19|20)\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$", "${1}-${2}-${3}"),
    (r"(:\d{2}),(\d)", "${1}.${2}"),
    (r" ?(?:[zZ]|UTC|GMT)$", "+00:00"),
    (r"(:\d{2}(?:\.\d+)?) ?([+-]\d{2})$", "${1}${2}:00"),
    (r"(:\d{2}(?:\.\d+)?) ?([+-]\d{2}):?(\d{2})$", "${1}${2}:${3}"),
)
"""Spellings of ISO 8601 and of databases, each as the usual one: basic, with a comma, ` UTC`."""
_DATE = r"^\d{4}-\d{2}-\d{2}$"
_EPOCH = r"^\d{9,10}(?:\.\d{1,9})?$"
_EPOCH_MS = r"^\d{12,13}$"
_NUMBER = r"^([+-]?\d{1,15})(?:\.(\d{1,9})\d*)?$"
_WHOLE = r"^([+-]?\d{1,19})(?:\.\d+)?$"
_FINE = {"epoch_us": 1, "epoch_ns": 1_000}
"""Times in numbers that are finer: how many of them a microsecond has."""

_EPOCH_US = r"^\d{15,16}$"
_EPOCH_NS = r"^\d{18,19}$"
_NAMED = _ISO_DATE + f" ?({ZONE_NAME})$"
_COMMON_LOG = "%d/%b/%Y:%H:%M:%S %z"
_DAY_US = 86_400 * 1_000_000
_EXCEL_DAYS = {"excel": -25_569, "excel_1904": -24_107}
"""The day 0 of a spreadsheet, in days since 1970; of Excel's usual calendar from March 1900 on."""


def to_utc(text: pl.Series, column: TimeColumn) -> pl.Series:
    """`text` as UTC times (`UTC_TIME`), row by row; null where it is null or cannot be read.

    A local time that a clock change skips cannot be read; one that it repeats is taken as the
    earlier of the two.
    """
    if column.format is None:
        return _iso_to_utc(text, column.timezone)
    if column.locale is not None:
        read = [_by_format(one, column) for one in in_english(text, column.locale)]
        return pl.select(pl.coalesce(read)).to_series().alias(text.name)
    return _by_format(text, column)


def _by_format(text: pl.Series, column: TimeColumn) -> pl.Series:
    form = (column.format or "").replace(".%f", "%.f")
    if "%Z" in form and not names_zone(form):
        return of_format(text, form, column.timezone or "UTC")
    return text.to_frame("time").select(_read(pl.col("time"), column)).to_series()


def _read(text: pl.Expr, column: TimeColumn) -> pl.Expr:
    if column.format in {"epoch", "epoch_ms"}:
        return _of_number(text, 1_000_000 if column.format == "epoch" else 1_000)
    if column.format in _FINE:
        return _of_whole(text, _FINE[column.format])
    if column.format in _EXCEL_DAYS:
        return _local(_of_days(text, _EXCEL_DAYS[column.format]), column.timezone)
    # Python's %f are the digits of a fraction, polars's are nanoseconds: its %.f has the dot too.
    form = (column.format or "").replace(".%f", "%.f")
    if names_zone(form):
        # An offset may be an hour alone, or a Z.
        text = text.str.replace(r"[zZ]$", "+00:00") if form.endswith("%z") else text
        form = re.sub(r"%z", "%#z", form)
        read = text.str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC")
        return read.dt.convert_time_zone("UTC")
    return _local(text.str.to_datetime(form, strict=False, time_unit="us"), column.timezone)


def _of_number(text: pl.Expr, unit_us: int) -> pl.Expr:
    """Seconds or milliseconds since 1970, with or without a fraction, exactly."""
    whole = text.str.extract(_NUMBER, 1).cast(pl.Int64, strict=False)
    digits = text.str.extract(_NUMBER, 2).fill_null("").str.pad_end(9, "0").cast(pl.Int64)
    fraction = digits * unit_us // 1_000_000_000
    signed = pl.when(text.str.starts_with("-")).then(-fraction).otherwise(fraction)
    moment = pl.when(whole.abs() < _FAR_FUTURE_US // unit_us).then(whole * unit_us + signed)
    return moment.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _of_whole(text: pl.Expr, per_us: int) -> pl.Expr:
    """Microseconds or nanoseconds since 1970, whole; what is finer than the former is cut off."""
    number = text.str.extract(_WHOLE, 1).cast(pl.Int64, strict=False)
    moment = pl.when((number // per_us).abs() < _FAR_FUTURE_US).then(number // per_us)
    return moment.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _of_days(text: pl.Expr, first: int) -> pl.Expr:
    """Days of a spreadsheet, the time of day as their fraction, to the second."""
    days = pl.when(text.str.contains(_NUMBER)).then(text).cast(pl.Float64, strict=False)
    is_known = days.is_between(61, 2_958_465.999_999)
    seconds = ((days + first) * 86_400).round().cast(pl.Int64, strict=False)
    return pl.when(is_known).then(seconds * 1_000_000).cast(pl.Datetime("us"))


def _iso_to_utc(text: pl.Series, zone: str | None) -> pl.Series:
    """ISO 8601 and its like.

    The usual form, in UTC to the second, is read first: it is forty times as fast as the rest. Then
    the other usual ones, and only what is left is spelled anew.
    """
    # Times seldom repeat: polars's cache of them would take half of the time.
    read = text.str.to_datetime(_USUAL, strict=False, time_unit="us", time_zone="UTC", cache=False)
    for is_spelled in (False, True):
        left = (read.is_null() & text.is_not_null()).arg_true()
        if not left.len():
            break
        frame = text.gather(left).to_frame("text")
        spelled = _spelled(pl.col("text")) if is_spelled else pl.col("text")
        read = read.scatter(left, frame.select(_any_iso_to_utc(spelled, zone)).to_series())
    left = (read.is_null() & text.is_not_null()).arg_true()
    return read.scatter(left, _of_logs(text.gather(left), zone)) if left.len() else read


def _of_logs(text: pl.Series, zone: str | None) -> pl.Series:
    """Times as logs write them: with a zone's name, as PostgreSQL; and as web servers do."""
    common = text.str.to_datetime(_COMMON_LOG, strict=False, time_unit="us", time_zone="UTC")
    names = text.str.extract(_NAMED, 3)
    bare = text.str.replace(_NAMED, "${1}T${2}").str.replace(r"T(\d{2}:\d{2})$", "T${1}:00")
    local = bare.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", strict=False, time_unit="us")
    named = at_offset(local.set(names.is_null(), None), names, zone)
    return common.zip_with(common.is_not_null(), named)


def _spelled(text: pl.Expr) -> pl.Expr:
    for spelling, usual in _SPELLINGS:
        text = text.str.replace(spelling, usual)
    return text


def _any_iso_to_utc(text: pl.Expr, zone: str | None) -> pl.Expr:
    """ISO 8601 with an offset; without one only where a zone is stated.

    A date alone is its midnight there, or in UTC; a number of nine digits and more is Unix time.
    """
    shape = "%Y-%m-%dT%H:%M:%S%.f"
    zoned = text.str.replace(_ZONED, "${1}T${2}${3}").str.replace(
        r"T(\d{2}:\d{2})([+-])", "T${1}:00${2}"
    )
    read = (
        pl.when(text.str.contains(_ZONED))
        .then(zoned)
        .str.to_datetime(f"{shape}%#z", strict=False, time_unit="us", time_zone="UTC")
    )
    day = pl.when(text.str.contains(_DATE)).then(text).str.to_datetime("%Y-%m-%d", strict=False)
    read = pl.coalesce(
        read,
        _of_number(pl.when(text.str.contains(_EPOCH)).then(text), 1_000_000),
        _of_number(pl.when(text.str.contains(_EPOCH_MS)).then(text), 1_000),
        _of_whole(pl.when(text.str.contains(_EPOCH_US)).then(text), 1),
        _of_whole(pl.when(text.str.contains(_EPOCH_NS)).then(text), 1_000),
        _local(day.cast(pl.Datetime("us")), zone),
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
