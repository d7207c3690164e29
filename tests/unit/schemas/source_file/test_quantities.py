"""Durations and limits as people write them."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.source_file.quantities import Limit, duration_text, to_duration, to_limit


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60s", 60), ("15m", 900), ("1h30m", 5400), ("1.5h", 5400), (" 7d ", 604800), ("0s", 0)],
)
def test_a_duration_is_numbers_with_units(text, seconds) -> None:
    assert to_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "60", "1w", "-1h", "1h 5", "h", "P1D", None, "9" * 30 + "d"])
def test_anything_else_is_no_duration(text) -> None:
    with pytest.raises(ValueError, match="duration"):
        to_duration(text)


@pytest.mark.parametrize(
    ("text", "said"), [("36h", "1d 12h"), ("90m", "1h 30m"), ("0s", "0s"), ("100000s", "1d 3h")]
)
def test_a_duration_is_said_in_its_two_largest_units(text, said) -> None:
    assert duration_text(to_duration(text)) == said


@pytest.mark.parametrize(
    ("text", "limit", "said"),
    [
        ("10%", Limit(0.1, is_share=True), "10%"),
        (" 0.5 % ", Limit(0.005, is_share=True), "0.5%"),
        ("25", Limit(25, is_share=False), "25"),
        ("0", Limit(0, is_share=False), "0"),
        ("1234567", Limit(1234567, is_share=False), "1234567"),
    ],
)
def test_a_limit_is_a_number_or_a_share(text, limit, said) -> None:
    assert to_limit(text) == limit
    assert str(limit) == said


@pytest.mark.parametrize("text", ["", "ten", "-1", "1.5", "101%", "10 percent", "9" * 400, None])
def test_anything_else_is_no_limit(text) -> None:
    with pytest.raises(ValueError, match=r"write a whole number|at most 100%"):
        to_limit(text)


@settings(deadline=None)
@given(st.integers(0, 100), st.integers(0, 10_000))
def test_a_share_is_exact_and_never_below_its_floor(percent, base) -> None:
    limit = to_limit(f"{percent}%")
    assert limit.allowed(base, 0) == percent * base // 100
    floor = 1 if percent else 0
    assert limit.allowed(base, 1) == max(floor, percent * base // 100)


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_number_is_the_bound_whatever_the_base_and_has_no_floor(number, base) -> None:
    assert to_limit(str(number)).allowed(base, 1) == number
