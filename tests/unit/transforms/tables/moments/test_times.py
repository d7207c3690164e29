"""Times: UTC exactly, or a reject; never a guess."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.errors import ConfigError
from tests.unit.builders import NOW, account, normalized, reasons, snapshot, source_file
from transforms.tables.moments.times import ABSURD, NOT_A_TIME, PLACEHOLDER


def read(written: str, how: str = "column: seen"):
    """The time that becomes of a cell, or the reason why none does."""
    file = source_file(f"columns: {{last_login: {{{how}}}}}\n")
    made = normalized([account("a", seen=written)], file)
    (time,) = made.snapshot.accounts["last_login"].to_list()
    if made.rejects.is_empty():
        return time
    assert time is None
    assert made.rejects.select("value", "is_cell").rows() == [(written, True)]
    ((column, reason),) = reasons(made)
    assert column == "last_login"
    return reason


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


QUARTER = utc(2024, 1, 2, 3, 4, 5, 250_000)


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("2024-01-02T03:04:05Z", utc(2024, 1, 2, 3, 4, 5)),
        ("2024-01-02 03:04:05z", utc(2024, 1, 2, 3, 4, 5)),
        (" 2024-01-02T03:04Z ", utc(2024, 1, 2, 3, 4)),
        ("2024-01-02T03:04:05.25+01:00", utc(2024, 1, 2, 2, 4, 5, 250_000)),
        ("2024-01-02T03:04:05.123456789Z", utc(2024, 1, 2, 3, 4, 5, 123_456)),
        ("2024-01-02T03:04:05 -0530", utc(2024, 1, 2, 8, 34, 5)),
        ("", None),
        ("  ", None),
        ("2024-01-02T03:04:05", NOT_A_TIME),
        ("2024-13-02", NOT_A_TIME),
        ("2024-02-30T00:00:00Z", NOT_A_TIME),
        ("2024-01-02T25:00:00Z", NOT_A_TIME),
        ("2024-01-02T03:04:05+99:00", NOT_A_TIME),
        ("02/01/2024 03:04", NOT_A_TIME),
        ("yesterday", NOT_A_TIME),
        ("never", NOT_A_TIME),
        ("0", PLACEHOLDER),
        ("0000-00-00", PLACEHOLDER),
        ("0000-00-00 00:00:00", PLACEHOLDER),
        ("1970-01-01T00:00:00Z", PLACEHOLDER),
        ("1970-01-01T01:00:00+01:00", PLACEHOLDER),
        ("1601-01-01 00:00:00Z", PLACEHOLDER),
        ("0001-01-01T00:00:00Z", PLACEHOLDER),
        ("9999-12-31T23:59:59.999Z", PLACEHOLDER),
        ("9999-12-31", PLACEHOLDER),
        ("infinity", PLACEHOLDER),
        ("-infinity", PLACEHOLDER),
    ],
)
def test_iso_8601_with_a_zone_is_read(written, time) -> None:
    assert read(written) == time


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("2024-01-02T03:04:05", utc(2024, 1, 2, 2, 4, 5)),
        ("2024-07-02 03:04", utc(2024, 7, 2, 1, 4)),
        ("2024-01-02T03:04:05Z", utc(2024, 1, 2, 3, 4, 5)),
        ("2024-01-02T03:04:05-05:00", utc(2024, 1, 2, 8, 4, 5)),
        ("2024-03-31T02:30:00", NOT_A_TIME),
        ("2024-10-27T02:30:00", utc(2024, 10, 27, 0, 30)),
    ],
)
def test_a_stated_zone_is_that_of_times_that_name_none(written, time) -> None:
    assert read(written, "column: seen, timezone: Europe/Paris") == time


@pytest.mark.parametrize(
    ("how", "written", "time"),
    [
        (
            "format: '%d/%m/%Y %H:%M', timezone: Europe/Paris",
            "02/01/2024 03:04",
            utc(2024, 1, 2, 2, 4),
        ),
        ("format: '%d/%m/%Y %H:%M', timezone: UTC", "2024-01-02T03:04:00Z", NOT_A_TIME),
        ("format: '%Y-%m-%d', timezone: UTC", "2024-01-02", utc(2024, 1, 2)),
        ("format: '%m/%d/%Y %I:%M %p', timezone: UTC", "1/2/2024 3:04 PM", utc(2024, 1, 2, 15, 4)),
        ("format: '%Y%m%d%H%M%S%z'", "20240102030405+0200", utc(2024, 1, 2, 1, 4, 5)),
        ("format: '%Y-%m-%dT%H:%M%:z'", "2024-01-02T03:04+02:00", utc(2024, 1, 2, 1, 4)),
        (
            "format: '%Y-%m-%dT%H:%M%:z', timezone: Asia/Tokyo",
            "2024-01-02T03:04+02:00",
            utc(2024, 1, 2, 1, 4),
        ),
        ("format: epoch", "1704164645", utc(2024, 1, 2, 3, 4, 5)),
        ("format: epoch", "1704164645000", NOT_A_TIME),
        ("format: epoch_ms", "1704164645250", utc(2024, 1, 2, 3, 4, 5, 250_000)),
        ("format: epoch", "0", PLACEHOLDER),
        ("format: epoch_ms", "0", PLACEHOLDER),
        ("format: epoch", "-1", PLACEHOLDER),
        ("format: epoch", "-86400000", ABSURD),
        ("format: epoch", "9223372036854775807", PLACEHOLDER),
        ("format: '%d/%m/%Y', timezone: UTC", "01/01/1970", PLACEHOLDER),
        ("format: '%d/%m/%Y', timezone: UTC", "31/12/9999", PLACEHOLDER),
        ("format: '%Y%m%d', timezone: UTC", "00000000", PLACEHOLDER),
        ("format: '%H:%M:%S.%f %d.%m.%Y', timezone: UTC", "03:04:05.25 02.01.2024", QUARTER),
        ("format: '%Y-%m-%dT%H:%M:%S.%f%z'", "2024-01-02T03:04:05.250000+0000", QUARTER),
        ("never: [Never logged in], format: epoch", " NEVER logged in", None),
        ("never: ['02/01/2024'], format: '%d/%m/%Y', timezone: UTC", "02/01/2024", None),
        ("format: epoch", "1.7e9", NOT_A_TIME),
        ("format: epoch", "soon", NOT_A_TIME),
    ],
)
def test_a_stated_format_is_the_only_one_read(how, written, time) -> None:
    assert read(written, f"column: seen, {how}") == time


@pytest.mark.parametrize(
    ("time", "is_absurd"),
    [
        (utc(1989, 12, 31, 23, 59, 59), True),
        (utc(1990, 1, 1), False),
        (NOW + timedelta(days=1), False),
        (NOW + timedelta(days=1, seconds=1), True),
        (utc(2099, 1, 1), True),
    ],
)
def test_a_time_that_cannot_be_is_left_out(time, is_absurd) -> None:
    assert read(time.isoformat()) == (ABSURD if is_absurd else time)


def test_a_file_may_ask_for_a_reject_of_the_row_instead() -> None:
    file = source_file("columns: {last_login: {column: seen, unusable: reject}}\n")
    rows = [account("a", seen="soon"), account("b", seen="2099-01-01Z"), account("c", seen="0")]
    made = normalized(rows, file)
    assert made.snapshot.accounts["integration_specific_id"].to_list() == ["c"]
    assert made.counts["accounts"].rejected == 2


def test_the_row_of_a_time_that_is_none_has_the_status_that_it_says() -> None:
    last = snapshot([account("a", last_login="2024-01-02T03:04:05Z")])
    for written in ("0000-00-00", "1970-01-01T00:00:00Z", "infinity", "2099-01-01T00:00:00Z", "x"):
        row = account("a", last_login=written, user_status="SUSPENDED")
        made = normalized([row], None, last)
        assert made.snapshot.accounts.select("user_status", "last_login").rows() == [
            ("SUSPENDED", None)
        ]
        assert made.counts["accounts"].cells == 1
        assert made.kept.is_empty()


@pytest.mark.parametrize("form", ["%S%f", "%H:%M:%S,%f"])
def test_a_fraction_that_follows_no_dot_is_refused(form) -> None:
    with pytest.raises(ConfigError, match="after a dot"):
        source_file(f"columns: {{last_login: {{column: x, format: '{form}', timezone: UTC}}}}\n")
