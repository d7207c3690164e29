"""A bug: its text stays in a private file, where its workspace's state is; not for ever."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.run.crash_report import (
    FOLDER,
    MOST_REPORTS,
    BugError,
    forget_reports,
    keep_reports_in,
    report_bug,
    without_text,
)
from schemas.errors import ConfigError

CANARY = "canary4711"


def buggy() -> None:
    raise ZeroDivisionError(CANARY)


def test_a_bug_goes_to_an_orchestrator_without_its_text(tmp_path: Path) -> None:
    with pytest.raises(BugError, match=r"^ZeroDivisionError: a bug") as caught:
        without_text(buggy, tmp_path)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    with pytest.raises(BugError) as again:
        without_text(lambda: without_text(buggy, tmp_path), tmp_path)
    assert CANARY not in str(caught.value) + str(again.value)
    assert len(list((tmp_path / FOLDER).iterdir())) == 2


def test_an_error_of_the_users_goes_through_as_it_is(tmp_path: Path) -> None:
    def refused() -> None:
        raise ConfigError("hr.yaml:3: no")

    with pytest.raises(ConfigError, match=r"hr\.yaml:3: no"):
        without_text(refused, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_a_report_is_for_its_owner_alone(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with pytest.raises(BugError):
            without_text(buggy, tmp_path / "state")
    finally:
        os.umask(before)
    [report] = (tmp_path / "state" / FOLDER).iterdir()
    modes = [path.stat().st_mode & 0o777 for path in (report, report.parent, tmp_path / "state")]
    assert modes == [0o600, 0o700, 0o700]
    assert CANARY in report.read_text("utf-8")


def test_a_bug_before_any_workspace_is_known_is_told_of_in_the_users_own_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    keep_reports_in(None)
    line = report_bug(ZeroDivisionError(CANARY))
    [report] = (tmp_path / "lumos-ingest" / FOLDER).iterdir()
    assert str(report) in line
    keep_reports_in(tmp_path / "hr")
    report_bug(ZeroDivisionError(CANARY))
    assert len(list((tmp_path / "hr" / FOLDER).iterdir())) == 1
    keep_reports_in(None)
    assert CANARY not in capsys.readouterr().err


def test_where_no_report_can_be_written_the_line_says_so(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no folder", "utf-8")
    with pytest.raises(BugError, match="its traceback could not be saved"):
        without_text(buggy, tmp_path / "state")


def test_a_bug_that_comes_every_minute_fills_no_disk(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir()
    for number in range(MOST_REPORTS + 5):
        (folder / f"20260101T{number:06d}Z-x.txt").touch()
    with pytest.raises(BugError):
        without_text(buggy, tmp_path)
    left = sorted(path.name for path in folder.iterdir())
    assert len(left) == MOST_REPORTS
    assert left[0] == "20260101T000006Z-x.txt"


def test_reports_older_than_the_retention_go(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir()
    for name, seconds in (("old", 1_000), ("new", 3_000)):
        (folder / f"{name}.txt").touch()
        os.utime(folder / f"{name}.txt", (seconds, seconds))
    forget_reports(tmp_path, datetime.fromtimestamp(2_000, UTC))
    assert [path.name for path in folder.iterdir()] == ["new.txt"]
    forget_reports(tmp_path / "nothing", datetime.now(UTC))
