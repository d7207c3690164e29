"""A value as a driver hands it over, as text: canonically, once, the same from every driver.

Whole numbers without `.0`, decimals and floats without exponent or trailing zeros, booleans `true`
and `false`, UUIDs and bytes as lower-case hex, times in ISO 8601, in UTC where a zone is known.
"""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import polars as pl

_quoted = json.JSONEncoder(ensure_ascii=False).encode
_NO_NUMBERS = {"NaN", "Infinity", "-Infinity"}


def value_text(value: Any, zone: str | None = None) -> str | None:  # noqa: ANN401 - any driver's
    """Writes `value` as text; None is None, for NULL. `zone` is that of times which carry none.

    A local time that a clock change repeats is the earlier of the two.
    """
    to_text: Callable[..., str | None] | None = _BY_TYPE.get(type(value))
    if to_text is None:
        of_parents = (change for kind, change in _BY_TYPE.items() if isinstance(value, kind))
        to_text = next(of_parents, _as_it_is)
    if to_text is _datetime_text:
        return _datetime_text(value, zone)
    return to_text(value)


def decimal_text(value: Decimal) -> str:
    """Writes plain digits, no zeros at a fraction's end; `NaN`, `Infinity` as they are."""
    if not value.is_finite():
        return str(value)
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def float_text(value: float) -> str:
    """Writes the shortest digits that read back as `value`, without an exponent."""
    return decimal_text(Decimal(repr(value)))


class JsonNumber(str):
    """A number of a JSON document as it is written there, which a float would round."""

    __slots__ = ()


def json_text(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    """Writes a value as JSON: keys in order, no blanks, numbers as digits without an exponent.

    A `JsonNumber` is as it was written. Not by json.dumps, which writes no other numbers than
    int's and float's own.
    """
    match value:
        case JsonNumber():
            return str(value)
        case str():
            return _quoted(value)
        case None:
            return "null"
        case dict():
            members = sorted((_key(key), json_text(member)) for key, member in value.items())
            return f"{{{','.join(f'{_quoted(key)}:{text}' for key, text in members)}}}"
        case list() | tuple():
            return f"[{','.join(map(json_text, value))}]"
    text = value_text(value) or ""
    is_bare = isinstance(value, _BARE) and text not in _NO_NUMBERS
    return text if is_bare else _quoted(text)


def _key(key: Any) -> str:  # noqa: ANN401 - a DuckDB MAP has keys of any type
    return value_text(key) or ""


def _datetime_text(value: datetime, zone: str | None = None) -> str:
    if value.tzinfo is None and zone is not None:
        value = value.replace(tzinfo=ZoneInfo(zone))
    if value.tzinfo is None:
        return _without_zeros(value.isoformat())
    try:
        value = value.astimezone(UTC)
    except OverflowError:  # the first or the last day there is
        return value.isoformat()
    return _without_zeros(value.replace(tzinfo=None).isoformat()) + "Z"


def _without_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _time_text(value: time) -> str:
    return _without_zeros(value.isoformat())


def _duration_text(value: timedelta) -> str:
    """Writes a time of day, which MySQL's TIME means; more than a day counts on in hours."""
    sign = "-" if value < timedelta(0) else ""
    whole = abs(value)
    seconds = whole.days * 86_400 + whole.seconds
    clock = f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return _without_zeros(f"{clock}.{whole.microseconds:06}")


def _as_it_is(value: Any) -> str | None:  # noqa: ANN401 - any driver's
    return str(value)


_BY_TYPE: dict[type, Callable[..., str | None]] = {
    type(None): lambda _none: None,
    str: str,
    bool: lambda value: "true" if value else "false",
    int: str,
    float: float_text,
    Decimal: decimal_text,
    datetime: _datetime_text,
    date: date.isoformat,
    time: _time_text,
    timedelta: _duration_text,
    bytes: bytes.hex,
    bytearray: bytearray.hex,
    memoryview: lambda value: value.tobytes().hex(),
    UUID: str,
    dict: json_text,
    list: json_text,
    tuple: json_text,
}
_BARE = (bool, int, float, Decimal)


# Columns as text, all of their values at once: the same text as each value's own.

_INT64 = 2**63


def column_text(name: str, values: list[Any], zone: str | None = None) -> pl.Series:
    """Writes `values` of one column as text, in order; null where a value is None."""
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {int} and all(-_INT64 <= n < _INT64 for n in values if n is not None):
        return pl.Series(name, values, dtype=pl.Int64).cast(pl.String)
    if kinds == {datetime}:
        return _datetimes_text(name, values, zone)
    if len(kinds) == 1 and (change := _CHANGES.get(kinds.pop())):
        dtype, to_text = change
        return to_text(pl.Series(name, values, dtype=dtype))
    return pl.Series(name, [value_text(value, zone) for value in values], dtype=pl.String)


def floats_text(values: pl.Series) -> pl.Series:
    """Writes floats in the shortest digits that read back as they are, without an exponent."""
    short = without_zeros(values.cast(pl.String))
    rare = short.str.contains("[ei]") | (short == "-0")  # an exponent, an infinity
    texts = [float_text(value) for value in values.filter(rare)]
    return short.scatter(rare.arg_true(), texts) if texts else short


def without_zeros(text: pl.Series) -> pl.Series:
    """Takes the zeros off the end of decimals' fractions, as `decimal_text`."""
    number = pl.col(text.name)
    cut = number.str.strip_chars_end("0").str.strip_chars_end(".")
    plain = pl.when(number.str.contains(".", literal=True)).then(cut).otherwise(number)
    return text.to_frame().select(plain).to_series()


def _datetimes_text(name: str, values: list[Any], zone: str | None) -> pl.Series:
    zoned = {time.tzinfo is not None for time in values if time is not None}
    if zoned == {True}:
        times = pl.Series(name, values, dtype=pl.Datetime("us", "UTC"))
        return utc_text(times)
    if zoned == {False} and zone in {None, "UTC"}:
        return local_text(pl.Series(name, values, dtype=pl.Datetime("us")), zone)
    return pl.Series(name, [value_text(value, zone) for value in values], dtype=pl.String)


def utc_text(times: pl.Series) -> pl.Series:
    """Writes zoned times in UTC, `2026-01-02T03:04:05Z`; a fraction only where there is one."""
    bare = times.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return _bare_text(bare) + "Z"


def local_text(times: pl.Series, zone: str | None) -> pl.Series:
    """Writes times without a zone: as they are, or in UTC where it is known to be theirs."""
    return _bare_text(times) + ("Z" if zone == "UTC" else "")


def _bare_text(times: pl.Series) -> pl.Series:
    fraction = times.dt.to_string("%.6f").str.strip_chars_end("0").str.strip_chars_end(".")
    year = times.dt.year().cast(pl.String).str.zfill(4)
    return year + times.dt.to_string("-%m-%dT%H:%M:%S") + fraction


_CHANGES: dict[type, tuple[type[pl.DataType], Callable[[pl.Series], pl.Series]]] = {
    str: (pl.String, lambda values: values),
    bool: (pl.Boolean, lambda values: values.cast(pl.String)),
    float: (pl.Float64, floats_text),
    bytes: (pl.Binary, lambda values: values.bin.encode("hex")),
    date: (pl.Date, lambda values: values.dt.to_string("%Y-%m-%d")),
}
