"""Every value a driver hands over reads back from its text, whichever way the text was made."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.sql.session.values import column_text, decimal_text, float_text, value_text

VALUES = st.one_of(
    st.text(),
    st.integers(),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.datetimes(),
    st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])),
    st.dates(),
    st.times(),
    st.binary(),
    st.uuids(),
)


KINDS = [
    st.text(), st.integers(), st.booleans(), st.floats(allow_nan=False), st.decimals(),
    st.datetimes(), st.datetimes(timezones=st.just(UTC)), st.dates(), st.binary(), st.uuids(),
]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", ""),
        (" a ", " a "),
        (7, "7"),
        (2**70, "1180591620717411303424"),
        (True, "true"),
        (5.0, "5"),
        (-0.0, "0"),
        (1e22, "10000000000000000000000"),
        (1e-7, "0.0000001"),
        (0.1, "0.1"),
        (Decimal("1.50"), "1.5"),
        (Decimal("5.00"), "5"),
        (Decimal("1E+3"), "1000"),
        (Decimal(100), "100"),
        (UUID("0DB5C1F1-0000-4000-8000-00000000000A"), "0db5c1f1-0000-4000-8000-00000000000a"),
        (b"\x00\xff", "00ff"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4, 5), "2026-01-02T03:04:05"),  # noqa: DTZ001 - it has no zone
        (datetime(2026, 1, 2, 3, 4, 5, 500_000, tzinfo=UTC), "2026-01-02T03:04:05.5Z"),
        (
            datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))),
            "2026-01-02T01:04:05Z",
        ),
        (time(3, 4, 5), "03:04:05"),
        (timedelta(hours=-1, seconds=-1), "-01:00:01"),
        ({"b": [1, None], "a": "é"}, '{"a":"é","b":[1,null]}'),
        ([Decimal("1.0"), "x", 12345678901234567890], '[1,"x",12345678901234567890]'),
        ([1e22, 1e-7, 5.0, True, None], "[10000000000000000000000,0.0000001,5,true,null]"),
        ({"n": float("nan"), "at": date(2026, 1, 2)}, '{"at":"2026-01-02","n":"NaN"}'),
        ({2: ("b",), 1: {}}, '{"1":{},"2":["b"]}'),
        ({'"\n': "\\"}, '{"\\"\\n":"\\\\"}'),
    ],
)
def test_values_are_written_canonically(value: Any, text: str | None) -> None:
    assert value_text(value) == text
    assert column_text("a", [value, None]).to_list() == [text, None]


def test_a_time_without_a_zone_is_in_the_stated_one() -> None:
    at = datetime(2026, 7, 1, 12, 0)  # noqa: DTZ001 - it has no zone
    assert value_text(at, "Europe/Paris") == "2026-07-01T10:00:00Z"
    assert column_text("a", [at, None], "Europe/Paris").to_list() == ["2026-07-01T10:00:00Z", None]
    assert column_text("a", [at], "UTC").to_list() == ["2026-07-01T12:00:00Z"]


def test_a_repeated_hour_is_the_earlier_one() -> None:
    at = datetime(2026, 10, 25, 2, 30)  # noqa: DTZ001 - it has no zone
    assert value_text(at, "Europe/Paris") == "2026-10-25T00:30:00Z"


@settings(deadline=None)
@given(st.sampled_from(KINDS).flatmap(lambda kind: st.lists(st.one_of(st.none(), kind))))
def test_a_column_is_what_its_values_are(values: list[Any]) -> None:
    for zone in (None, "UTC", "Asia/Kolkata"):
        assert column_text("a", values, zone).to_list() == [value_text(v, zone) for v in values]


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), VALUES)))
def test_a_column_of_many_types_is_what_its_values_are(values: list[Any]) -> None:
    assert column_text("a", values).to_list() == [value_text(value) for value in values]


READERS: dict[type, Callable[[str], Any]] = {
    str: str,
    bool: json.loads,
    int: int,
    float: float,
    Decimal: Decimal,
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    time: time.fromisoformat,
    bytes: bytes.fromhex,
    UUID: UUID,
}


@settings(deadline=None)
@given(VALUES)
def test_every_value_reads_back(value: Any) -> None:
    text = value_text(value)
    assert text is not None
    assert READERS[type(value)](text) == value
    if isinstance(value, int | float | Decimal):
        assert "e" not in text.lower() or isinstance(value, bool)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_named_as_such(value: str) -> None:
    assert decimal_text(Decimal(value)) == value
    assert float_text(float(value)) == value
