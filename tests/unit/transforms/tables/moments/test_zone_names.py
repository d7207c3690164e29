"""Times with the name of a zone, an offset, in another language, in several columns, in numbers."""

from datetime import UTC, datetime

import polars as pl
import pytest
from pydantic import ValidationError

from schemas.source_file.columns import TimeColumn
from transforms.tables.expressions import to_time
from transforms.tables.moments.times import to_utc
from transforms.tables.moments.zone_names import offsets_of


def read(text: str, **written: str) -> str | None:
    """The time as ISO text in UTC; null where it cannot be read."""
    at = to_utc(pl.Series([text]), TimeColumn(column="at", **written))[0]
    return None if at is None else at.replace(tzinfo=None).isoformat()


PARIS = {"format": "%Y-%m-%d %H:%M:%S %Z", "timezone": "Europe/Paris"}


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-10-25 02:30:00 CEST", "2026-10-25T00:30:00"),
        ("2026-10-25 02:30:00 CET", "2026-10-25T01:30:00"),
        ("2026-07-01 10:00:00 cest", "2026-07-01T08:00:00"),
        ("2026-07-01 10:00:00 CET", "2026-07-01T09:00:00"),
        ("2026-07-01 10:00:00 UTC", "2026-07-01T10:00:00"),
        ("2026-07-01 10:00:00 GMT+1", "2026-07-01T09:00:00"),
        ("2026-07-01 10:00:00 UTC-03:30", "2026-07-01T13:30:00"),
        ("2026-07-01 10:00:00 +02", "2026-07-01T08:00:00"),
        ("2026-07-01 10:00:00 EST", None),
        ("2026-07-01 10:00:00", None),
        ("no time CET", None),
    ],
)
def test_a_zone_s_name_is_the_offset_that_it_means_in_the_stated_zone(
    text: str, utc: str | None
) -> None:
    assert read(text, **PARIS) == utc
    assert read(text, timezone="Europe/Paris") == utc or text.endswith(":00")


@pytest.mark.parametrize(
    ("text", "form", "zone", "utc"),
    [
        (
            "Mon Nov 30 23:45:58 EST 2026",
            "%a %b %d %H:%M:%S %Z %Y",
            "America/New_York",
            "2026-12-01T04:45:58",
        ),
        (
            "Jul  1 10:00:00 PDT 2026",
            "%b %e %H:%M:%S %Z %Y",
            "America/Los_Angeles",
            "2026-07-01T17:00:00",
        ),
        (
            "01/07/2026 10:00:00.250 (BST)",
            "%d/%m/%Y %H:%M:%S.%f (%Z)",
            "Europe/London",
            "2026-07-01T09:00:00.250000",
        ),
        ("2026-07-01 10:00:00IST", "%Y-%m-%d %H:%M:%S%Z", "Asia/Kolkata", "2026-07-01T04:30:00"),
        ("2012-07-01 10:00 MSK", "%Y-%m-%d %H:%M %Z", "Europe/Moscow", "2012-07-01T06:00:00"),
        ("2026-07-01 10:00 MSK", "%Y-%m-%d %H:%M %Z", "Europe/Moscow", "2026-07-01T07:00:00"),
        ("2026-07-01 10:00 -03", "%Y-%m-%d %H:%M %Z", "America/Sao_Paulo", "2026-07-01T13:00:00"),
        ("10/Oct/2026:13:55:36 -0700", None, None, "2026-10-10T20:55:36"),
        ("2026-07-01 10:00:00.123 UTC", None, None, "2026-07-01T10:00:00.123000"),
        ("2026-07-01 10:00:00 GMT+2", None, None, "2026-07-01T08:00:00"),
        ("2026-07-01 10:00:00 CEST", None, None, None),
        ("2026-07-01T10:00:00+01", "%Y-%m-%dT%H:%M:%S%z", None, "2026-07-01T09:00:00"),
        ("2026-07-01T10:00:00Z", "%Y-%m-%dT%H:%M:%S%z", None, "2026-07-01T10:00:00"),
        ("20260701T100000+0130", None, None, "2026-07-01T08:30:00"),
        ("1764544558.25", "epoch", None, "2025-11-30T23:15:58.250000"),
        ("1764544558123456", "epoch_us", None, "2025-11-30T23:15:58.123456"),
        ("1764544558123456789", "epoch_ns", None, "2025-11-30T23:15:58.123456"),
        ("1764544558123456", None, None, "2025-11-30T23:15:58.123456"),
        ("1764544558123456789", None, None, "2025-11-30T23:15:58.123456"),
        ("9223372036854775807", "epoch_us", None, None),
        ("x", "epoch_us", None, None),
    ],
)
def test_times_as_logs_write_them(
    text: str, form: str | None, zone: str | None, utc: str | None
) -> None:
    given = {"format": form, "timezone": zone}
    assert read(text, **{key: one for key, one in given.items() if one}) == utc


@pytest.mark.parametrize(
    ("text", "form", "locale", "utc"),
    [
        ("1. Januar 2026 10:00", "%d. %B %Y %H:%M", "de", "2026-01-01T10:00:00"),
        ("Mittwoch, 4. MÄRZ 2026 10:00", "%A, %d. %B %Y %H:%M", "de", "2026-03-04T10:00:00"),
        ("04.Mär.2026 10:00", "%d.%b.%Y %H:%M", "de", "2026-03-04T10:00:00"),
        ("4 févr. 2026 10:00", "%d %b %Y %H:%M", "fr", "2026-02-04T10:00:00"),
        ("mardi 3 mars 2026 10:00", "%A %d %B %Y %H:%M", "fr", "2026-03-03T10:00:00"),
        ("3 de março de 2026 10:00", "%d de %B de %Y %H:%M", "pt-BR", "2026-03-03T10:00:00"),
        ("5 maja 2026 10:00", "%d %B %Y %H:%M", "pl", "2026-05-05T10:00:00"),
        ("5 Foo 2026 10:00", "%d %B %Y %H:%M", "de", None),
    ],
)
def test_names_of_months_and_days_are_read_in_the_stated_language(
    text: str, form: str, locale: str, utc: str | None
) -> None:
    assert read(text, format=form, locale=locale, timezone="UTC") == utc


def test_a_time_in_two_columns_is_one_and_half_of_one_is_none() -> None:
    origin = TimeColumn(
        template="{day} {clock}", format="%d/%m/%Y %H:%M", timezone="UTC", never=("Never",)
    )
    rows = pl.DataFrame(
        {
            "day": ["01/07/2026", "01/07/2026", "", "Never", "x"],
            "clock": ["10:00", "", " ", "", "y"],
        }
    )
    times, unread = to_time(rows, origin)
    assert times.to_list() == [datetime(2026, 7, 1, 10, tzinfo=UTC), None, None, None, None]
    assert unread.to_list() == [False, True, False, False, True]
    assert origin.sources == ("day", "clock")


@pytest.mark.parametrize(
    "written",
    [
        {"column": "at", "format": "%d %B %Y %z", "locale": "xx-nowhere"},
        {"column": "at", "locale": "de"},
        {"column": "at", "template": "{a} {b}"},
        {"template": "no column"},
        {"column": "at", "format": "epoch_fs"},
        {"column": "at", "format": "%d %H:%M %Z"},
    ],
)
def test_what_cannot_be_meant_is_refused(written: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        TimeColumn.model_validate(written)


def test_a_name_is_looked_up_in_the_stated_zone_alone() -> None:
    assert offsets_of("CST", "America/Chicago") == (-360,)
    assert offsets_of("CST", "Asia/Shanghai") == (480,)
    assert offsets_of("CST", None) == ()
