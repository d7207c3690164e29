"""Names of zones in times, `CET` or `GMT+1`: the offset of each in the zone that is stated."""

import re
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import polars as pl

from schemas.tables import UTC_TIME

ZONE_NAME = r"(?:[A-Za-z]{1,5}(?:[+-]\d{1,2}(?::?\d{2})?)?|[+-]\d{1,2}(?::?\d{2})?)"
"""A pattern of a zone's name, or of an offset."""

_OFFSET = re.compile(r"(?:GMT|UTC|UT)?([+-])(\d{1,2})(?::?(\d{2}))?", re.IGNORECASE)
_UTC = frozenset({"UTC", "GMT", "UT", "Z"})
_FIRST, _LAST = datetime(1990, 1, 1), datetime(2040, 1, 1)  # noqa: DTZ001 - on a zone's clocks
_STEP = timedelta(days=7)
_FARTHEST = 14 * 60
"""Minutes: Kiribati is as far ahead of UTC."""

_LETTERS = r"[^\W\d_]+\.?"
_CODES = {
    "Y": r"\d{4}", "y": r"\d{2}", "j": r"\d{3}", "f": r"\d{1,9}", "p": "[AaPp][Mm]",
    "P": "[AaPp][Mm]", "F": r"\d{4}-\d{2}-\d{2}", "D": r"\d{2}/\d{2}/\d{2}",
    "T": r"\d{2}:\d{2}:\d{2}", "R": r"\d{2}:\d{2}", "%": "%",
    **dict.fromkeys("mdHIMSUWuw", r"\d{1,2}"), **dict.fromkeys("ekl", r" ?\d{1,2}"),
    **dict.fromkeys("aAbBh", _LETTERS),
}  # fmt: skip
"""What a code of strftime matches; any other matches anything."""


def of_format(text: pl.Series, form: str, zone: str) -> pl.Series:
    """`text` as UTC times by a format with `%Z`; null where it is not so, or names another zone."""
    before, _, after = form.partition("%Z")
    pattern = f"^({_pattern_of(before)})({ZONE_NAME})({_pattern_of(after)})$"
    bare = text.str.replace(pattern, "${1}${3}")
    names = text.str.extract(pattern, 2)
    local = bare.str.to_datetime(f"{before}{after}", strict=False, time_unit="us")
    return at_offset(local.set(names.is_null(), None), names, zone)


def at_offset(local: pl.Series, names: pl.Series, zone: str | None) -> pl.Series:
    """Local times (naive) as UTC times, by the offset that each one's name of a zone means.

    Where a zone has given a name to several offsets, it is the one that was in force.
    """
    frame = pl.DataFrame({"local": local, "name": names})
    moments = []
    spelled = {name: offsets_of(name, zone) for name in names.unique().drop_nulls().to_list()}
    for number in range(max((len(offsets) for offsets in spelled.values()), default=0)):
        nth = {name: offsets[number] for name, offsets in spelled.items() if number < len(offsets)}
        offset = pl.col("name").replace_strict(
            list(nth), list(nth.values()), default=None, return_dtype=pl.Int32
        )
        moment = (pl.col("local") - pl.duration(minutes=offset)).dt.replace_time_zone("UTC")
        if zone is not None:
            several = [name for name, offsets in spelled.items() if len(offsets) > 1]
            there = moment.dt.convert_time_zone(zone).dt.replace_time_zone(None)
            is_in_force = there == pl.col("local")
            moment = pl.when(is_in_force | ~pl.col("name").is_in(several)).then(moment)
        moments.append(moment)
    if not moments:
        return pl.Series(local.name, [None], dtype=UTC_TIME).new_from_index(0, local.len())
    return frame.select(pl.coalesce(moments).cast(UTC_TIME).alias(local.name)).to_series()


def offsets_of(name: str, zone: str | None) -> tuple[int, ...]:
    """The offsets in minutes that a name may mean: UTC's, one in numbers, or one of `zone`."""
    numbers = _OFFSET.fullmatch(name)
    if numbers:
        minutes = int(numbers[2]) * 60 + int(numbers[3] or 0)
        if minutes > _FARTHEST:
            return ()
        return (-minutes if numbers[1] == "-" else minutes,)
    if name.upper() in _UTC:
        return (0,)
    return _names_in(zone).get(name.upper(), ()) if zone is not None else ()


@lru_cache(maxsize=64)
def _names_in(zone: str) -> dict[str, tuple[int, ...]]:
    """The names that a zone has had since 1990, by the database of IANA, each with its offsets."""
    names: dict[str, dict[int, None]] = {}
    moment, info = _FIRST, ZoneInfo(zone)
    while moment < _LAST:
        there = moment.replace(tzinfo=info)
        offset, name = there.utcoffset(), there.tzname()
        if offset is not None and name is not None:
            names.setdefault(name.upper(), {})[round(offset.total_seconds() / 60)] = None
        moment += _STEP
    return {name: tuple(offsets) for name, offsets in names.items()}


def _pattern_of(form: str) -> str:
    """A pattern of what a format without zones writes."""
    parts, position = [], 0
    for code in re.finditer(r"%[-_0^#.:]*\d?([A-Za-z%+])", form):
        parts += [_literal(form[position : code.start()]), _CODES.get(code[1], ".+?")]
        if code[0].startswith("%."):
            parts[-1] = r"(?:\.\d+)?"
        position = code.end()
    return "".join((*parts, _literal(form[position:])))


def _literal(text: str) -> str:
    return re.sub(r"(?:\\ )+", r"\\s*", re.escape(text))
