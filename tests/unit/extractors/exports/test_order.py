"""Exports go one way in time: none older than the last accepted one, none from the future."""

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from extractors.read import probe_source, read_source
from schemas.errors import SourceFormatError, SourceIncompleteError, SourceStaleError
from schemas.raw import LastRead, Raw
from schemas.source_file.kinds.csv_source import CsvSource
from schemas.source_file.kinds.directory_source import LdifSource

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def drop(path: Path, at: datetime, content: str | bytes = "id\n1\n") -> None:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    os.utime(path, (at.timestamp(), at.timestamp()))


def read(
    folder: Path,
    last: Raw | None = None,
    *,
    pattern: str = "*.csv",
    as_of: str | None = None,
    **more: object,
) -> Raw:
    source = CsvSource.model_validate({"kind": "csv", "accounts": pattern, "max_age": None, **more})
    return read_source(
        source,
        folder,
        now=NOW,
        last_read=last.remembered if last else LastRead(),
        as_of=datetime.fromisoformat(as_of).date() if as_of else None,
    )


def test_after_the_newest_went_the_older_one_beside_it_is_not_read(tmp_path: Path) -> None:
    drop(tmp_path / "in_1800.csv", NOW - 2 * HOUR)
    drop(tmp_path / "in_2200.csv", NOW - HOUR, "id\n2\n")
    first = read(tmp_path)
    assert first.proof[0].endswith("passed over: in_1800.csv")
    (tmp_path / "in_2200.csv").unlink()
    with pytest.raises(SourceStaleError, match=r"in_1800.csv \(.*\) is older than in_2200.csv"):
        read(tmp_path, first)
    assert read(tmp_path, first, as_of="2026-03-02").accounts.read_count == 1


@pytest.mark.parametrize(("later", "is_refused"), [(-SECOND, True), (0 * SECOND, False)])
def test_a_file_that_was_put_back_is_older_by_its_time(
    later: timedelta, *, is_refused: bool, tmp_path: Path
) -> None:
    drop(tmp_path / "a.csv", NOW - HOUR)
    first = read(tmp_path)
    drop(tmp_path / "a.csv", NOW - HOUR + later, "id\n2\n")
    if is_refused:
        with pytest.raises(SourceStaleError, match=r"is older than a.csv"):
            read(tmp_path, first)
    else:
        assert read(tmp_path, first).accounts.read_count == 1


def test_the_same_bytes_are_never_older(tmp_path: Path) -> None:
    drop(tmp_path / "a.csv", NOW - HOUR)
    first = read(tmp_path)
    drop(tmp_path / "a.csv", NOW - 5 * HOUR)
    assert read(tmp_path, first).accounts.read_count == 1
    drop(tmp_path / "a.csv", NOW - 5 * HOUR, "id\n3\n")  # as many bytes, and others
    with pytest.raises(SourceStaleError):
        read(tmp_path, first)


def test_an_old_day_that_is_written_again_is_not_the_newest(tmp_path: Path) -> None:
    drop(tmp_path / "hr_2026-03-01.csv", NOW - 2 * HOUR)
    first = read(tmp_path)
    drop(tmp_path / "hr_2026-02-27.csv", NOW - HOUR, "id\n2\n")
    assert read(tmp_path, first).accounts.origin == "hr_2026-03-01.csv"
    (tmp_path / "hr_2026-03-01.csv").unlink()
    with pytest.raises(SourceStaleError, match=r"\(of 2026-02-27, .*older than hr_2026-03-01.csv"):
        read(tmp_path, first)
    drop(tmp_path / "hr_2026-03-02.csv", NOW)
    assert read(tmp_path, first).accounts.read_count == 1


def test_by_name_the_order_of_names_counts_and_not_the_times(tmp_path: Path) -> None:
    drop(tmp_path / "hr_b.csv", NOW - HOUR)
    first = read(tmp_path, newest="name")
    (tmp_path / "hr_b.csv").unlink()
    drop(tmp_path / "hr_c.csv", NOW - 2 * HOUR, "id\n2\n")
    assert read(tmp_path, first, newest="name").accounts.read_count == 1
    (tmp_path / "hr_c.csv").unlink()
    drop(tmp_path / "hr_a.csv", NOW, "id\n2\n")
    with pytest.raises(SourceStaleError, match=r"hr_a.csv .* is older than hr_b.csv"):
        read(tmp_path, first, newest="name")


def test_by_name_a_day_is_told_by_the_date_whatever_the_times(tmp_path: Path) -> None:
    drop(tmp_path / "hr_20260301.csv", NOW - HOUR)
    first = read(tmp_path, newest="name")
    (tmp_path / "hr_20260301.csv").unlink()
    drop(tmp_path / "exp-20260302.csv", NOW - 9 * HOUR, "id\n2\n")
    assert read(tmp_path, first, newest="name").accounts.read_count == 1
    (tmp_path / "exp-20260302.csv").unlink()
    drop(tmp_path / "z-20260228.csv", NOW, "id\n2\n")
    with pytest.raises(SourceStaleError, match="of 2026-02-28"):
        read(tmp_path, first, newest="name")


def test_a_time_that_was_read_under_a_clock_ahead_is_no_measure(tmp_path: Path) -> None:
    drop(tmp_path / "a.csv", NOW - HOUR)
    first = read(tmp_path).remembered
    last = replace(first.exports[0], modified_ns=int((NOW + 48 * HOUR).timestamp() * 1e9))
    drop(tmp_path / "a.csv", NOW, "id\n2\n")
    source = CsvSource(kind="csv", accounts="a.csv")
    raw = read_source(source, tmp_path, now=NOW, last_read=LastRead((last,)))
    assert raw.accounts.rows["id"].to_list() == ["2"]


def test_an_export_with_the_bytes_of_one_before_the_last_is_told_of(tmp_path: Path) -> None:
    last, told = None, []
    for hour, content in enumerate("aabbacb"):
        drop(tmp_path / "a.csv", NOW - (9 - hour) * HOUR, f"id\n{content}\n")
        last = read(tmp_path, last)
        told.append(any("the very bytes" in warning for warning in last.warnings))
    assert told == [False, False, False, False, True, False, True]


def test_each_table_has_an_order_of_its_own(tmp_path: Path) -> None:
    more = {"associations": "g*.csv"}
    drop(tmp_path / "a.csv", NOW - HOUR)
    drop(tmp_path / "g.csv", NOW - 3 * HOUR)
    first = read(tmp_path, pattern="a.csv", **more)
    assert read(tmp_path, first, pattern="a.csv", **more).associations
    drop(tmp_path / "g.csv", NOW - 4 * HOUR, "id\n2\n")
    with pytest.raises(SourceStaleError, match=r"^g.csv "):
        read(tmp_path, first, pattern="a.csv", **more)


@pytest.mark.parametrize(
    ("ahead", "is_refused"), [(timedelta(minutes=10), False), (timedelta(minutes=11), True)]
)
def test_a_time_ahead_of_the_clock_is_refused(
    ahead: timedelta, *, is_refused: bool, tmp_path: Path
) -> None:
    drop(tmp_path / "a_1.csv", NOW + ahead)
    drop(tmp_path / "a_2.csv", NOW)
    if not is_refused:
        assert read(tmp_path).accounts.read_count == 1
        return
    with pytest.raises(SourceStaleError, match=r"a_1.csv: was last written .* ahead of the clock"):
        read(tmp_path)
    source = CsvSource(kind="csv", accounts="a_*.csv")
    with pytest.raises(SourceStaleError, match=r"a_1.csv"):
        probe_source(source, tmp_path, now=NOW)


@pytest.mark.parametrize(
    ("day", "zone", "is_refused"),
    [
        ("2026-03-02", {}, False),
        ("2026-03-03", {}, False),  # begun where a day begins first
        ("2026-03-04", {}, True),
        ("2026-03-03", {"timezone": "UTC"}, True),
        ("2026-03-03", {"timezone": "Pacific/Auckland"}, False),
    ],
)
def test_a_date_in_the_name_that_has_begun_nowhere_is_refused(
    day: str, zone: dict[str, str], *, is_refused: bool, tmp_path: Path
) -> None:
    drop(tmp_path / f"hr_{day}.csv", NOW)
    if is_refused:
        with pytest.raises(SourceStaleError, match=f"the date in its name, {day}, is ahead"):
            read(tmp_path, **zone)
    else:
        assert read(tmp_path, **zone).accounts.read_count == 1


def test_an_ldif_export_goes_the_same_way(tmp_path: Path) -> None:
    def export(at: datetime, mail: str) -> None:
        drop(tmp_path / "d.ldif", at, f"dn: uid=a\nobjectClass: person\nuid: a\nmail: {mail}\n\n")

    def read_ldif(last: LastRead) -> Raw:
        source = LdifSource.model_validate(
            {"kind": "ldif", "file": "d.ldif", "id": "uid", "groups": None}
        )
        return read_source(source, tmp_path, now=NOW, last_read=last)

    export(NOW - HOUR, "a@x.example")
    first = read_ldif(LastRead())
    export(NOW - 2 * HOUR, "b@x.example")
    with pytest.raises(SourceStaleError, match=r"d.ldif .* went, and export it again$"):
        read_ldif(first.remembered)
    export(NOW + HOUR, "b@x.example")
    with pytest.raises(SourceStaleError, match="ahead of the clock"):
        read_ldif(LastRead())


TRAILER = r"END;(\d+)"


@pytest.mark.parametrize(
    ("before", "now", "is_refused"),
    [
        ("id,n\n1,Payroll\n", "id,n\n1,Pa", True),
        ("id,n\r\n1,Payroll\r\n", "id,n\r\n1,Pa", True),
        ("id,n\n1,Payroll", "id,n\n1,Pa", False),
        ("id,n\n1,Payroll", "id,n\n1,Pa\n", False),
        ("id,n\n1,Payroll\n", "id,n\n1,Pa\n", False),
    ],
)
def test_an_export_whose_last_line_lost_its_end_was_cut_off(
    before: str, now: str, *, is_refused: bool, tmp_path: Path
) -> None:
    drop(tmp_path / "a.csv", NOW - HOUR, before)
    first = read(tmp_path)
    drop(tmp_path / "a.csv", NOW, now)
    if is_refused:
        with pytest.raises(SourceIncompleteError, match=r"a.csv: its last line has no end"):
            read(tmp_path, first)
        assert read(tmp_path, first, as_of="2026-03-02").accounts.read_count == 1
    else:
        assert read(tmp_path, first).accounts.read_count == 1


def test_a_trailer_proves_an_export_whole_without_an_end(tmp_path: Path) -> None:
    more = {"complete": {"trailer": TRAILER}}
    drop(tmp_path / "a.csv", NOW - HOUR, "id,n\n1,a\nEND;1\n")
    first = read(tmp_path, **more)
    drop(tmp_path / "a.csv", NOW, "id,n\n1,a\n2,b\nEND;2")
    assert read(tmp_path, first, **more).accounts.read_count == 2


def broken(*lines: str, at: Sequence[int]) -> bytes:
    return b"".join(
        line.encode("latin-1" if number in at else "utf-8") + b"\n"
        for number, line in enumerate(lines, 1)
    )


@pytest.mark.parametrize(
    ("at", "text"),
    [
        ((3,), "line 3 has bytes that are not UTF-8, and every other line is UTF-8: mend that"),
        ((2, 3), "lines 2, 3 have bytes that are not UTF-8, .*mend these lines"),
    ],
)
@pytest.mark.parametrize("encoding", ["auto", "utf-8"])
def test_a_damaged_line_is_to_be_mended_and_no_other_encoding_to_be_stated(
    at: Sequence[int], text: str, encoding: str, tmp_path: Path
) -> None:
    rows = ("id,n", "1,é", "2,é", *(f"{n},éé" for n in range(3, 9)))
    drop(tmp_path / "a.csv", NOW, broken(*rows, at=at))
    with pytest.raises(SourceFormatError, match=text) as refused:
        read(tmp_path, encoding=encoding)
    assert "encoding" not in str(refused.value)


def test_an_export_that_was_utf_8_is_damaged_and_not_in_windows_1252(tmp_path: Path) -> None:
    drop(tmp_path / "a.csv", NOW - HOUR, "id,n\n1,é\n2,b\n")
    first = read(tmp_path)
    drop(tmp_path / "a.csv", NOW, b"id,n\n1,e\n2,\xe9\n")
    assert read(tmp_path).warnings  # on a first read nobody knows
    with pytest.raises(SourceFormatError, match="line 3 has bytes that are not UTF-8"):
        read(tmp_path, first)
    drop(tmp_path / "a.csv", NOW - HOUR, "id,n\n1,e\n2,b\n")
    ascii_alone = read(tmp_path)
    drop(tmp_path / "a.csv", NOW, b"id,n\n1,e\n2,\xe9\n")
    assert read(tmp_path, ascii_alone).warnings
