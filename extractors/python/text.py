"""The columns of a plain frame as the text of raw rows: one form a type, no value changed.

The same text as a database's values get: whole numbers without `.0`, decimals and floats without
exponent or trailing zeros, booleans `true` and `false`, bytes as lower-case hex, dates and times in
ISO 8601, in UTC where a zone is known. Text stays as it is, and null stays null.
"""

import polars as pl

from extractors.sql.session.values import floats_text, without_zeros
from schemas.tables import ROW

# A tuple, not a set: a dtype with categories equals its class, and has another hash.
_PLAIN = (pl.Boolean, pl.Null, pl.Categorical, pl.Enum)


class NotTextError(ValueError):
    """A column has no one form as text; the message names it and says what to do."""


def to_text_columns(frame: pl.DataFrame) -> pl.DataFrame:
    """Returns `frame` with every column as text, but for `ROW`, which stays as it is.

    Raises:
        NotTextError: a column is nested, or of another type that has no one form; or has a NaN.
    """
    return frame.with_columns(
        _to_text(column) for column in frame if column.name != ROW and column.dtype != pl.String
    )


def _to_text(column: pl.Series) -> pl.Series:
    dtype = column.dtype
    if dtype.is_integer() or dtype in _PLAIN:
        return column.cast(pl.String)
    if dtype.is_float() or dtype.is_decimal():
        return _number(column)
    if dtype in {pl.Date, pl.Time} or isinstance(dtype, pl.Datetime):
        return _time(column)
    if dtype == pl.Binary:
        return column.bin.encode("hex")
    raise NotTextError(
        f"column {column.name!r} is {dtype}, which has no one form as text: make text of it"
    )


def _number(column: pl.Series) -> pl.Series:
    if column.dtype.is_decimal():
        return without_zeros(column.cast(pl.String))
    if not column.is_finite().fill_null(value=True).all():
        raise NotTextError(
            f"column {column.name!r} has a NaN or an infinity: make null of it, fill_nan(None)"
        )
    # By its own digits: 0.1 of 32 bits is 0.10000000149011612 of 64.
    return floats_text(column.cast(pl.String).cast(pl.Float64))


def _time(column: pl.Series) -> pl.Series:
    if column.dtype == pl.Date:
        return column.dt.to_string("%Y-%m-%d")
    if column.dtype == pl.Time:
        return _clock(column, "%H:%M:%S")
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is not None:
        return _clock(column.dt.convert_time_zone("UTC"), "%Y-%m-%dT%H:%M:%S") + "Z"
    return _clock(column, "%Y-%m-%dT%H:%M:%S")


def _clock(times: pl.Series, shape: str) -> pl.Series:
    """Returns the times in `shape`, with a fraction of a second only where there is one."""
    fraction = times.dt.to_string("%.9f").str.strip_chars_end("0").str.strip_chars_end(".")
    return times.dt.to_string(shape) + fraction
