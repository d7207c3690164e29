"""What proves an export whole, one proof at a time: for every value, and to the second."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from extractors.exports.completeness import (
    check_age,
    check_count,
    check_manifest,
    check_marker,
    companions_of,
    trailer_count,
    wait_until_stable,
)
from extractors.exports.export import Export
from schemas.errors import SourceFormatError, SourceIncompleteError, SourceUnavailableError
from schemas.export_file import ExportFile
from schemas.source_file.kinds.csv_source import Completeness

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def file(key: str, at: datetime | None = NOW - HOUR) -> ExportFile:
    """A file of a bucket, last written then; None where the bucket does not say."""
    written_ns = -1 if at is None else int(at.timestamp()) * 10**9
    return ExportFile(key, f"s3://drop/{key}", 7, written_ns, "v1")


@dataclass
class Bucket:
    """A zone in memory, and the zones of a source that has no other."""

    files: dict[str, ExportFile] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def place(self, written: str, key: str) -> tuple["Bucket", str]:
        self.asked.append((written, key))
        return self, written.removeprefix("s3://drop/")

    def look_at(self, key: str) -> ExportFile | None:
        return self.files.get(key)

    def read(self, key: str) -> bytes | None:
        return self.contents.get(key)


def export(at: datetime | None = NOW - HOUR, table: str = "accounts", key: str = "a.csv") -> Export:
    """An export in a bucket of its own."""
    found = file(key, at)
    return Export(table, found, Bucket({key: found}))  # type: ignore[arg-type]


def said(text: str) -> str:
    """A pattern for just that text."""
    return f"^{re.escape(text)}$"


@pytest.mark.parametrize("age", [timedelta(0), HOUR - SECOND, HOUR, -HOUR])
def test_an_export_up_to_its_greatest_age_is_young_enough(age: timedelta):
    check_age(export(NOW - age), HOUR, NOW)


@pytest.mark.parametrize("age", [HOUR + SECOND, 30 * HOUR])
def test_an_export_past_its_greatest_age_says_how_old_it_is(age: timedelta):
    how_old = {HOUR + SECOND: "1h 1s", 30 * HOUR: "1d 6h"}[age]
    wanted = (
        f"s3://drop/a.csv: is {how_old} old and max_age is 1h: "
        "see why the export did not run, or raise max_age"
    )
    with pytest.raises(SourceIncompleteError, match=said(wanted)):
        check_age(export(NOW - age), HOUR, NOW)
    check_age(export(NOW - age), None, NOW)


def test_the_age_of_an_export_that_nobody_dates_cannot_be_checked():
    wanted = (
        "s3://drop/a.csv: its server does not say when it was written, so max_age cannot be "
        "checked: write max_age: null if it is made when it is asked for"
    )
    with pytest.raises(SourceIncompleteError, match=said(wanted)):
        check_age(export(None), 10**6 * HOUR, NOW)
    check_age(export(None), None, NOW)


def test_markers_and_manifests_stand_beside_an_export():
    assert companions_of(None) == ()
    assert companions_of(Completeness(stable_for=HOUR)) == ()
    assert companions_of(Completeness(marker="m")) == ("m",)
    assert companions_of(Completeness(manifest="n")) == ("n",)
    assert companions_of(Completeness(marker="m", manifest="n")) == ("m", "n")


@pytest.mark.parametrize("later", [timedelta(0), SECOND])
def test_a_marker_that_is_not_older_than_the_export_proves_it(later: timedelta):
    zones = Bucket({"a.csv.ok": file("a.csv.ok", NOW - HOUR + later)})
    check_marker(export(), "{path}.ok", zones)  # type: ignore[arg-type]
    assert zones.asked == [("s3://drop/a.csv.ok", "complete.marker")]


def test_a_marker_that_is_missing_is_named():
    wanted = (
        "s3://drop/a.csv: its marker s3://drop/a.csv.ok is not there: the export is not finished"
    )
    with pytest.raises(SourceIncompleteError, match=said(wanted)):
        check_marker(export(), "{path}.ok", Bucket())  # type: ignore[arg-type]


def test_the_marker_of_an_earlier_export_is_named_as_its_zone_names_it():
    zones = Bucket({"ready": file("ready", NOW - HOUR - SECOND)})
    wanted = (
        "s3://drop/a.csv: its marker s3://drop/ready is older than the export: "
        "a new export is being written"
    )
    with pytest.raises(SourceIncompleteError, match=said(wanted)):
        check_marker(export(), "ready", zones)  # type: ignore[arg-type]


def waits(at: datetime, *changes: datetime) -> tuple[Export, list[float]]:
    """What is read of an export that must rest for a minute, and the pauses before.

    It is written to once in each of the first pauses, at these moments.
    """
    waiting, pauses, left = export(at), [], list(changes)

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        assert len(pauses) <= 12, "waits for ever"
        if left:
            zone: Bucket = waiting.zone  # type: ignore[assignment]
            zone.files["a.csv"] = file("a.csv", left.pop(0))

    found = wait_until_stable(waiting, timedelta(minutes=1), now=NOW, sleep=sleep)
    assert found.file == waiting.zone.look_at("a.csv")
    return found, pauses


@pytest.mark.parametrize("age_s", [60, 61, 3600])
def test_an_export_that_rests_already_is_not_waited_for(age_s: int):
    assert waits(NOW - age_s * SECOND) == (export(NOW - age_s * SECOND), [])


@pytest.mark.parametrize(("age_s", "pause_s"), [(0, 60), (1, 59), (59, 1), (-30, 60), (-3600, 60)])
def test_an_export_that_does_not_change_is_waited_for_once(age_s: int, pause_s: int):
    _, pauses = waits(NOW - age_s * SECOND)
    assert pauses == [pause_s]


def test_an_export_that_nobody_dates_is_waited_for_in_whole():
    undated, pauses = export(None), []
    found = wait_until_stable(undated, timedelta(minutes=1), now=NOW, sleep=pauses.append)
    assert (found, pauses) == (undated, [60])


def test_an_export_that_changes_is_waited_for_from_its_last_change_on():
    found, pauses = waits(NOW - 20 * SECOND, NOW + 30 * SECOND, NOW + 85 * SECOND)
    assert pauses == [40, 50, 55]
    assert found.modified_at == NOW + 85 * SECOND


def test_an_export_that_had_come_to_rest_before_the_pause_ended_is_not_waited_for_again():
    _, pauses = waits(NOW, NOW - 5 * SECOND)
    assert pauses == [60]


def test_an_export_that_never_rests_is_given_up_after_ten_times_as_long():
    wanted = "s3://drop/a.csv: still changed after 10m: run again when the export is finished"
    changes = [NOW + count * timedelta(minutes=1) for count in range(1, 12)]
    with pytest.raises(SourceUnavailableError, match=said(wanted)):
        waits(NOW, *changes)
    found, pauses = waits(NOW, *changes[:9])
    assert pauses == [60] * 10
    assert found.modified_at == changes[8]


@pytest.mark.parametrize("stated", ["0", "7", " 12 ", "9" * 18, " " + "9" * 18 + " "])
def test_a_trailer_states_a_number(stated: str):
    assert trailer_count(export(), f"END;{stated}", "END;(.*)") == int(stated)


@pytest.mark.parametrize(
    ("line", "pattern"),
    [
        ("END;1;", "END;(.*)"),
        ("1;a", "END;(.*)"),
        ("END;1 and more", r"END;(\d+)"),
        ("END;", "END;(.*)"),
        ("END;-1", "END;(.*)"),
        ("END;1.0", "END;(.*)"),
        ("END;", r"END;(\d+)?"),
        ("END;" + "9" * 19, "END;(.*)"),
    ],
)
def test_a_last_line_that_is_no_trailer_is_the_end_of_a_part(line: str, pattern: str):
    wanted = (
        "s3://drop/a.csv: its last line is not the trailer: the export was cut off, "
        "or complete.trailer is wrong"
    )
    with pytest.raises(SourceIncompleteError, match=said(wanted)):
        trailer_count(export(), line, pattern)


@pytest.mark.parametrize("count", [0, 1, 1204])
def test_as_many_rows_as_are_stated_were_read(count: int):
    check_count(export(), "its trailer", count, count)
    for stated in (count - 1, count + 1, count + 1000):
        wanted = (
            f"s3://drop/a.csv: {count:,} rows were read and its trailer states {stated:,}: "
            "the export was cut off, or is not the one that was counted"
        )
        with pytest.raises(SourceIncompleteError, match=said(wanted)):
            check_count(export(), "its trailer", stated, count)


def manifested(
    content: str | None, template: str = "count", table: str = "accounts", key: str = "a.csv"
) -> int | None:
    """The number of rows that a manifest states of an export of three rows."""
    asked = template.replace("{path}", f"s3://drop/{key}")
    place = asked.removeprefix("s3://drop/")
    zones = Bucket(contents={} if content is None else {place: content.encode()})
    found = check_manifest(export(table=table, key=key), template, zones, 3)  # type: ignore[arg-type]
    assert zones.asked == [(asked, "complete.manifest")]
    return found


@pytest.mark.parametrize(
    "content",
    ["3", " 3\n", '{"rows": 3}', '{"s3://drop/out/a.csv": 3}', '{"a.csv": 3, "b.csv": 9}'],
)
def test_a_manifest_states_the_rows_of_its_export(content: str):
    assert manifested(content, key="out/a.csv") == 3


@pytest.mark.parametrize("table", ["entitlements", "resources", "associations"])
def test_a_manifest_of_one_number_is_of_the_accounts_unless_its_name_says_otherwise(table: str):
    for content in ("9", '{"rows": 9}'):
        assert manifested(content, table=table) is None
    for content in ("3", '{"rows": 3}'):
        assert manifested(content, "{path}.n", table=table) == 3
    assert manifested('{"a.csv": 3}', table=table) == 3


@pytest.mark.parametrize(
    "content", ["4", "2", "0", '{"rows": 4}', '{"a.csv": 4}', '{"a.csv": 4, "x": 3}']
)
def test_a_manifest_that_states_another_number_is_refused(content: str):
    stated = int(re.findall(r"\d", content)[0])
    wanted = (
        f"s3://drop/a.csv: 3 rows were read and the manifest count states {stated}: "
        "the export was cut off, or is not the one that was counted"
    )
    with pytest.raises(SourceIncompleteError, match=said(wanted)):
        manifested(content)
    if not content.startswith('{"a.csv'):
        with pytest.raises(SourceIncompleteError, match="states"):
            manifested(content, "{path}.n", table="entitlements")


@pytest.mark.parametrize(
    "content",
    ['{"b.csv": 3}', "{}", '{"rows": "3"}', '{"rows": true}', "[3]", '"3"', "3.0", "true"],
)
def test_a_manifest_without_a_count_of_the_export_proves_nothing(content: str):
    wanted = "s3://drop/a.csv: the manifest count has no count for it"
    with pytest.raises(SourceIncompleteError, match=said(wanted)):
        manifested(content)


@pytest.mark.parametrize("content", ["", "three", "{", "[" * 100_000, "null"])
def test_what_is_neither_a_number_nor_json_is_no_manifest(content: str):
    wanted = "count: a manifest is a number, or JSON with one a file name"
    with pytest.raises(SourceFormatError, match=said(wanted)):
        manifested(content)


def test_a_manifest_that_is_missing_is_named():
    wanted = (
        "s3://drop/a.csv: its manifest s3://drop/a.csv.n cannot be read: the export is not finished"
    )
    with pytest.raises(SourceIncompleteError, match=said(wanted)):
        manifested(None, "{path}.n")
