"""A run may be killed at any line: the next one ends in the same accounts."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from terminal import Workspace, row, rows

POINTS = [
    "stage:reading the source",
    "stage:checking the rows",
    "stage:planning",
    "stage:encoding",
    "before:planned",
    "after:planned",
    "stage:uploading",
    "before:submitted",
    "after:submitted",
    "stage:waiting for job",
    "stage:reading back",
    "before:done",
    "after:done",
]


def killed(workspace: Workspace, point: str) -> int:
    """Runs a sync that dies at `point`; how the process ended."""
    child = subprocess.run(
        [sys.executable, Path(__file__).with_name("killed_sync.py"), workspace.path, point],
        env={
            **os.environ,
            "LUMOS_API_URL": workspace.sandbox.url,
            "LUMOS_API_TOKEN": workspace.sandbox.token,
        },
        capture_output=True,
        check=False,
    )
    return child.returncode


@pytest.mark.parametrize("point", POINTS)
def test_a_run_killed_at_any_point_ends_in_the_same_accounts_after_a_rerun(
    workspace: Workspace, point: str
):
    workspace.export(*rows(12))
    assert workspace.run("sync", "hr").code == 0
    changed = [*rows(10), row(12, "Reader; Writer"), row(13)]
    workspace.export(*changed)
    assert killed(workspace, point) == -signal.SIGKILL
    said = workspace.run("sync", "hr", "--json")
    assert said.code == 0, said.err
    held = workspace.accounts()
    assert sorted(held) == [f"a{number:04d}" for number in (*range(1, 11), 12, 13)]
    assert [one["name"] for one in held["a0012"]["permissions"]] == ["Reader", "Writer"]
    assert workspace.stats()["overlapping_uploads"] == 0
    states = [run["state"] for run in workspace.run("runs", "--json").document]
    assert not {"reading", "planned", "submitted"} & set(states), states


@pytest.mark.parametrize("point", ["after:planned", "before:submitted", "after:submitted"])
def test_what_a_dead_run_was_about_to_send_is_sent_before_the_source_is_read_again(
    workspace: Workspace, point: str
):
    workspace.export(*rows(12))
    assert killed(workspace, point) == -signal.SIGKILL
    # The source has moved meanwhile, and cannot even be read now.
    (workspace.path / "exports" / "hr.csv").unlink()
    said = workspace.run("sync", "hr")
    assert said.code == 1
    assert len(workspace.accounts()) == 12
    states = [run["state"] for run in workspace.run("runs", "--json").document]
    assert states == ["failed", "done"]


def test_a_job_that_was_under_way_is_waited_for_and_not_sent_again(workspace: Workspace):
    workspace.export(*rows(12))
    assert killed(workspace, "after:submitted") == -signal.SIGKILL
    text = (workspace.path / "sources/hr.yaml").read_text()
    workspace.source(text.replace("upload: {", "upload: {unchanged: skip, "))
    assert workspace.run("sync", "hr").code == 0
    assert workspace.stats()["uploads"] == 1
