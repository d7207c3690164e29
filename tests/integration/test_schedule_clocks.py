"""The nights on which the clocks change: when a Prefect server makes runs, and `serve` runs."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from prefect.server.schemas.schedules import CronSchedule

from flows.schedule.due import due_after, due_by
from schemas.source_file.blocks import Schedule

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LOOKS = timedelta(minutes=20)
NIGHTLY = ["0 1 * * *", "30 1 * * *", "0 2 * * *", "30 2 * * *", "15 3 * * *"]
CHANGES = {
    ("Europe/Paris", "spring"): date(2026, 3, 29),
    ("Europe/Paris", "autumn"): date(2026, 10, 25),
    ("America/New_York", "spring"): date(2026, 3, 8),
    ("America/New_York", "autumn"): date(2026, 11, 1),
    ("Australia/Lord_Howe", "spring"): date(2026, 10, 4),  # by half an hour
    ("Australia/Lord_Howe", "autumn"): date(2026, 4, 5),
}


def span(zone: str, day: date) -> tuple[datetime, datetime]:
    """From noon two days before to noon two days after."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone))
    return (noon - 2 * DAY).astimezone(UTC), (noon + 2 * DAY).astimezone(UTC)


def made_by_prefect(cron: str, zone: str, day: date) -> list[datetime]:
    """What its scheduler makes, which looks ahead again and again, from whatever moment it is."""
    begin, end = span(zone, day)
    schedule = CronSchedule(cron=cron, timezone=zone)

    async def looked_ahead() -> set[datetime]:
        found, moment = set(), begin
        while moment < end:
            dates = await schedule.get_dates(3, moment, end)
            found |= {datetime.fromisoformat(str(one)).astimezone(UTC) for one in dates}
            moment += LOOKS
        return found

    return sorted(asyncio.run(looked_ahead()))


def due_in_serve(cron: str, zone: str, day: date) -> list[datetime]:
    moment, end = span(zone, day)
    schedule, found = Schedule(cron=cron, timezone=zone), []
    while (moment := due_after(schedule, moment)) <= end:
        found.append(moment)
    return found


@pytest.mark.parametrize("cron", NIGHTLY)
@pytest.mark.parametrize(("zone", "season"), CHANGES)
def test_every_night_has_one_run_and_it_is_the_same_night(
    zone: str, season: str, cron: str
) -> None:
    day = CHANGES[zone, season]
    nights = [day + number * DAY for number in (-1, 0, 1, 2)]
    for made in (made_by_prefect(cron, zone, day), due_in_serve(cron, zone, day)):
        assert [one.astimezone(ZoneInfo(zone)).date() for one in made] == nights
        gaps = [later - one for one, later in pairwise(made)]
        assert all(abs(gap - DAY) <= HOUR for gap in gaps)


@pytest.mark.parametrize(("zone", "season"), CHANGES)
def test_an_hourly_source_is_never_without_a_run_for_longer_than_two_hours(
    zone: str, season: str
) -> None:
    day = CHANGES[zone, season]
    begin, end = span(zone, day)
    for made in (made_by_prefect("5 * * * *", zone, day), due_in_serve("5 * * * *", zone, day)):
        moments = [begin, *made, end]
        gaps = [later - one for one, later in pairwise(moments)]
        assert max(gaps) <= 2 * HOUR
        assert len(made) == len(set(made))


@pytest.mark.parametrize("cron", [*NIGHTLY, "5 * * * *"])
@pytest.mark.parametrize(("zone", "season"), CHANGES)
def test_looking_back_from_any_moment_finds_a_time_that_looking_ahead_finds(
    zone: str, season: str, cron: str
) -> None:
    day = CHANGES[zone, season]
    due = due_in_serve(cron, zone, day)
    moment, schedule = due[0], Schedule(cron=cron, timezone=zone)
    while moment <= due[-1]:
        assert due_by(schedule, moment) == max(one for one in due if one <= moment)
        moment += LOOKS
