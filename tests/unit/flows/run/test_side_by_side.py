"""Runs side by side: at work in so many slots, those that wait aside, all of them stoppable."""

import os
import signal
import threading
from collections.abc import Callable

import pytest

from flows.run.side_by_side import Slots, StoppedError, side_by_side, stopped_by_signals


class Seats:
    """How many are at work now, and how many were at most."""

    def __init__(self) -> None:
        self.lock, self.now, self.most = threading.Lock(), 0, 0

    def change(self, by: int) -> None:
        with self.lock:
            self.now += by
            self.most = max(self.most, self.now)


@pytest.mark.parametrize("slots", [1, 2, 3])
def test_no_more_are_at_work_at_once_than_there_are_slots(slots: int) -> None:
    seats, rounds = Seats(), threading.Event()

    def work() -> int:
        seats.change(1)
        rounds.wait(0.01)
        seats.change(-1)
        return seats.most

    results, has_stuck = side_by_side([work] * 8, Slots(slots))
    assert (len(results), has_stuck, seats.most) == (8, False, slots)


def test_results_are_in_the_order_of_the_works_whoever_ends_first() -> None:
    last_has_ended = threading.Event()

    def first() -> str:
        last_has_ended.wait()
        return "first"

    def last() -> str:
        last_has_ended.set()
        return "last"

    assert side_by_side([first, last], Slots(2))[0] == ["first", "last"]


def test_one_that_sleeps_lets_another_work_in_its_slot() -> None:
    slots, other_has_worked = Slots(1), threading.Event()

    def sleeper() -> bool:
        while not other_has_worked.is_set():
            slots.sleep(0.001)
        return True

    def other() -> bool:
        other_has_worked.set()
        return True

    assert side_by_side([sleeper, other], slots)[0] == [True, True]


def test_one_that_wakes_up_goes_before_one_that_is_yet_to_begin() -> None:
    slots, order = Slots(1), list[str]()
    has_begun = threading.Event()

    def sleeper() -> None:
        has_begun.set()
        slots.sleep(0.05)
        order.append("woken")

    def long() -> None:
        has_begun.wait()
        threading.Event().wait(0.2)  # works, while the first one wakes up
        order.append("long")

    def new() -> None:
        order.append("new")

    side_by_side([sleeper, long, new], slots)
    assert order == ["long", "woken", "new"]


def test_a_thread_without_a_slot_sleeps_and_takes_none() -> None:
    slots = Slots(1)

    def work() -> int:
        helper = threading.Thread(target=slots.sleep, args=(0.01,))
        helper.start()
        helper.join()
        return 1

    assert side_by_side([work, work], slots)[0] == [1, 1]
    slots.wait_for_one()  # the one there is: no second was made
    has_second = threading.Event()
    threading.Thread(target=lambda: (slots.wait_for_one(), has_second.set()), daemon=True).start()
    assert not has_second.wait(0.05)


def test_what_one_raises_is_raised_once_all_have_ended() -> None:
    ended = list[int]()

    def wrong() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        side_by_side([wrong, lambda: ended.append(1)], Slots(1))
    assert ended == [1]


def stopping(slots: Slots) -> Callable[[], str]:
    def work() -> str:
        slots.stop()
        return "ended all the same"

    return work


def test_what_is_stopped_returns_nothing_and_what_is_not_begun_never_begins() -> None:
    slots, begun = Slots(1), list[int]()

    def sleeper() -> str:
        slots.sleep(60)
        return "slept"

    def never() -> str:
        begun.append(1)
        return "begun"

    results, has_stuck = side_by_side([sleeper, stopping(slots), never], slots)
    assert results == [None, "ended all the same", None]
    assert (has_stuck, begun) == (False, [])
    with pytest.raises(StoppedError):
        slots.check()


def test_one_that_does_not_notice_is_waited_for_no_longer_than_the_grace() -> None:
    slots, is_over = Slots(2), threading.Event()
    _, has_stuck = side_by_side([is_over.wait, stopping(slots)], slots, grace_s=0.05)
    assert has_stuck
    is_over.set()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_runs_and_the_old_handlers_are_back_at_once(
    number: signal.Signals,
) -> None:
    slots, before = Slots(1), signal.getsignal(number)

    def work() -> None:
        os.kill(os.getpid(), number)
        slots.sleep(60)

    with stopped_by_signals(slots) as came:
        results, _ = side_by_side([work], slots)
        assert signal.getsignal(number) == before
    assert (results, came) == ([None], [number])
