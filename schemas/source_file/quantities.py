"""Quantities as people write them in a source file: durations, limits, moments.

Such as `36h` and `1h30m`; `10%` and `25`; a date, or a time with or without a zone.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")


def to_duration(text: Any) -> timedelta:  # noqa: ANN401 - pydantic hands over whatever the file holds
    """Returns the duration that `text` names: numbers with a unit each (s, m, h, d), added up.

    Raises:
        ValueError: a number without a unit, an unknown unit, anything left over, or too long.
    """
    if isinstance(text, timedelta):
        return text
    parts = _DURATION.findall(str(text))
    if not parts or _DURATION.sub("", str(text)).strip():
        raise ValueError("write a duration as a number and a unit, such as 60s, 15m, 36h or 7d")
    seconds = sum(float(number) * _UNIT_S[unit] for number, unit in parts)
    if seconds > timedelta.max.total_seconds():
        raise ValueError("is longer than a duration can be")
    return timedelta(seconds=seconds)


def duration_text(duration: timedelta) -> str:
    """Returns the duration in its two largest units: `36h`, `2d 4h`, `45s`."""
    left, parts = int(duration.total_seconds()), []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"


Duration = Annotated[
    timedelta,
    BeforeValidator(to_duration),
    PlainSerializer(duration_text, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^\s*(\d+(\.\d+)?\s*[smhd]\s*)+$",
            "examples": ["60s", "15m", "36h", "7d"],
        }
    ),
]


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound on a count: a plain number, or a share of a base.

    Attributes:
        number: the bound itself, or the share (0.1 for 10%).
        is_share: whether `number` is a share of the base.
    """

    number: float
    is_share: bool

    def allowed(self, base: int, floor: int) -> int:
        """Returns how many of `base` may be; a share above 0 never allows fewer than `floor`."""
        if not self.is_share:
            return int(self.number)
        # 0.29 * 100 is a hair below 29 in binary: rounded first, so that a bound is exact.
        return max(floor if self.number else 0, int(round(self.number * base, 6)))

    def __str__(self) -> str:
        return f"{self.number * 100:.12g}%" if self.is_share else f"{self.number:.15g}"


def to_limit(text: Any) -> Limit:  # noqa: ANN401 - pydantic hands over whatever the file holds
    """Returns the limit that `text` names: a whole number of rows, or a share with a percent sign.

    Raises:
        ValueError: neither; a share above 100%.
    """
    if isinstance(text, Limit):
        return text
    written = re.fullmatch(r"\s*(\d{1,15}(?:\.\d+)?)\s*(%?)\s*", str(text))
    if not written or (not written[2] and "." in written[1]):
        raise ValueError("write a whole number such as 25, or a share such as 10%")
    if written[2] and float(written[1]) > 100:  # noqa: PLR2004 - a share of all there is
        raise ValueError("a share is at most 100%")
    return Limit(float(written[1]) / (100 if written[2] else 1), bool(written[2]))


LimitField = Annotated[
    Limit,
    BeforeValidator(to_limit),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": r"^\d+(\.\d+)?%$|^\d+$"},
            ],
            "examples": ["10%", 25],
        }
    ),
]


def to_moment(text: str, zone: str) -> datetime:
    """Returns the moment, UTC: local in `zone` without an offset, of a date where the day begins.

    Raises:
        ValueError: no date of the calendar, or a local time that a clock change skips.
    """
    problem = "write a date such as 2026-08-31, or a time such as 2026-08-31T06:30+02:00"
    try:
        read = datetime.fromisoformat(text.strip())
        moment = read.astimezone(UTC) if read.tzinfo else moment_of(read, zone)
        is_there = (
            bool(read.tzinfo) or moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == read
        )
    except (ValueError, OverflowError):
        raise ValueError(problem) from None
    if not is_there and not re.fullmatch(r"[\d-]+", text.strip()):
        raise ValueError(f"there is no such time in {zone}: its clocks go forward there")
    return moment


def moment_of(local: datetime, zone: str) -> datetime:
    """Returns the moment, UTC, at which the clocks of `zone` show `local`, a time without a zone.

    Of a time that comes twice it is the first; for one that a clock change skips, the change.
    """
    moment = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    if moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local:
        return moment
    offset = moment.astimezone(ZoneInfo(zone)).utcoffset()
    low, high = moment - timedelta(days=1), moment
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        if middle.astimezone(ZoneInfo(zone)).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return high.replace(microsecond=0)
