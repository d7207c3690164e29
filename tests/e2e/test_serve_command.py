"""`serve`: what is due runs; whatever kills it, it is made up for once it is started again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from terminal import SOURCE, Workspace, rows

from sandbox.server import running_sandbox
from tests.message_taker import listening

NIGHTLY = 'schedule: {cron: "0 2 * * *", timezone: Europe/Paris}\n'
PATIENCE_S = 90


@contextmanager
def serving(workspace: Workspace, **env: str) -> Iterator[subprocess.Popen[str]]:
    """`lumos-ingest serve`, a process of its own; what it says goes into `serve.txt`."""
    keys = {"LUMOS_API_URL": workspace.sandbox.url, "LUMOS_API_TOKEN": workspace.sandbox.token}
    keys |= env
    command = [Path(sys.executable).with_name("lumos-ingest"), "serve", "-w", workspace.path]
    with (
        (workspace.path / "serve.txt").open("a") as said,
        subprocess.Popen(
            command, env={**os.environ, **keys}, stdout=said, stderr=said, text=True
        ) as child,
    ):
        try:
            yield child
        finally:
            child.kill()


def until(workspace: Workspace, text: str, count: int = 1) -> str:
    """What `serve` had said once it had said `text`."""
    ends_at = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends_at:
        said = (workspace.path / "serve.txt").read_text("utf-8")
        if said.count(text) >= count:
            return said
        time.sleep(0.1)
    raise AssertionError(f"it never said {text!r}: {said}")


def fail_once(workspace: Workspace) -> None:
    """The last night's run, without an export to read."""
    assert workspace.run("sync", "hr").code == 1
    workspace.export(*rows(12))


def test_a_night_that_failed_is_made_up_for_at_the_start(workspace: Workspace) -> None:
    workspace.source(SOURCE + NIGHTLY)
    fail_once(workspace)
    with serving(workspace) as child:
        said = until(workspace, "sync is due at")
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=60) == 128 + signal.SIGTERM
    assert "now: it was missed" in said
    assert len(workspace.accounts()) == 12
    assert "02:00 CE" in said
    assert "made up for" not in said
    assert "Traceback" not in until(workspace, "serve: stopped; started again")


def test_every_minute_is_served_and_a_new_file_is_taken_up(workspace: Workspace) -> None:
    workspace.source(SOURCE + NIGHTLY)
    workspace.export(*rows(12))
    with (
        listening() as (host, came),
        serving(workspace, LUMOS_INGEST_NOTIFY=f"json://{host}/"),
    ):
        until(workspace, "02:00 CE")
        text = SOURCE.replace("HR Portal", "CRM") + 'schedule: {cron: "* * * * *"}\n'
        workspace.source(text, "crm")
        until(workspace, "crm: done as run")
        workspace.source("app: {}\n", "crm")
        said = until(workspace, "lumos-ingest: sources/crm.yaml")
        assert "hr: done" not in said
        until(workspace, "no longer")
    assert [one["title"] for one in came] == ["lumos-ingest: crm: failed"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_serve_that_ends_in_the_middle_of_a_night_goes_on_when_it_is_back(
    tmp_path: Path, number: signal.Signals
) -> None:
    with running_sandbox(job_seconds=4) as sandbox:
        workspace = Workspace(tmp_path, sandbox)
        workspace.source(SOURCE + NIGHTLY)
        fail_once(workspace)
        with serving(workspace) as child:
            until(workspace, "bytes sent, job")
            child.send_signal(number)
            child.wait(timeout=60)
        with serving(workspace):
            said = until(workspace, "hr: done as run")
        assert "the next run waits for it first" in said or number == signal.SIGKILL
        assert "was cut off; it is recovered first" in said
        assert workspace.stats()["overlapping_uploads"] == 0
        assert len(workspace.accounts()) == 12


def test_without_a_schedule_there_is_nothing_to_serve(workspace: Workspace) -> None:
    said = workspace.run("serve")
    assert said.code == 2
    assert "no source has a schedule: write schedule: {cron:" in said.err
