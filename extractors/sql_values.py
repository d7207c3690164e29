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

_quoted = json.JSONEncoder(ensure_ascii=False).encode
_NO_NUMBERS = {"NaN", "Infinity", "-Infinity"}


def value_text(value: Any, zone: str | None = None) -> str | None:  # noqa: ANN401 - any driver's
    """`value` as text; None is None, for NULL. `zone` is that of times which carry none.

    A local time that a clock change repeats is the earlier of the two.
    """
    to_text: Callable[..., str | None] | None = _BY_TYPE.get(type(value))
    if to_text is None:
        near = (way for kind, way in _BY_TYPE.items() if isinstance(value, kind))
        to_text = next(near, _as_it_is)
    if to_text is _datetime_text:
        return _datetime_text(value, zone)
    return to_text(value)


def decimal_text(value: Decimal) -> str:
    """Plain digits, without the zeros that end a fraction; `NaN`, `Infinity` as they are."""
    if not value.is_finite():
        return str(value)
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def float_text(value: float) -> str:
    """The shortest digits that read back as `value`, without an exponent."""
    return decimal_text(Decimal(repr(value)))


class JsonNumber(str):
    """A number of a JSON document as it is written there, which a float would round."""

    __slots__ = ()


def json_text(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    """A value as JSON: keys in order, no blanks, numbers as bare digits without an exponent.

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
            members = sorted((_key(key), json_text(one)) for key, one in value.items())
            return f"{{{','.join(f'{_quoted(key)}:{one}' for key, one in members)}}}"
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
    """As a time of day, which is what MySQL's TIME means; more than a day counts on in hours."""
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
