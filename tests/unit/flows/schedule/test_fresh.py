"""Whether a source was accepted lately: by the ledger, and by the clocks of its schedule."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.schedule.fresh import freshness
from loaders.ledger.ledger import Ledger, open_ledger
from schemas.run import RunKind, RunState
from schemas.source_file.file import Source, to_source

HOUR = timedelta(hours=1)
TWICE = datetime(2026, 10, 25, 0, tzinfo=UTC)
"""In Paris it is 02:00 for the first time; an hour later it is 02:00 again."""

HOURLY = 'schedule: {cron: "0 * * * *", timezone: Europe/Paris}\n'


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        yield ledger


def source(more: str = "") -> Source:
    text = f"app: {{name: X}}\nsource: {{kind: csv, accounts: a.csv}}\n{more}"
    return to_source(text, "hr", "sources/hr.yaml")


def ran(ledger: Ledger, at: datetime, kind: RunKind = "sync", state: RunState = "done") -> None:
    run = ledger.start_run("hr", "me@host", at, kind=kind)
    ledger.update_run(run.run_id, state=state)


def are_fresh(ledger: Ledger, now: datetime, longest: timedelta, more: str = "") -> list[bool]:
    return [one.is_fresh for one in freshness([source(more)], ledger, now, longest)]


def test_a_source_is_fresh_for_just_so_long(ledger: Ledger) -> None:
    ran(ledger, TWICE)
    assert are_fresh(ledger, TWICE + HOUR, HOUR) == [True]
    assert are_fresh(ledger, TWICE + HOUR + timedelta(seconds=1), HOUR) == [False]


@pytest.mark.parametrize("state", ["failed", "held", "reading"])
def test_what_was_not_accepted_is_not_fresh(ledger: Ledger, state: RunState) -> None:
    ran(ledger, TWICE, state=state)
    assert are_fresh(ledger, TWICE, HOUR) == [False]


def test_an_hourly_source_stands_the_hour_that_comes_twice_in_autumn(ledger: Ledger) -> None:
    ran(ledger, TWICE)
    almost = TWICE + 2 * HOUR + timedelta(minutes=29)
    assert are_fresh(ledger, almost, timedelta(minutes=90), HOURLY) == [True]
    assert are_fresh(ledger, almost + timedelta(minutes=2), timedelta(minutes=90), HOURLY) == [
        False
    ]
    assert are_fresh(ledger, almost, timedelta(minutes=90)) == [False], "no zone is known"


def test_the_hour_that_is_skipped_in_spring_makes_nothing_older(ledger: Ledger) -> None:
    skipped = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    ran(ledger, skipped)
    assert are_fresh(ledger, skipped + HOUR, HOUR, HOURLY) == [True]


def test_activity_with_a_schedule_of_its_own_is_looked_at_too(ledger: Ledger) -> None:
    scheduled = 'activity: {schedule: {cron: "0 * * * *"}}\n'
    ran(ledger, TWICE)
    assert are_fresh(ledger, TWICE, HOUR, "activity: {}\n") == [True]
    assert are_fresh(ledger, TWICE, HOUR, scheduled) == [True, False]
    ran(ledger, TWICE, "activity")
    assert are_fresh(ledger, TWICE, HOUR, scheduled) == [True, True]
