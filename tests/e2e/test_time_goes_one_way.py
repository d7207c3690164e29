"""Real processes: one that sleeps through another's run, clocks apart, states of another time."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psycopg
import pytest
from terminal import SOURCE, Workspace, row, rows

pytest_plugins = ["tests.postgresql_server"]

PROGRAM = Path(__file__).with_name("suspended_sync.py")
EVERY_REQUEST = range(1, 8)
"""Those of a run: the app, the upload, its job, the accounts; and none beyond them."""


class Ledger:
    """A ledger of a workspace, in SQLite or PostgreSQL, that can be put back to what it was."""

    def __init__(self, workspace: Workspace, new_database: Callable[[], str] | None) -> None:
        self.new_database = new_database
        self.file = workspace.path / ".lumos-ingest" / "ledger.db"
        self.url = new_database() if new_database else ""
        self.kept = ""

    @property
    def env(self) -> dict[str, str]:
        return {"LUMOS_INGEST_LEDGER": self.url} if self.url else {}

    def keep(self) -> None:
        if self.new_database is None:
            shutil.copy(self.file, self.file.with_suffix(".kept"))
            return
        server, _, name = self.url.rpartition("/")
        self.kept = f"{server}/{name}_kept"
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}_kept TEMPLATE {name}")

    def restore(self) -> None:
        if self.new_database is None:
            shutil.copy(self.file.with_suffix(".kept"), self.file)
        self.url = self.kept

    def lose(self) -> None:
        if self.new_database is None:
            self.file.unlink()
        else:
            self.url = self.new_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, workspace: Workspace) -> Ledger:
    is_sqlite = request.param == "sqlite"
    return Ledger(workspace, None if is_sqlite else request.getfixturevalue("new_database"))


def started(workspace: Workspace, *words: str, env: dict[str, str]) -> "subprocess.Popen[str]":
    lumos = {"LUMOS_API_URL": workspace.sandbox.url, "LUMOS_API_TOKEN": workspace.sandbox.token}
    return subprocess.Popen(
        [sys.executable, PROGRAM, workspace.path, *words],
        env={**os.environ, **lumos, **env},
        stderr=subprocess.PIPE,
        text=True,
    )


def woken_after_another_run(
    workspace: Workspace, point: str, env: dict[str, str]
) -> tuple[int, str] | None:
    """How a process ends that slept at a point while another run was accepted; None if it did not.

    The other run's export has an account more, `a0099`.
    """
    child = started(workspace, point, env=env)
    _, status = os.waitpid(child.pid, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        child.returncode = os.waitstatus_to_exitcode(status)
        child.communicate()
        return None
    time.sleep(1.1)  # its leases run out
    workspace.export(*rows(13), row(99))
    said = workspace.run("sync", "hr", env=env)
    os.kill(child.pid, signal.SIGCONT)
    _, err = child.communicate(timeout=60)
    assert said.code == 0, said.err
    return child.returncode, err


@pytest.mark.parametrize("number", EVERY_REQUEST)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_that_sleeps_at_a_request_sends_nothing_once_another_run_was_accepted(
    workspace: Workspace, when: str, number: int
):
    sleeps(workspace, f"{when}:{number}", {})


@pytest.mark.parametrize("point", ["pause", "before:2", "after:2"])
def test_so_it_is_with_a_ledger_in_postgresql(
    workspace: Workspace, point: str, new_database: Callable[[], str]
):
    sleeps(workspace, point, {"LUMOS_INGEST_LEDGER": new_database()})


def test_a_process_that_sleeps_in_the_pause_before_a_retry_does_not_send_again(
    workspace: Workspace,
):
    sleeps(workspace, "pause", {})


def sleeps(workspace: Workspace, point: str, env: dict[str, str]) -> None:
    workspace.export(*rows(12))
    assert workspace.run("sync", "hr", env=env).code == 0
    workspace.export(*rows(13))
    if point == "pause":
        workspace.fault("503@/accounts/upload")
    ended = woken_after_another_run(workspace, point, env)
    if ended is None:
        assert int(point.partition(":")[2]) > 4
        return
    code, err = ended
    assert code == 1, err
    assert "BusyError: " in err
    assert "a0099" in workspace.accounts()
    states = {run["state"] for run in workspace.run("runs", "--json", env=env).document}
    assert not {"reading", "planned", "submitted"} & states
    uploads = workspace.stats()["uploads"]
    assert workspace.run("sync", "hr", env=env).code == 0
    assert workspace.stats()["uploads"] == uploads + 1


@pytest.mark.parametrize("ahead_s", [60, 2 * 24 * 3600])
def test_a_machine_whose_clock_is_ahead_is_not_the_base_of_every_later_run(
    workspace: Workspace, ledger: Ledger, ahead_s: int
):
    workspace.source(SOURCE.replace("hr.csv}", "hr.csv, max_age: null}"))
    workspace.export(*rows(12))
    assert workspace.run("sync", "hr", env=ledger.env).code == 0
    workspace.export(*rows(13))
    child = started(workspace, "never", str(ahead_s), env=ledger.env)
    _, err = child.communicate()
    assert child.returncode == 0, err
    for count in (14, 15):
        workspace.export(*rows(count))
        said = workspace.run("sync", "hr", "--json", env=ledger.env)
        assert said.code == 0, said.err
        assert said.document["sources"][0]["plan"]["accounts"]["before"] == count - 1


def archive_of(workspace: Workspace) -> Path:
    return workspace.path / ".lumos-ingest" / "archive"


def two_nights(workspace: Workspace, ledger: Ledger) -> None:
    """Two nights; ledger and archive are kept as they were after the first."""
    workspace.export(*rows(20))
    assert workspace.run("sync", "hr", env=ledger.env).code == 0
    ledger.keep()
    shutil.copytree(archive_of(workspace), workspace.path / "kept")
    workspace.export(*rows(21))
    assert workspace.run("sync", "hr", env=ledger.env).code == 0


@pytest.mark.parametrize("loss", ["old ledger", "no ledger", "old archive", "no archive"])
def test_a_state_of_two_times_stops_every_run_until_a_person_repairs_it(
    workspace: Workspace, ledger: Ledger, loss: str
):
    two_nights(workspace, ledger)
    match loss:
        case "old ledger":
            ledger.restore()
        case "no ledger":
            ledger.lose()
        case _:
            shutil.rmtree(archive_of(workspace))
            if loss == "old archive":
                shutil.copytree(workspace.path / "kept", archive_of(workspace))
    before = workspace.stats()["uploads"]
    workspace.export(*rows(21)[1:])
    for command in ("sync", "preview"):
        said = workspace.run(command, "hr", env=ledger.env)
        assert said.code == 1
        assert "older than" in said.err
        assert "lumos-ingest repair --reason" in said.err
        assert "Traceback" not in said.err
    assert workspace.stats()["uploads"] == before
    assert workspace.run("repair", env=ledger.env).code == 2
    said = workspace.run("repair", "--reason", "a backup", env=ledger.env)
    assert said.code == 0, said.err
    workspace.export(*[row(number, state="SUSPENDED") for number in range(1, 22)])
    held = workspace.run("sync", "hr", env=ledger.env)
    assert held.code == 3
    assert "that Lumos holds" in held.out
    workspace.export(*rows(21))
    code = workspace.run("sync", "hr", env=ledger.env).code
    if code == 3:  # no base is left: the first sync into a full app is held, once
        code = workspace.run("sync", "hr", "--allow-removals", env=ledger.env).code
    assert code == 0
    assert workspace.run("sync", "hr", env=ledger.env).code == 0


def test_another_workspaces_archive_is_told_as_such(workspace: Workspace, tmp_path_factory):
    workspace.export(*rows(12))
    assert workspace.run("sync", "hr").code == 0
    other = Workspace(tmp_path_factory.mktemp("other"), workspace.sandbox)
    other.source()
    other.export(*rows(12))
    said = other.run("sync", "hr", env={"LUMOS_INGEST_ARCHIVE": str(archive_of(workspace))})
    assert said.code == 1
    assert "another workspace's" in said.err


def renamed(workspace: Workspace, name: str) -> str:
    """Renames the only app in Lumos; its id."""
    [app] = httpx.get(f"{workspace.sandbox.url}/sandbox/state").json()["apps"]
    asked(workspace, "PATCH", f"/apps/{app['id']}", {"name": name})
    return str(app["id"])


def asked(workspace: Workspace, method: str, path: str, body: dict[str, str]) -> None:
    headers = {"Authorization": f"Bearer {workspace.sandbox.token}"}
    url = f"{workspace.sandbox.url}{path}"
    httpx.request(method, url, headers=headers, json=body).raise_for_status()


def test_an_app_renamed_in_lumos_is_fed_on_and_told_and_gets_no_twin(workspace: Workspace):
    workspace.export(*rows(12))
    assert workspace.run("sync", "hr").code == 0
    renamed(workspace, "People Portal")
    workspace.export(*rows(12)[1:])
    said = workspace.run("sync", "hr")
    assert said.code == 0
    assert "which Lumos calls 'People Portal'" in said.err
    [app] = httpx.get(f"{workspace.sandbox.url}/sandbox/state").json()["apps"]
    assert app["statuses"]["ACTIVE"] == 11
    said = workspace.run("check", "hr")
    assert said.code == 0, said.err


def test_an_app_that_took_the_name_is_not_fed_without_a_persons_word(workspace: Workspace):
    workspace.export(*rows(12))
    assert workspace.run("sync", "hr").code == 0
    app_id = renamed(workspace, "People Portal")
    twin = {"name": "HR Portal", "category": "HR & Learning", "description": "another"}
    asked(workspace, "POST", "/apps", twin)
    before = workspace.stats()["uploads"]
    for command in ("sync", "preview", "check"):
        said = workspace.run(command, "hr")
        assert said.code == 2
        assert f"write app: {{id: {app_id}}}" in said.err
    assert workspace.stats()["uploads"] == before
    workspace.source(SOURCE.replace(SOURCE.split("\n")[1], f"app: {{id: {app_id}}}"))
    assert workspace.run("sync", "hr").code == 0


@pytest.mark.parametrize(
    "faults", [["status_missing*inf"], ["email_missing*inf"], ["total_missing*inf"]]
)
def test_what_lumos_does_not_tell_ends_no_run(workspace: Workspace, faults: list[str]):
    workspace.fault(*faults)
    for count in (12, 13, 12):
        workspace.export(*rows(count))
        said = workspace.run("sync", "hr")
        assert said.code == 0, said.err


def test_a_first_upload_whose_read_back_differed_is_what_the_next_plan_is_compared_with(
    workspace: Workspace,
):
    workspace.export(*rows(12))
    workspace.fault("job_forgotten")
    assert workspace.run("sync", "hr").code == 1
    assert len(workspace.accounts()) == 12
    workspace.export(*[row(number, roles="") for number in range(1, 13)])
    said = workspace.run("sync", "hr")
    assert said.code == 3
    assert "max_removed_associations" in said.out
    assert "first run" not in said.out
