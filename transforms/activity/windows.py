"""A past time cut into windows on exact borders of a zone's own clocks."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from schemas.source_file.quantities import moment_of

_DAY = timedelta(days=1)


def windows(
    since: datetime, until: datetime, each: timedelta, zone: str
) -> Iterator[tuple[datetime, datetime]]:
    """Half-open windows, (since, until) in UTC, in order: together just `since` to `until`.

    Windows of whole days begin at the same time of day by the clocks of `zone`, so that one over a
    clock change has 23 or 25 hours. All others are of their exact length.
    """
    days, rest = divmod(each, _DAY)
    first = since.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    midnight = datetime.combine(first.date(), time())
    if moment_of(midnight, zone) == since:  # where clocks skip midnight, its day begins later
        first = midnight
    start, count = since, 0
    while start < until:
        count += 1
        later = start + each if rest else moment_of(first + timedelta(days=days * count), zone)
        end = min(later, until)
        if end > start:
            yield start, end
        start = end
