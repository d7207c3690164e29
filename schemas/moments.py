"""Moments as people write them: a date, a date with a time, with or without a zone."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def to_moment(text: str, zone: str) -> datetime:
    """The moment, UTC; without an offset it is local in `zone`, a date alone is where it begins.

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
    """The moment, UTC, at which the clocks of `zone` show the time `local`, which has no zone.

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
