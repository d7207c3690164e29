"""When a schedule is due: on the clocks of its zone, on the nights when they change, too."""

from datetime import UTC, datetime

import pytest

from flows.schedule.due import due_after, due_by
from schemas.source_file.blocks import Schedule


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def instants(cron: str, zone: str, since: str, count: int) -> list[str]:
    """The next instants after `since`, UTC, to the minute."""
    schedule, moment, found = Schedule(cron=cron, timezone=zone), at(since), list[str]()
    for _ in range(count):
        due = due_after(schedule, moment)
        assert due is not None
        moment = due
        found.append(f"{due:%m-%d %H:%M}")
    return found


def test_a_night_is_due_by_the_clocks_of_its_zone() -> None:
    assert instants("0 2 * * *", "Asia/Tokyo", "2026-11-30T00:00", 2) == [
        "11-30 17:00",
        "12-01 17:00",
    ]


def test_a_time_that_the_clocks_skip_is_due_as_they_go_forward_and_is_due_once() -> None:
    found = instants("30 2 * * *", "Europe/Paris", "2026-03-28T12:00", 3)
    assert found == ["03-29 01:00", "03-30 00:30", "03-31 00:30"]


def test_a_time_that_comes_twice_is_due_the_first_time() -> None:
    found = instants("30 2 * * *", "Europe/Paris", "2026-10-24T12:00", 2)
    assert found == ["10-25 00:30", "10-26 01:30"]


def test_every_hour_that_passes_is_due_where_the_hour_is_a_star() -> None:
    found = instants("0 * * * *", "Europe/Paris", "2026-10-24T22:30", 4)
    assert found == ["10-24 23:00", "10-25 00:00", "10-25 01:00", "10-25 02:00"]


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        ("2026-11-30T02:00:00", "2026-11-30T02:00"),
        ("2026-11-30T02:00:59", "2026-11-30T02:00"),
        ("2026-11-30T01:59:59", "2026-11-29T02:00"),
    ],
)
def test_the_last_time_that_it_was_due_counts_this_moment_in(moment: str, due: str) -> None:
    assert due_by(Schedule(cron="0 2 * * *"), at(moment)) == at(due)
