from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.source_file.quantities import to_moment
from transforms.activity.windows import windows

ZONES = ["UTC", "Europe/Paris", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu"]
DAY = timedelta(days=1)


def cut(since: str, until: str, each: timedelta = DAY, zone: str = "Europe/Paris"):
    """The windows' borders, and their lengths in hours."""
    made = list(windows(to_moment(since, zone), to_moment(until, zone), each, zone))
    return made, [(end - start) / timedelta(hours=1) for start, end in made]


def test_a_day_on_which_the_clocks_change_has_23_or_25_hours():
    assert cut("2026-03-28", "2026-03-31")[1] == [24, 23, 24]
    assert cut("2026-10-24", "2026-10-27")[1] == [24, 25, 24]
    assert cut("2026-04-04", "2026-04-06", zone="Australia/Lord_Howe")[1] == [24, 24.5]


def test_a_day_whose_midnight_is_skipped_begins_with_the_change():
    made, hours = cut("2017-10-14", "2017-10-17", zone="America/Sao_Paulo")
    assert hours == [24, 23, 24]
    assert made[1][0] == datetime(2017, 10, 15, 3, tzinfo=UTC)


def test_weeks_are_weeks_of_the_clocks_and_hours_are_hours():
    assert cut("2026-03-25", "2026-04-08", 7 * DAY)[1] == [167, 168]
    assert cut("2026-03-29", "2026-03-30", timedelta(hours=6))[1] == [6, 6, 6, 5]


@given(
    st.sampled_from(ZONES),
    st.integers(0, 10 * 365 * 24 * 60),
    st.integers(1, 60 * 24 * 20),
    st.integers(1, 60 * 24 * 3),
)
@settings(deadline=None)
def test_windows_are_half_open_in_order_and_leave_nothing_out(
    zone: str, since: int, minutes: int, each: int
):
    began_at = datetime(2016, 1, 1, tzinfo=UTC) + timedelta(minutes=since)
    until = began_at + timedelta(minutes=minutes)
    made = list(windows(began_at, until, timedelta(minutes=each), zone))
    borders = [start for start, _ in made] + [until]
    assert borders[0] == began_at
    assert [end for _, end in made] == borders[1:]
    assert all(start < end for start, end in made)


@given(st.sampled_from(ZONES), st.dates(date(2016, 1, 1), date(2026, 1, 1)))
@example("America/Sao_Paulo", date(2016, 10, 16))
@settings(deadline=None)
def test_days_begin_at_midnight_wherever_there_is_one(zone: str, day: date):
    since = to_moment(day.isoformat(), zone)
    for start, _ in windows(since, since + 5 * DAY, DAY, zone):
        local = start.astimezone(ZoneInfo(zone))
        before = (start - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
        assert before.date() < local.date()


@pytest.mark.parametrize(
    ("text", "zone", "moment"),
    [
        ("2026-08-01", "Europe/Paris", "2026-07-31T22:00:00+00:00"),
        ("2026-08-01T06:30", "Europe/Paris", "2026-08-01T04:30:00+00:00"),
        ("2026-08-01T06:30+05:30", "Europe/Paris", "2026-08-01T01:00:00+00:00"),
        ("2026-10-25T02:30", "Europe/Paris", "2026-10-25T00:30:00+00:00"),
        ("2017-10-15", "America/Sao_Paulo", "2017-10-15T03:00:00+00:00"),
    ],
)
def test_a_moment_is_meant_in_the_zone_unless_it_says_its_own(text: str, zone: str, moment: str):
    assert to_moment(text, zone) == datetime.fromisoformat(moment)


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-02-30", "2026-03-29T02:30", "1"])
def test_what_is_no_moment_is_refused(text: str):
    with pytest.raises(ValueError, match=r"write a date|no such time"):
        to_moment(text, "Europe/Paris")
