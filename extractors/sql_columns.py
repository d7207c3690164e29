"""Columns as text, all of their values at once: the same text as each value's own."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import polars as pl

from extractors.sql_values import float_text, value_text

_INT64 = 2**63


def column_text(name: str, values: list[Any], zone: str | None = None) -> pl.Series:
    """`values` of one column as text, in order; null where a value is None."""
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {int} and all(-_INT64 <= one < _INT64 for one in values if one is not None):
        return pl.Series(name, values, dtype=pl.Int64).cast(pl.String)
    if kinds == {datetime}:
        return _datetimes_text(name, values, zone)
    if len(kinds) == 1 and (way := _WAYS.get(kinds.pop())):
        dtype, to_text = way
        return to_text(pl.Series(name, values, dtype=dtype))
    return pl.Series(name, [value_text(one, zone) for one in values], dtype=pl.String)


def floats_text(values: pl.Series) -> pl.Series:
    """Floats in the shortest digits that read back as they are, without an exponent."""
    short = without_zeros(values.cast(pl.String))
    rare = short.str.contains("[ei]") | (short == "-0")  # an exponent, an infinity
    found = [float_text(value) for value in values.filter(rare)]
    return short.scatter(rare.arg_true(), found) if found else short


def without_zeros(text: pl.Series) -> pl.Series:
    """Decimals in plain digits without the zeros that end their fraction, as `decimal_text`."""
    number = pl.col(text.name)
    cut = number.str.strip_chars_end("0").str.strip_chars_end(".")
    plain = pl.when(number.str.contains(".", literal=True)).then(cut).otherwise(number)
    return text.to_frame().select(plain).to_series()


def _datetimes_text(name: str, values: list[Any], zone: str | None) -> pl.Series:
    zoned = {one.tzinfo is not None for one in values if one is not None}
    if zoned == {True}:
        times = pl.Series(name, values, dtype=pl.Datetime("us", "UTC"))
        return utc_text(times)
    if zoned == {False} and zone in {None, "UTC"}:
        return local_text(pl.Series(name, values, dtype=pl.Datetime("us")), zone)
    return pl.Series(name, [value_text(one, zone) for one in values], dtype=pl.String)


def utc_text(times: pl.Series) -> pl.Series:
    """Zoned times as text in UTC, `2026-01-02T03:04:05Z`; a fraction only where there is one."""
    bare = times.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return _bare_text(bare) + "Z"


def local_text(times: pl.Series, zone: str | None) -> pl.Series:
    """Times without a zone: as they are, or in UTC where it is known to be theirs."""
    return _bare_text(times) + ("Z" if zone == "UTC" else "")


def _bare_text(times: pl.Series) -> pl.Series:
    fraction = times.dt.to_string("%.6f").str.strip_chars_end("0").str.strip_chars_end(".")
    year = times.dt.year().cast(pl.String).str.zfill(4)
    return year + times.dt.to_string("-%m-%dT%H:%M:%S") + fraction


_WAYS: dict[type, tuple[type[pl.DataType], Callable[[pl.Series], pl.Series]]] = {
    str: (pl.String, lambda values: values),
    bool: (pl.Boolean, lambda values: values.cast(pl.String)),
    float: (pl.Float64, floats_text),
    bytes: (pl.Binary, lambda values: values.bin.encode("hex")),
    date: (pl.Date, lambda values: values.dt.to_string("%Y-%m-%d")),
}
