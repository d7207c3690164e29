"""Exports of the workspace that are moved once their upload is accepted."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from extractors.exports.archiving import archive_exports
from extractors.read import read_source
from schemas.errors import SourceUnavailableError
from schemas.raw import Raw
from schemas.source_file.kinds.csv_source import CsvSource


def _source(**options: object) -> CsvSource:
    defaults = {"kind": "csv", "accounts": "exports/hr*.csv", "archive_to": "exports/accepted"}
    return CsvSource(**(defaults | options))


def _read(source: CsvSource, folder: Path) -> Raw:
    return read_source(source, folder, now=datetime.now(UTC))


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "exports/hr_1.csv"
    path.parent.mkdir()
    path.write_text("id\n1\n", "utf-8")
    return path


@pytest.mark.parametrize("written", ["relative", "absolute"])
def test_an_accepted_export_is_moved_and_is_none_any_more(
    written: str, export: Path, tmp_path: Path
) -> None:
    base = f"{tmp_path}/" if written == "absolute" else ""
    source = _source(accounts=f"{base}exports/**/hr*.csv")
    raw = _read(source, tmp_path)
    assert archive_exports(source, raw.files, tmp_path) == ()
    assert not export.exists()
    assert (tmp_path / "exports/accepted/hr_1.csv").read_text("utf-8") == "id\n1\n"
    with pytest.raises(SourceUnavailableError, match="no file matches"):
        _read(source, tmp_path)
    assert archive_exports(source, raw.files, tmp_path) == ()


def test_nothing_is_moved_where_the_file_does_not_ask_for_it(export: Path, tmp_path: Path) -> None:
    source = _source(archive_to=None)
    assert archive_exports(source, _read(source, tmp_path).files, tmp_path) == ()
    assert export.exists()


def test_the_marker_and_the_manifest_of_an_export_go_with_it(export: Path, tmp_path: Path) -> None:
    (tmp_path / "exports/hr_1.csv.done").touch()
    (tmp_path / "exports/hr_1.csv.n").write_text("1", "utf-8")
    source = _source(complete={"marker": "{path}.done", "manifest": "{path}.n"})
    assert archive_exports(source, _read(source, tmp_path).files, tmp_path) == ()
    assert [path.name for path in (tmp_path / "exports").iterdir()] == ["accepted"]
    assert sorted(path.name for path in (tmp_path / "exports/accepted").iterdir()) == [
        "hr_1.csv", "hr_1.csv.done", "hr_1.csv.n",
    ]  # fmt: skip


def test_another_file_of_that_name_is_never_replaced(export: Path, tmp_path: Path) -> None:
    target = tmp_path / "exports/accepted/hr_1.csv"
    target.parent.mkdir()
    target.write_text("id\nolder\n", "utf-8")
    source = _source()
    [problem] = archive_exports(source, _read(source, tmp_path).files, tmp_path)
    assert problem == (
        "exports/hr_1.csv: cannot be moved to exports/accepted: a file of that name is there"
    )
    assert target.read_text("utf-8") == "id\nolder\n"
    assert export.exists()


def test_a_move_that_was_cut_off_half_way_is_ended_by_the_next(
    export: Path, tmp_path: Path
) -> None:
    source = _source()
    raw = _read(source, tmp_path)
    target = tmp_path / "exports/accepted/hr_1.csv"
    target.parent.mkdir()
    target.hardlink_to(export)
    assert archive_exports(source, raw.files, tmp_path) == ()
    assert (export.exists(), target.exists()) == (False, True)


def test_an_export_that_was_written_again_since_it_was_read_stays(
    export: Path, tmp_path: Path
) -> None:
    source = _source()
    raw = _read(source, tmp_path)
    export.write_text("id\n1\n2\n", "utf-8")
    assert archive_exports(source, raw.files, tmp_path) == ()
    assert export.exists()


def test_a_folder_out_of_the_workspace_is_refused_in_one_line(export: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "exports"
    source = _source(accounts="hr*.csv", archive_to="../elsewhere")
    raw = _read(_source(accounts="hr*.csv", archive_to=None), workspace)
    [problem] = archive_exports(source, raw.files, workspace)
    assert problem.startswith("archive_to: ../elsewhere leads out of the workspace")
    assert export.exists()
