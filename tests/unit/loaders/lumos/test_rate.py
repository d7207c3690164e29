"""One budget of requests for all threads of a token."""

import threading
from datetime import UTC, datetime
from email.utils import format_datetime

import httpx
import pytest

from loaders.lumos.rate import RateBudget

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def told(remaining: int, resets_in_s: float, limit: int | None = 10) -> httpx.Response:
    headers = {
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-reset": str(NOW.timestamp() + resets_in_s),
        "date": format_datetime(NOW, usegmt=True),
    }
    if limit is not None:
        headers["x-ratelimit-limit"] = str(limit)
    return httpx.Response(200, headers=headers)


def test_without_a_told_limit_any_number_is_under_way() -> None:
    clock = Clock()
    budget = RateBudget(clock, clock.sleep)
    blocks = [budget.request() for _ in range(50)]
    for block in blocks:
        block.__enter__()
    assert clock.now == 1000.0


def test_no_more_are_under_way_than_the_limit_has_room_for() -> None:
    """Two more are let; the third waits for the window's end, whatever else is under way."""
    clock = Clock()
    budget = RateBudget(clock, clock.sleep)
    with budget.request():
        budget.note(told(2, 30))
    blocks = [budget.request() for _ in range(3)]
    for block in blocks[:2]:
        block.__enter__()
    assert clock.now == 1000.0
    blocks[2].__enter__()
    assert clock.now == pytest.approx(1030, abs=0.1)


def test_what_is_under_way_when_an_answer_comes_may_not_be_counted_yet() -> None:
    clock = Clock()
    budget = RateBudget(clock, clock.sleep)
    blocks = [budget.request() for _ in range(4)]
    for block in blocks:
        block.__enter__()
    budget.note(told(3, 30))
    for block in blocks:
        block.__exit__(None, None, None)
    with budget.request():
        assert clock.now == pytest.approx(1030, abs=0.1)


def test_an_answer_that_tells_of_room_lets_those_go_on_who_wait() -> None:
    budget = RateBudget(lambda: 1000.0, lambda _: go_on.wait(0.001) and None)
    go_on, began = threading.Event(), threading.Event()
    with budget.request():
        budget.note(told(0, 30))
        waiting = threading.Thread(target=lambda: began.set() if enter() else None)

        def enter() -> bool:
            with budget.request():
                return True

        waiting.start()
        assert not began.wait(0.05)
        budget.note(told(5, 30))
        assert began.wait(10)
    waiting.join()


@pytest.mark.parametrize(
    ("requests", "least_s"), [(4, 0), (5, 30), (14, 30), (15, 60), (104, 30 + 9 * 30)]
)
def test_how_long_so_many_requests_take_at_least(requests: int, least_s: float) -> None:
    """Four are left of ten a window of half a minute."""
    clock = Clock()
    budget = RateBudget(clock, clock.sleep)
    assert budget.least_s(10**6) == 0
    with budget.request():
        budget.note(told(4, 30))
    assert budget.least_s(requests) == pytest.approx(least_s)
