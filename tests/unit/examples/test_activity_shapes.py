"""The examples of logs as real systems write them: what is sent of each, and what is counted."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from extractors.activity import Span, probe_activity, read_activity
from extractors.read import read_source
from schemas.raw import RawTable
from schemas.snapshot import empty_snapshot
from schemas.source_file.file import SourceFile, to_source
from schemas.source_file.kinds.csv_source import ActivitySource
from transforms.activity.records import Gathered, Gathering, RecordFilter
from transforms.snapshot.snapshot import to_snapshot

ROOT = Path(__file__).parents[3]
SHAPES = ROOT / "examples" / "shapes"
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
LINES = 25

EXPECTED = {
    "cloudtrail": (["ann LOGIN 06-30T08:00:00"], 2, 0),
    "entra_id": (["Ann@tern.example LOGIN 06-30T09:00:00"], 2, 0),
    "german": (["ben LOGIN 03-02T08:00:00", "ann LOGIN 06-30T08:00:00"], 0, 2),
    "github": (["ann LOGIN 06-30T08:00:00", "ann ACTIVITY 06-30T08:01:00"], 0, 1),
    "journald": (["ann LOGIN 06-30T08:00:00"], 2, 1),
    "last": (["ben LOGIN 06-29T08:00:00", "ann LOGIN 06-30T08:00:00"], 2, 0),
    "nginx": (["ann ACTIVITY 06-30T08:00:00"], 2, 0),
    "okta": (
        ["ann@tern.example LOGIN 06-30T08:00:00", "Ann@tern.example ACTIVITY 06-30T09:30:00"],
        1,
        1,
    ),
    "postgresql": (["ann LOGIN 06-30T08:00:00"], 2, 0),
    "slack": (["ben ACTIVITY 06-29T02:26:40", "ann ACTIVITY 06-30T08:00:00"], 0, 0),
}
"""By example: the records that are sent, how many rows are not meant, and how many are ignored."""


def source_file(name: str, folder: Path) -> SourceFile:
    shutil.copytree(SHAPES / f"activity-{name}", folder, dirs_exist_ok=True)
    for path in (folder / "exports").iterdir():
        os.utime(path, (NOW.timestamp() - 86_400,) * 2)
    path = folder / "sources" / f"activity-{name}.yaml"
    return to_source(path.read_text("utf-8"), path.stem, path.name).file


def gathered(name: str, folder: Path) -> Gathered:
    activity = source_file(name, folder).activity
    assert activity is not None
    assert isinstance(activity.source, ActivitySource)
    gathering = Gathering(RecordFilter(activity, "app-1", NOW))
    tables: list[RawTable] = list(
        read_activity(activity.source, folder, Span(), shape=activity.shape, now=NOW)
    )
    for table in tables:
        gathering.add(table)
    return gathering.result()


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_an_example_of_a_log_is_read_as_its_system_means_it(name: str, tmp_path: Path) -> None:
    made = gathered(name, tmp_path)
    records, excluded, ignored = EXPECTED[name]
    assert made.rejects.is_empty()
    columns = ("account_id", "email", "event_type", "timestamp")
    assert [
        f"{who or email} {what} {at:%m-%dT%H:%M:%S}"
        for who, email, what, at in made.records.select(columns).rows()
    ] == records
    assert (made.count.excluded, made.count.ignored) == (excluded, ignored)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_an_example_of_a_log_is_short_whole_and_listed(name: str, tmp_path: Path) -> None:
    file = source_file(name, tmp_path)
    made = to_snapshot(read_source(file.source, tmp_path, now=NOW), file, empty_snapshot(), NOW)
    assert made.rejects.is_empty()
    assert file.activity is not None
    assert isinstance(file.activity.source, ActivitySource)
    [probe] = probe_activity(file.activity.source, tmp_path, shape=file.activity.shape, now=NOW)
    assert set(file.activity.shape.columns) <= set(probe.columns or ())
    stem = f"activity-{name}"
    text = (SHAPES / stem / "sources" / f"{stem}.yaml").read_text("utf-8")
    assert len(text.splitlines()) <= LINES
    page = (ROOT / "docs" / "shapes.md").read_text("utf-8")
    assert f"(../examples/shapes/{stem}/sources/{stem}.yaml)" in page


def test_every_example_of_a_log_has_a_test() -> None:
    there = {folder.name for folder in SHAPES.iterdir() if folder.name.startswith("activity-")}
    assert there == {f"activity-{name}" for name in EXPECTED}
