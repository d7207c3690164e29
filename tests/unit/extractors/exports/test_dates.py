"""Which day an export is of, and which one `--as-of` takes."""

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from extractors.exports.archiving import archive_exports
from extractors.exports.dates import day_of, end_of_day
from extractors.exports.find import find_export
from extractors.read import read_source
from extractors.zones.zones import DropZones
from schemas.errors import SourceIncompleteError, SourceUnavailableError
from schemas.export_file import ExportFile
from schemas.raw import Raw
from schemas.source_file.kinds.csv_source import CsvSource

_NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _file(key: str, at: datetime = _NOW) -> ExportFile:
    return ExportFile(key, key, 1, int(at.timestamp()) * 10**9, "")


def _drop(path: Path, at: datetime, content: str = "id\n1\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, "utf-8")
    os.utime(path, (at.timestamp(), at.timestamp()))


def _read(folder: Path, as_of: date | None, **options: object) -> Raw:
    source = CsvSource(**({"kind": "csv", "accounts": "hr*.csv"} | options))
    return read_source(source, folder, now=_NOW, as_of=as_of)


@pytest.mark.parametrize(
    ("key", "day"),
    [
        ("out/hr_2026-01-02.csv", date(2026, 1, 2)),
        ("out/hr_20260102.csv.gz", date(2026, 1, 2)),
        ("out/hr-20260102T0330.csv", date(2026, 1, 2)),
        ("out/hr20260102033000.csv", date(2026, 1, 2)),
        ("out/hr_20251231_20260102.csv", date(2026, 1, 2)),
        ("2026-01-02/hr.csv", date(2026, 1, 2)),
        ("2026-01-01/hr_2026-01-02.csv", date(2026, 1, 2)),
        ("out/hr_20261302.csv", _NOW.date()),
        ("out/hr_20260230.csv", _NOW.date()),
        ("out/hr_120260102.csv", _NOW.date()),
        ("out/hr_202601023.csv", _NOW.date()),
        ("out/hr_2026-0102.csv", _NOW.date()),
        ("out/hr.csv", _NOW.date()),
    ],
)
def test_the_day_stands_in_the_name_or_it_is_when_it_was_written(key: str, day: date) -> None:
    assert day_of(_file(key), "UTC") == day


def test_the_day_it_was_written_is_one_of_the_stated_zone() -> None:
    late = datetime(2026, 1, 1, 23, 30, tzinfo=UTC)
    assert day_of(_file("hr.csv", late), "UTC") == date(2026, 1, 1)
    assert day_of(_file("hr.csv", late), "Europe/Paris") == date(2026, 1, 2)


def test_a_day_ends_when_it_does_in_its_zone_daylight_saving_included() -> None:
    assert end_of_day(date(2026, 3, 29), "Europe/Paris") == datetime(2026, 3, 29, 22, tzinfo=UTC)
    assert end_of_day(date(2026, 3, 28), "Europe/Paris") == datetime(2026, 3, 28, 23, tzinfo=UTC)


def test_the_export_of_a_past_day_is_taken_by_its_name(tmp_path: Path) -> None:
    for day in (1, 2, 3):
        _drop(tmp_path / f"hr_2026010{day}.csv", _NOW, f"id\n{day}\n")
    raw = _read(tmp_path, date(2026, 1, 2))
    assert raw.accounts.rows["id"].to_list() == ["2"]
    assert _read(tmp_path, None).accounts.rows["id"].to_list() == ["3"]


def test_of_several_of_a_day_the_newest_counts(tmp_path: Path) -> None:
    at = datetime(2026, 1, 2, 3, tzinfo=UTC)
    _drop(tmp_path / "hr_20260102_1.csv", at, "id\nsecond\n")
    _drop(tmp_path / "hr_20260102_2.csv", at - timedelta(hours=1), "id\nfirst\n")
    assert _read(tmp_path, date(2026, 1, 2)).accounts.rows["id"].to_list() == ["second"]
    by_name = _read(tmp_path, date(2026, 1, 2), newest="name")
    assert by_name.accounts.rows["id"].to_list() == ["first"]


def test_the_export_of_a_past_day_is_taken_by_its_time_where_it_has_no_date(tmp_path: Path) -> None:
    for day in (1, 2, 3):
        _drop(tmp_path / f"hr{day}.csv", datetime(2026, 1, day, 23, 30, tzinfo=UTC), f"id\n{day}\n")
    assert _read(tmp_path, date(2026, 1, 2)).accounts.rows["id"].to_list() == ["2"]
    in_paris = _read(tmp_path, date(2026, 1, 2), timezone="Europe/Paris")
    assert in_paris.accounts.rows["id"].to_list() == ["1"]


@pytest.mark.parametrize("pattern", ["hr*.csv", "hr_20260101.csv"])
def test_a_day_without_an_export_is_an_error_and_never_another_days(
    pattern: str, tmp_path: Path
) -> None:
    _drop(tmp_path / "hr_20260101.csv", _NOW)
    with pytest.raises(SourceUnavailableError, match=r"hr.*is of 2026-01-02: see which days"):
        _read(tmp_path, date(2026, 1, 2), accounts=pattern)


def test_the_age_of_a_past_export_is_judged_at_the_end_of_its_day(tmp_path: Path) -> None:
    day = date(2026, 1, 2)
    written_at = datetime(2026, 1, 1, 13, tzinfo=UTC)
    _drop(tmp_path / "hr_20260102.csv", written_at)
    assert _read(tmp_path, day, max_age="36h").taken_at == written_at
    with pytest.raises(SourceIncompleteError, match="is 1d 11h old and max_age is 1d 10h"):
        _read(tmp_path, day, max_age="34h")
    with pytest.raises(SourceIncompleteError, match="max_age"):
        _read(tmp_path, None, max_age="36h")


def test_the_age_of_todays_export_is_judged_now(tmp_path: Path) -> None:
    _drop(tmp_path / "hr_20260301.csv", _NOW - timedelta(hours=20))
    assert _read(tmp_path, _NOW.date(), max_age="21h").accounts.read_count == 1


def test_the_exports_of_one_day_are_taken_together(tmp_path: Path) -> None:
    for day in (1, 2):
        _drop(tmp_path / f"hr_2026010{day}.csv", _NOW)
    _drop(tmp_path / "roles_20260101.csv", _NOW)
    with pytest.raises(SourceUnavailableError, match="entitlements: none of the exports"):
        _read(tmp_path, date(2026, 1, 2), entitlements="roles_*.csv")


@pytest.mark.parametrize("pattern", ["hr_*.csv", "out/**/hr_*.csv", "hr_20260101.csv"])
def test_an_archived_export_is_taken_for_its_day_and_for_no_other(
    pattern: str, tmp_path: Path
) -> None:
    _drop(tmp_path / "out/accepted/hr_20260101.csv", _NOW, "id\narchived\n")
    _drop(tmp_path / "out/accepted/other_20260101.csv", _NOW, "id\nother\n")
    options = {"accounts": pattern, "archive_to": "out/accepted"}
    raw = _read(tmp_path, date(2026, 1, 1), **options)
    assert raw.accounts.rows["id"].to_list() == ["archived"]
    source = CsvSource(kind="csv", **options)
    assert archive_exports(source, raw.files, tmp_path) == ()
    assert (tmp_path / "out/accepted/hr_20260101.csv").exists()
    with pytest.raises(SourceUnavailableError):
        _read(tmp_path, None, **options)


def test_no_day_given_takes_the_newest(tmp_path: Path) -> None:
    _drop(tmp_path / "hr_20260101.csv", _NOW)
    zones = DropZones(CsvSource(kind="csv", accounts="hr_*.csv"), tmp_path)
    assert find_export("accounts", "hr_*.csv", zones).name == "hr_20260101.csv"
