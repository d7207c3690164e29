"""When a schedule is due, on the clocks of its zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from schemas.source_file.blocks import Schedule


def due_after(schedule: Schedule, moment: datetime) -> datetime:
    """The first instant at which it is due after `moment`, UTC.

    A time that the clocks skip is due as they go forward, and one that comes twice the first time;
    where the hour is `*`, each hour that passes counts (Debian's cron does so, cronsim 2.8 too).
    """
    return _next(schedule, moment, is_reverse=False)


def due_by(schedule: Schedule, moment: datetime) -> datetime:
    """The last instant at which it was due, `moment` itself included, UTC."""
    start = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    due_at = _next(schedule, start, is_reverse=True)
    # In the hour that comes a second time in autumn, cronsim 2.8 looks back by the clocks alone,
    # and passes over what was due in the first.
    while (later := due_after(schedule, due_at)) <= moment:
        due_at = later
    return due_at


def _next(schedule: Schedule, moment: datetime, *, is_reverse: bool) -> datetime:
    local = moment.astimezone(ZoneInfo(schedule.timezone))
    return next(CronSim(schedule.cron, local, reverse=is_reverse)).astimezone(UTC)
