"""The values of a directory decoded a column at a time: the usual form at once, the rest singly."""

from collections.abc import Callable

import polars as pl

from extractors.directory_values import (
    ACCOUNT_CONTROL,
    NEVER,
    boolean,
    filetime_text,
    generalized_time_text,
    shadow_day,
    sid_text,
)

_UNIX_TICKS = 116_444_736_000_000_000  # from 1601 to 1970
_LAST_TICKS = 2_650_467_743_990_000_000  # the last second of 9999
_TICKS = 10_000_000
_GUID_BYTES = 16
_GUID_ORDER = (3, 2, 1, 0, -1, 5, 4, -1, 7, 6, -1, 8, 9, -1, 10, 11, 12, 13, 14, 15)


def guid_texts(values: pl.Series) -> pl.Series:
    """GUIDs (Binary) as text; null where it is null or not 16 bytes."""
    octets = pl.lit(values.bin.encode("hex")).str
    parts = [pl.lit("-") if at < 0 else octets.slice(2 * at, 2) for at in _GUID_ORDER]
    text = pl.when(pl.lit(values.bin.size()) == _GUID_BYTES).then(pl.concat_str(parts))
    return pl.select(text.alias(values.name)).to_series()


def sid_texts(values: pl.Series) -> pl.Series:
    """SIDs (Binary) as text; null where it is null or no SID."""
    return _each(values, sid_text)


def filetime_texts(values: pl.Series) -> pl.Series:
    """FILETIMEs (text) in ISO 8601, UTC; null where it is null, never, or absurd."""
    ticks = pl.lit(values.cast(pl.Int64, strict=False))
    is_time = (ticks >= _TICKS) & (ticks < _LAST_TICKS + _TICKS) & ~ticks.is_in([*NEVER])
    time = ((ticks - _UNIX_TICKS) // 10).cast(pl.Datetime("us")).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    whole = pl.when(is_time & (ticks % _TICKS == 0)).then(time)
    found = pl.select(
        whole.alias(values.name), (is_time & (ticks % _TICKS != 0)).fill_null(value=False).alias("")
    )
    return _rest(found.to_series(0), values, found.to_series(1), filetime_text)


def absurd_filetimes(values: pl.Series) -> pl.Series:
    """Whether a FILETIME (text) is neither a time nor never; false where it is null."""
    ticks = pl.lit(values.cast(pl.Int64, strict=False))
    is_known = ticks.is_between(_TICKS, _LAST_TICKS + _TICKS - 1) | ticks.is_in([*NEVER])
    absurd = pl.lit(values.is_not_null()) & ~is_known.fill_null(value=False)
    return pl.select(absurd.alias(values.name)).to_series()


def generalized_time_texts(values: pl.Series) -> pl.Series:
    """Generalized times (text) in ISO 8601, UTC; null where it is null or none."""
    usual = values.str.replace(r"^(\d{14})(?:\.0+)?Z$", "${1}Z")
    time = usual.str.to_datetime("%Y%m%d%H%M%SZ", strict=False, time_unit="us")
    text = time.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return _rest(text, values, text.is_null() & values.is_not_null(), generalized_time_text)


def shadow_days(values: pl.Series) -> pl.Series:
    """The day (Date) from which shadowExpire (text) shuts an account; null for never."""
    days = [None if value is None else shadow_day(value.encode()) for value in values]
    return pl.Series(values.name, days, dtype=pl.Date)


def booleans(values: pl.Series) -> pl.Series:
    """`TRUE` and `FALSE` (text) as Boolean; null for anything else."""
    return pl.Series(
        values.name,
        [None if value is None else boolean(value.encode()) for value in values],
        dtype=pl.Boolean,
    )


def account_controls(values: pl.Series) -> pl.DataFrame:
    """A Boolean column for each of `ACCOUNT_CONTROL`; null where the value (text) is no number."""
    number = pl.lit(values.cast(pl.Int64, strict=False))
    return pl.select(
        [((number & pl.lit(bit)) != 0).alias(name) for name, bit in ACCOUNT_CONTROL.items()]
    )


def _each(values: pl.Series, decode: Callable[[bytes], str | None]) -> pl.Series:
    decoded = [None if value is None else decode(value) for value in values]
    return pl.Series(values.name, decoded, dtype=pl.String)


def _rest(
    texts: pl.Series, values: pl.Series, left: pl.Series, decode: Callable[[bytes], str | None]
) -> pl.Series:
    """`texts`, with what is `left` decoded one by one."""
    if not left.any():
        return texts
    rows = left.arg_true()
    return texts.scatter(rows, [decode(value.encode()) for value in values.gather(rows)])
