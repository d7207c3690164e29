"""What was asked for in place of a run that was due: once each, on either kind of ledger."""

import threading
from datetime import UTC, datetime, timedelta

from loaders.ledger.asked import asked_count, next_ask
from loaders.ledger.ledger import Ledger

pytest_plugins = ["tests.ledgers"]

DUE = datetime(2026, 11, 30, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def ask(ledger: Ledger, minutes: int, source: str = "hr", due_at: datetime = DUE) -> int | None:
    now = due_at + minutes * MINUTE
    return next_ask(ledger, source, "sync", due_at, now, at_most=3, patience=5 * MINUTE)


def test_asks_are_numbered_wait_for_one_another_and_come_to_an_end(ledger: Ledger) -> None:
    asked = [ask(ledger, minutes) for minutes in (5, 9, 10, 15, 60)]
    assert asked == [1, None, 2, 3, None]
    assert asked_count(ledger, "hr", "sync", DUE) == 3
    assert ask(ledger, 60, "crm") == 1
    assert ask(ledger, 5, due_at=DUE + timedelta(days=1)) == 1


def test_what_was_asked_for_long_ago_is_forgotten(ledger: Ledger) -> None:
    ask(ledger, 5)
    ask(ledger, 5, due_at=DUE + timedelta(days=31))
    assert asked_count(ledger, "hr", "sync", DUE) == 0


def test_a_night_and_a_schedules_own_time_are_not_both_asked_for_at_once(ledger: Ledger) -> None:
    night = DUE - timedelta(hours=2)
    assert ask(ledger, 5) == 1
    for_the_night = [ask(ledger, 120 + minutes, due_at=night) for minutes in (6, 9, 10)]
    assert for_the_night == [None, None, 1]


def test_of_many_that_ask_at_once_one_gets_the_number(ledger: Ledger) -> None:
    numbers: list[int | None] = []
    begin = threading.Barrier(4)

    def work(minutes: int) -> None:
        begin.wait(30)
        # As a nightly and a watchdog do, which go by different times.
        numbers.append(ask(ledger, 5 + minutes, due_at=DUE - timedelta(minutes=minutes)))

    threads = [threading.Thread(target=work, args=(number % 2,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(numbers, key=str) == [1, None, None, None]
