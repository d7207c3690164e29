"""A reader that goes away, a terminal that lacks letters, a bug of ours: nothing breaks off."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from terminal import SOURCE, Workspace, rows, typed

from flows.cli.runs import listing

CANARY = "canary4711"


@pytest.fixture
def bugs(workspace: Workspace) -> Path:
    """Where the private files of bugs go."""
    return workspace.path / ".lumos-ingest" / "bugs"


def buggy(*_words: object, **_options: object) -> int:
    raise ZeroDivisionError(CANARY)


def test_a_bug_is_one_line_and_its_traceback_is_in_the_state_folder(
    workspace: Workspace, bugs: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(listing, "waiting_plans", buggy)
    said = workspace.run("runs", "--json")
    assert said.code == 1
    [path] = bugs.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert bugs.stat().st_mode & 0o777 == 0o700
    assert f"ZeroDivisionError: {CANARY}" in path.read_text("utf-8")
    [line] = said.err.splitlines()
    assert line.startswith("lumos-ingest: ZeroDivisionError: a bug of this program")
    assert str(path) in line
    assert said.document == {"error": line.removeprefix("lumos-ingest: "), "exit_code": 1}
    assert CANARY not in said.err + said.out


def test_the_report_of_a_bug_goes_with_the_retention(
    workspace: Workspace, bugs: Path, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as broken:
        broken.setattr(listing, "waiting_plans", buggy)
        workspace.run("runs")
    [path] = bugs.iterdir()
    assert workspace.run("runs").code == 0
    assert path.exists()
    os.utime(path, (0, 0))
    assert workspace.run("runs").code == 0
    assert not path.exists()


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
