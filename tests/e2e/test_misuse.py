"""A reader that goes away, a terminal that lacks letters, a bug of ours: nothing breaks off."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from terminal import SOURCE, Workspace, rows, typed

from flows.cli.runs import listing
from flows.run.crash_report import BugError, without_text
from schemas.errors import ConfigError

CANARY = "canary4711"


@pytest.fixture
def bugs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the private files of bugs go."""
    folder = tmp_path / "bugs"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def buggy(*_words: object, **_options: object) -> int:
    raise ZeroDivisionError(CANARY)


def test_a_bug_is_one_line_and_its_traceback_is_private(
    workspace: Workspace, bugs: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(listing, "runs_command", buggy)
    said = workspace.run("runs", "--json")
    assert said.code == 1
    [path] = bugs.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert f"ZeroDivisionError: {CANARY}" in path.read_text("utf-8")
    [line] = said.err.splitlines()
    assert line.startswith("lumos-ingest: ZeroDivisionError: a bug of this program")
    assert str(path) in line
    assert said.document == {"error": line.removeprefix("lumos-ingest: "), "exit_code": 1}
    assert CANARY not in said.err + said.out


def test_a_bug_goes_to_an_orchestrator_without_its_text(bugs: Path):
    with pytest.raises(BugError, match=r"^ZeroDivisionError: a bug") as caught:
        without_text(buggy)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    with pytest.raises(BugError) as again:
        without_text(lambda: without_text(buggy))
    assert CANARY not in str(caught.value) + str(again.value)
    assert len(list(bugs.iterdir())) == 2


def test_an_error_of_the_users_goes_through_as_it_is(bugs: Path):
    def refused() -> None:
        raise ConfigError("hr.yaml:3: no")

    with pytest.raises(ConfigError, match=r"hr\.yaml:3: no"):
        without_text(refused)
    assert list(bugs.iterdir()) == []


def process(workspace: Workspace, *words: str, **env: str) -> subprocess.Popen[bytes]:
    said = {"LUMOS_API_URL": workspace.sandbox.url, "LUMOS_API_TOKEN": workspace.sandbox.token}
    program = "from flows.cli.main import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", program, *words, "--workspace", str(workspace.path)],
        env={**os.environ, **said, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_a_reader_that_goes_away_does_not_keep_a_source_from_its_turn(workspace: Workspace):
    second = SOURCE.replace("HR Portal,", "CRM,").replace("exports/hr.csv", "exports/crm.csv")
    workspace.source(second, "crm")
    workspace.export(*rows(3))
    (workspace.path / "exports" / "crm.csv").write_bytes(
        (workspace.path / "exports" / "hr.csv").read_bytes()
    )
    running = process(workspace, "sync", "--all")
    running.stdout.close()
    said = running.stderr.read()
    running.stderr.close()
    assert running.wait(60) == 0, said
    states = {run["source"]: run["state"] for run in workspace.run("runs", "--json").document}
    assert states == {"crm": "done", "hr": "done"}
    assert b"Traceback" not in said
    assert b"BrokenPipe" not in said


def test_letters_that_the_terminal_lacks_do_not_end_a_command(workspace: Workspace):
    workspace.source(SOURCE.replace("Team: team", "Équipe ☃: team"))
    workspace.export(*rows(3))
    assert workspace.run("sync", "hr").code == 0
    workspace.source(SOURCE.replace("Team: team", "Équipe ☀: team"))
    running = process(workspace, "preview", "hr", PYTHONIOENCODING="latin-1", PYTHONUTF8="0")
    out, err = running.communicate(timeout=60)
    assert running.returncode == 0, err
    assert "Équipe ?".encode("latin-1") in out
    assert b"Traceback" not in err


def test_all_runs_are_in_the_document_and_twenty_in_the_table(workspace: Workspace):
    for _ in range(22):
        workspace.run("sync", "hr")
    assert len(workspace.run("runs", "--json").document) == 22
    assert len(workspace.run("runs", "--json", "--limit", "3").document) == 3
    shown = workspace.run("runs").out
    assert "runs, newest first: 20 are shown, --limit N shows more" in shown
    assert shown.count("failed") == 20
    assert "are shown" not in workspace.run("runs", "--limit", "22").out


def test_a_command_that_needs_no_workspace_takes_one_all_the_same(tmp_path: Path):
    assert "properties" in typed("schema", "--workspace", str(tmp_path), "--json").document
