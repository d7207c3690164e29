"""Which file is meant, and that it stays the same."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from extractors.exports.find import check_unchanged, find_export
from extractors.read import read_source
from extractors.zones.zones import DropZones
from schemas.errors import (
    ConfigError,
    SourceIncompleteError,
    SourceUnavailableError,
)
from schemas.raw import Raw
from schemas.source_file.kinds.csv_source import CsvSource

_NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


def _no_sleep(seconds: float) -> None:
    raise AssertionError(seconds)


def _write(path: Path, content: str = "id,n\n1,a\n", age: timedelta = timedelta(hours=1)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    made_s = (_NOW - age).timestamp()
    os.utime(path, (made_s, made_s))
    return path


def _read(folder: Path, sleep: Callable[[float], None] = _no_sleep, **options: object) -> Raw:
    source = CsvSource(**({"kind": "csv", "accounts": "a.csv"} | options))
    return read_source(source, folder, now=_NOW, sleep=sleep)


def test_the_newest_match_counts_then_the_last_by_name(tmp_path: Path) -> None:
    _write(tmp_path / "out/a-1.csv", "id\nold\n", timedelta(hours=9))
    _write(tmp_path / "out/a-2.csv", "id\nsecond\n")
    _write(tmp_path / "out/a-3.csv", "id\nthird\n")
    _write(tmp_path / "out/a-9.csv", "id\nancient\n", timedelta(hours=20))
    (tmp_path / "out/a-dir.csv").mkdir()
    raw = _read(tmp_path, accounts="out/a-*.csv")
    assert raw.accounts.rows["id"].to_list() == ["third"]
    assert raw.accounts.origin == "out/a-3.csv"
    assert raw.taken_at == _NOW - timedelta(hours=1)


def test_a_marker_or_a_manifest_is_no_match_of_a_wide_pattern(tmp_path: Path) -> None:
    _write(tmp_path / "out/a.csv")
    _write(tmp_path / "out/a.csv.done", "", timedelta(0))
    _write(tmp_path / "out/a.csv.rows", "1", timedelta(0))
    complete = {"marker": "{path}.done", "manifest": "{path}.rows"}
    assert _read(tmp_path, accounts="out/*", complete=complete).accounts.origin == "out/a.csv"


def test_a_name_with_brackets_in_it_is_found_as_it_is(tmp_path: Path) -> None:
    _write(tmp_path / "a[1].csv")
    assert _read(tmp_path, accounts="a[1].csv").accounts.origin == "a[1].csv"


def test_an_absolute_path_is_read(tmp_path: Path) -> None:
    path = _write(tmp_path / "elsewhere/a.csv")
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    assert _read(workspace, accounts=str(path)).accounts.read_count == 1
    assert _read(workspace, accounts=str(path.parent / "*.csv")).accounts.read_count == 1


def test_an_operators_link_out_of_the_workspace_is_followed(tmp_path: Path) -> None:
    _write(tmp_path / "elsewhere/a.csv")
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (workspace / "exports").symlink_to(tmp_path / "elsewhere")
    assert _read(workspace, accounts="exports/a.csv").accounts.read_count == 1
    assert _read(workspace, accounts="exports/*.csv").accounts.read_count == 1


@pytest.mark.parametrize("path", ["../a.csv", "x/../../a.csv", "../*.csv", ".."])
def test_a_path_that_climbs_out_of_the_workspace_is_refused(path: str, tmp_path: Path) -> None:
    _write(tmp_path / "a.csv")
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    with pytest.raises(ConfigError, match=r"^accounts: .* leads out of the workspace") as caught:
        _read(workspace, accounts=path)
    assert caught.value.key == "accounts"


@pytest.mark.parametrize("key", ["marker", "manifest"])
def test_a_marker_or_manifest_outside_the_workspace_is_refused(key: str, tmp_path: Path) -> None:
    _write(tmp_path / "a.csv")
    with pytest.raises(ConfigError, match=f"^complete.{key}: .* leads out") as caught:
        _read(tmp_path, complete={key: "../../{path}.x"})
    assert caught.value.key == f"complete.{key}"


@pytest.mark.parametrize("path", ["a.csv", "no/where/a.csv", "*.csv", "no/**/*.csv"])
def test_a_missing_export_is_unavailable_and_named(path: str, tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailableError) as caught:
        _read(tmp_path, accounts=path)
    assert path in str(caught.value)


def test_a_directory_is_no_export(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(ConfigError, match=r"a\.csv is a directory"):
        _read(tmp_path)


def test_a_pipe_is_no_export(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(ConfigError, match="not a regular file"):
        _read(tmp_path)


def test_what_the_system_refuses_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to("a.csv")
    with pytest.raises(SourceUnavailableError, match=r"a\.csv: cannot be looked at: \w+"):
        _read(tmp_path)


def test_an_export_that_changes_while_it_is_read_is_incomplete(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.csv", age=timedelta(0))

    export = find_export(
        "accounts", "a.csv", DropZones(CsvSource(kind="csv", accounts="a.csv"), tmp_path)
    )
    check_unchanged(export)
    path.write_text("id,n\n1,b\n", encoding="utf-8")
    with pytest.raises(SourceIncompleteError, match=r"a\.csv: changed while it was read"):
        check_unchanged(export)
