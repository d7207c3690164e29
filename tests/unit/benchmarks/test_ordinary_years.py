"""Exports that lie are held under the default guards, in companies of several sizes."""

import random
from functools import cache

import pytest

from benchmarks.years.company import Company, founded
from benchmarks.years.lies import DRIFTS, LIES
from benchmarks.years.ordinary_years import NIGHTS, History, five_active, told, year


@cache
def company(size: int) -> tuple[Company, History]:
    """A company, and the one night that was accepted."""
    made = founded(size, random.Random(size))
    return made, History([(NIGHTS - 1, made.snapshot(0))])


@pytest.mark.parametrize("size", [20, 150])
@pytest.mark.parametrize("name", [*LIES, *DRIFTS])
def test_a_lie_is_held(name: str, size: int) -> None:
    assert told(name, *company(size))


def test_all_that_can_log_in_are_held_however_few() -> None:
    assert five_active(1) == "max_deactivated_accounts"


def test_an_ordinary_year_of_a_small_company_is_held_once_at_most() -> None:
    held, _, history = year(20, 1)
    assert len(held) <= 1
    assert history.nights[-1][0] == NIGHTS - 1 - (NIGHTS - 1) % 7 + min((NIGHTS - 1) % 7, 4)
