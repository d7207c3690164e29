"""Moments as people write them: a date, a date with a time, with or without a zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def to_moment(text: str, zone: str) -> datetime:
    """The moment, UTC; without an offset it is local in `zone`, a date alone is its midnight.

    Raises:
        ValueError: no date of the calendar, or a local time that a clock change skips.
    """
    problem = "write a date such as 2026-08-31, or a time such as 2026-08-31T06:30+02:00"
    try:
        read = datetime.fromisoformat(text.strip())
        if read.tzinfo is not None:
            return read.astimezone(UTC)
        local = read.replace(tzinfo=ZoneInfo(zone))
        moment = local.astimezone(UTC)
        if moment.astimezone(local.tzinfo).replace(tzinfo=None) == read:
            return moment
        problem = f"there is no such time in {zone}: its clocks go forward there"
    except (ValueError, OverflowError):
        pass
    raise ValueError(problem)
