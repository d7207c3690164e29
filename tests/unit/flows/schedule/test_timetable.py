"""What is due now: by the schedules, and by what the ledger says was done."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.schedule.timetable import RETRY_AFTER, TRIES, Duty, Timetable
from loaders.ledger.ledger import Ledger, open_ledger
from schemas.run import RunKind, RunState
from schemas.source_file.file import Source, to_source

HR = Duty("hr", "sync")
NIGHT = datetime(2026, 11, 30, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        yield ledger


def source(name: str = "hr", cron: str = "0 2 * * *", more: str = "") -> Source:
    text = (
        f"app: {{name: App {name}}}\nsource: {{kind: csv, accounts: a.csv}}\n"
        f'schedule: {{cron: "{cron}"}}\n{more}'
    )
    return to_source(text, name, f"sources/{name}.yaml")


def ran(ledger: Ledger, at: datetime, state: RunState, kind: RunKind = "sync") -> None:
    run = ledger.start_run("hr", "me@host", at, kind=kind)
    ledger.update_run(run.run_id, state=state)


def table(ledger: Ledger, now: datetime, *sources: Source) -> Timetable:
    made = Timetable(ledger)
    made.update(list(sources or (source(),)), now)
    return made


def test_a_source_without_a_run_waits_for_its_time(ledger: Ledger) -> None:
    timetable = table(ledger, NIGHT + HOUR)
    assert timetable.due(NIGHT + HOUR) == []
    assert timetable.next_at() == NIGHT + DAY
    assert timetable.due(NIGHT + DAY) == [HR]


@pytest.mark.parametrize("state", ["done", "unchanged", "held"])
def test_what_was_done_in_time_is_not_made_up_for(ledger: Ledger, state: RunState) -> None:
    ran(ledger, NIGHT, state)
    assert table(ledger, NIGHT + HOUR).due(NIGHT + HOUR) == []


@pytest.mark.parametrize("state", ["failed", "reading", "planned", "submitted"])
def test_a_night_whose_run_failed_or_was_cut_off_is_made_up_for_at_the_start(
    ledger: Ledger, state: RunState
) -> None:
    ran(ledger, NIGHT - DAY, "done")
    ran(ledger, NIGHT, state)
    assert table(ledger, NIGHT + HOUR).due(NIGHT + HOUR) == [HR]


def test_many_missed_nights_are_made_up_for_once(ledger: Ledger) -> None:
    ran(ledger, NIGHT - 9 * DAY, "done")
    now = NIGHT + HOUR
    timetable = table(ledger, now)
    assert timetable.due(now) == [HR]
    assert timetable.begin(HR, now)
    assert timetable.due(now) == []
    assert timetable.end(HR, now + HOUR, may_retry=False) == NIGHT + DAY


def test_what_another_process_has_done_meanwhile_is_not_done_again(ledger: Ledger) -> None:
    ran(ledger, NIGHT - DAY, "done")
    timetable = table(ledger, NIGHT - HOUR)
    assert timetable.due(NIGHT) == [HR]
    ran(ledger, NIGHT, "done")
    assert not timetable.begin(HR, NIGHT)
    assert timetable.next_at() == NIGHT + DAY


def test_a_run_of_activity_does_not_stand_for_one_of_accounts(ledger: Ledger) -> None:
    ran(ledger, NIGHT - DAY, "done")
    ran(ledger, NIGHT, "done", "activity")
    assert table(ledger, NIGHT + HOUR).due(NIGHT + HOUR) == [HR]


def test_a_failure_that_may_pass_is_tried_again_and_then_no_more(ledger: Ledger) -> None:
    timetable, now = table(ledger, NIGHT - HOUR), NIGHT
    for tries in range(1, TRIES + 1):
        assert timetable.due(now) == [HR]
        assert timetable.begin(HR, now)
        next_at = timetable.end(HR, now, may_retry=True)
        assert next_at == (now + RETRY_AFTER if tries < TRIES else NIGHT + DAY)
        now += RETRY_AFTER


def test_another_failure_waits_for_the_next_night(ledger: Ledger) -> None:
    timetable = table(ledger, NIGHT - HOUR)
    assert timetable.begin(HR, NIGHT)
    assert timetable.end(HR, NIGHT, may_retry=False) == NIGHT + DAY


def test_what_came_due_during_a_long_run_is_due_once_right_after_it(ledger: Ledger) -> None:
    hourly = source(cron="0 * * * *")
    timetable = table(ledger, NIGHT - HOUR / 2, hourly)
    assert timetable.begin(HR, NIGHT)
    assert timetable.due(NIGHT + 2 * HOUR) == []  # it is at work
    late = NIGHT + 2.5 * HOUR
    assert timetable.end(HR, late, may_retry=False) == NIGHT + 2 * HOUR
    assert timetable.due(late) == [HR]
    assert timetable.begin(HR, late)
    assert timetable.end(HR, late, may_retry=False) == NIGHT + 3 * HOUR


def test_files_that_change_are_taken_up_and_a_source_that_went_is_dropped(ledger: Ledger) -> None:
    timetable = table(ledger, NIGHT - HOUR)
    assert timetable.update([source()], NIGHT - HOUR) == []
    assert timetable.update([source(cron="0 5 * * *")], NIGHT - HOUR) == [HR]
    assert timetable.next_at() == NIGHT + 3 * HOUR
    assert timetable.update([], NIGHT) == [HR]
    assert timetable.next_at() is None
    assert timetable.end(HR, NIGHT, may_retry=True) is None


def test_activity_has_a_schedule_of_its_own(ledger: Ledger) -> None:
    text = (
        "activity:\n  source: {kind: csv, activity: log.csv}\n"
        '  columns: {account_id: id, timestamp: at}\n  schedule: {cron: "0 3 * * *"}\n'
    )
    timetable = table(ledger, NIGHT - HOUR, source(more=text))
    assert timetable.due(NIGHT) == [HR]
    assert timetable.due(NIGHT + HOUR) == [HR, Duty("hr", "activity")]
