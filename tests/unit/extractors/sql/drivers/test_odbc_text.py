"""What an unknown ODBC driver gives for a value, and what the database's own text of it is."""

import pytest

from extractors.sql.drivers.odbc_text import is_same


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("12", "12"),
        ("12", "12.00"),
        ("1.5", "1.50000E+00"),
        ("ab", "ab   "),
        ("true", "1"),
        ("false", "F"),
        ("00ff", "0x00FF"),
        ("2026-01-02", "2026-01-02"),
        ("2026-01-02T03:04:05.12", "2026-01-02 03:04:05.1200"),
        ("2026-01-02T00:00:00", "02-JAN-26"),
        (None, None),
        ("x" * 5000, "x" * 4000),
    ],
)
def test_a_value_is_the_text_however_the_dialect_writes_it(
    given: str | None, text: str | None
) -> None:
    assert is_same(given, text)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("12", "12a"),
        ("15", "0017"),
        ("17", "0017"),
        (None, "A17"),
        ("A17", None),
        ("A17", "a17"),
        ("true", "0"),
        ("2026-01-02", "2026-02-01"),
        ("2026-01-02T03:04:05", "2026-01-02T04:04:05+01:00"),
        ("2026-01-02T00:00:00", "03-JAN-26"),
    ],
)
def test_what_a_conversion_made_of_a_value_is_not_its_text(
    given: str | None, text: str | None
) -> None:
    assert not is_same(given, text)


def test_a_time_is_compared_on_the_clock_that_the_source_states() -> None:
    assert is_same("2026-01-02T02:04:05Z", "2026-01-02 03:04:05", "Europe/Paris")
    assert not is_same("2026-01-02T02:04:05Z", "2026-01-02 02:04:05", "Europe/Paris")
