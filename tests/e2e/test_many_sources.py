"""Sources side by side in one process: each alone with its failure, all stopped together."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from terminal import SOURCE, Workspace, rows

from sandbox.server import running_sandbox

NAMES = ("one", "two", "three")


def fill(workspace: Workspace, poll: str) -> None:
    """A source an app for each of `NAMES`, and the export that they read."""
    (workspace.path / "sources" / "hr.yaml").unlink(missing_ok=True)
    for name in NAMES:
        text = SOURCE.replace("HR Portal", f"App {name}").replace("every: 0.1s", poll)
        workspace.source(text, name)
    workspace.export(*rows(12))


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace whose jobs take a while."""
    with running_sandbox(job_seconds=4) as sandbox:
        yield Workspace(tmp_path, sandbox)


def test_one_that_waits_for_its_job_lets_the_next_one_read(slow: Workspace) -> None:
    fill(slow, "every: 5s")
    said = slow.run("sync", "--all", "--jobs", "1", "--json")
    assert said.code == 0, said.err
    assert [one["state"] for one in said.document["sources"]] == ["done"] * 3
    events = [
        line.split()[1].rstrip(":") + (" sent" if "bytes sent" in line else " accepted")
        for line in said.err.splitlines()
        if "bytes sent" in line or "accepted as run" in line
    ]
    assert events[:3] == ["one sent", "three sent", "two sent"], said.err


def test_a_failure_is_that_sources_alone_and_the_lines_of_a_source_stand_together(
    workspace: Workspace,
) -> None:
    fill(workspace, "every: 0.1s")
    wrong = (workspace.path / "sources" / "two.yaml").read_text("utf-8")
    workspace.source(wrong.replace("exports/hr.csv", "exports/none.csv"), "two")
    said = workspace.run("sync", "--all", "--jobs", "3")
    assert said.code == 1
    assert said.err.count("lumos-ingest: two: ") == 1
    ends = [line for line in said.out.splitlines() if ": done as run" in line]
    assert sorted(line.split(":")[0] for line in ends) == ["one", "three"]
    plans = said.out.split(": the plan, against")
    assert len(plans) == 3
    assert all("accounts are in the app" in plan for plan in plans[1:]), said.out


def test_fewer_than_one_at_once_is_wrong_usage(workspace: Workspace) -> None:
    said = workspace.run("sync", "--all", "--jobs", "0")
    assert said.code == 2
    assert "--jobs" in said.err


def begun(workspace: Workspace, *words: str) -> subprocess.Popen[str]:
    """A `sync` that is under way."""
    keys = {
        "LUMOS_API_URL": workspace.sandbox.url,
        "LUMOS_API_TOKEN": workspace.sandbox.token,
    }
    command = [Path(sys.executable).with_name("lumos-ingest"), "sync", *words]
    return subprocess.Popen(
        [*command, "--workspace", workspace.path],
        env={**os.environ, **keys},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_stops_it_is_told_what_was_sent_and_the_next_run_goes_on(
    slow: Workspace, number: signal.Signals
) -> None:
    fill(slow, "every: 0.1s")
    with begun(slow, "one", "two") as child:
        until = time.monotonic() + 60
        while slow.stats()["uploads"] < 2 and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.3)
        child.send_signal(number)
        _, err = child.communicate(timeout=60)
    assert child.returncode == 128 + number, err
    for name in ("one", "two"):
        assert f"lumos-ingest: {name}: stopped while job" in err
    assert err.count("the next run waits for it first") == 2
    assert "Traceback" not in err
    with sqlite3.connect(slow.path / ".lumos-ingest" / "ledger.db") as ledger:
        assert ledger.execute("SELECT count(*) FROM ledger_leases").fetchone() == (0,)
    said = slow.run("sync", "one", "two", "--json")
    assert said.code == 0, said.err
    assert [len(one["recovered"]) for one in said.document["sources"]] == [1, 1]
    assert slow.stats()["overlapping_uploads"] == 0


def test_a_transform_that_hangs_is_left_behind_with_the_signals_own_exit_code(
    workspace: Workspace,
) -> None:
    (workspace.path / "hanging.py").write_text(
        "import pathlib, time\n"
        "def hang(rows):\n"
        "    pathlib.Path(__file__).with_name('hangs').touch()\n"
        "    time.sleep(600)\n"
    )
    fill(workspace, "every: 0.1s")
    workspace.source(
        "transform: hanging:hang\n" + (workspace.path / "sources" / "one.yaml").read_text("utf-8"),
        "one",
    )
    with begun(workspace, "one", "--json") as child:
        until = time.monotonic() + 60
        while not (workspace.path / "hangs").exists() and time.monotonic() < until:
            time.sleep(0.05)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
    assert child.returncode == 128 + signal.SIGINT, err
    [ended] = json.loads(out)["sources"]
    assert (ended["source"], ended["state"]) == ("one", "stopped")
    assert "nothing was sent: the next run begins anew" in err
