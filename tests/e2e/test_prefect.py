"""The same sync as a Prefect flow, on a real Prefect server: one order of stages, two ways in."""

import contextlib
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from browser import open_page, wait_for
from prefect_server import die_with_parent
from terminal import SOURCE, Workspace, row, rows

from loaders.ledger.ledger import open_ledger

CANARY = "canary-4711"
BUG_CANARY = "BUG-CANARY-4711"


def as_flow(
    workspace: Workspace,
    env: dict[str, str],
    before: str = "",
    *words: str,
    command: str = "sync",
) -> subprocess.CompletedProcess[str]:
    """Types `lumos-ingest COMMAND hr` in a process of its own, with a Prefect API configured.

    `before` is run in that process first.
    """
    said = {"LUMOS_API_URL": workspace.sandbox.url, "LUMOS_API_TOKEN": workspace.sandbox.token}
    program = f"{before}\nfrom flows.cli.main import main; main()"
    typed = ["-c", program, command, "hr", "--workspace", workspace.path, *words]
    return subprocess.run(
        [sys.executable, *typed],
        env={**os.environ, **env, **said},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


def flow_runs(env: dict[str, str]) -> list[dict[str, Any]]:
    wanted = {"sort": "START_TIME_DESC"}
    found = httpx.post(f"{env['PREFECT_API_URL']}/flow_runs/filter", json=wanted, timeout=60)
    return found.json()


def ledger_of(workspace: Workspace) -> list[tuple[object, ...]]:
    """What the ledger holds of each run, but for what differs by nature: ids, times, the app."""
    with open_ledger(f"sqlite:///{workspace.path}/.lumos-ingest/ledger.db") as ledger:
        runs = ledger.runs()
    base = {run.run_id: number for number, run in enumerate(runs)}
    return [
        (
            *(run.source, run.state, run.actor, run.content_hash, run.counts, run.plan, run.error),
            base.get(run.base_run_id or ""),
            len(run.job_ids),
        )
        for run in runs
    ]


@pytest.mark.timeout(400)
@pytest.mark.xdist_group("prefect")
class TestAsAFlow:
    def test_both_ways_in_leave_the_same_ledger_and_the_same_accounts(
        self, workspace: Workspace, prefect_env: dict[str, str], tmp_path_factory
    ):
        from sandbox.server import running_sandbox

        with running_sandbox(job_seconds=0.02) as other_sandbox:
            typed = Workspace(tmp_path_factory.mktemp("typed"), other_sandbox)
            typed.source()
            for nights in (rows(20), [*rows(18), row(20, "Reader; Writer"), row(21)], rows(5)):
                for one in (workspace, typed):
                    one.export(*nights)
                direct = typed.run("sync", "hr")
                flow = as_flow(workspace, prefect_env, "", "--json")
                assert flow.returncode == direct.code, flow.stderr
            # The last night was held: the document has the run, and the line says what to type.
            [held] = json.loads(flow.stdout)["sources"]
            assert (held["state"], held["plan"]["verdict"]["verdict"]) == ("held", "held")
            assert "or at once: lumos-ingest sync hr --allow-removals" in flow.stderr.lower()
            assert ledger_of(workspace) == ledger_of(typed)
            assert names_and_permissions(workspace) == names_and_permissions(typed)
        states = [run["state"]["type"] for run in flow_runs(prefect_env)]
        assert states == ["FAILED", "COMPLETED", "COMPLETED"]

    def test_activity_is_sent_by_a_flow_of_the_same_stages(
        self, workspace: Workspace, prefect_env: dict[str, str]
    ):
        workspace.source(SOURCE + "activity: {source: {kind: csv, activity: log.csv}}\n")
        workspace.export(*rows(3))
        assert workspace.run("sync", "hr").code == 0
        log = "account_id,event_type,timestamp\na0001,LOGIN,2026-07-01T10:00:00Z\n"
        (workspace.path / "log.csv").write_text(log, "utf-8")
        flow = as_flow(workspace, prefect_env, "", "--json", command="activity")
        assert flow.returncode == 0, flow.stderr
        [run] = json.loads(flow.stdout)["sources"]
        assert (run["kind"], run["state"], run["counts"]["activity_sent"]) == (
            "activity",
            "done",
            1,
        )
        assert workspace.accounts()["a0001"]["last_login"].startswith("2026-07-01T10:00:00")
        name = str(flow_runs(prefect_env)[0]["name"])
        assert re.fullmatch(r"activity-hr-\d{4}-\d\d-\d\dT\d\d:\d\dZ", name)

    def test_each_window_of_a_backfill_is_a_flow_run_and_a_deployments_run_has_all_of_them(
        self, workspace: Workspace, prefect_env: dict[str, str]
    ):
        workspace.source(SOURCE + "activity: {source: {kind: csv, activity: log.csv}}\n")
        workspace.export(*rows(3))
        assert workspace.run("sync", "hr").code == 0
        log = "account_id,event_type,timestamp\na0001,LOGIN,2026-07-01T10:00:00Z\n"
        (workspace.path / "log.csv").write_text(log, "utf-8")
        span = ("--since", "2026-07-01", "--until", "2026-07-04")
        of_a_deployment = (
            "from lumos_ingest.prefect_flows import activity\n"
            f"activity('hr', {str(workspace.path)!r}, since='2026-07-01', until='2026-07-02')\n"
        )
        flow = as_flow(workspace, prefect_env, of_a_deployment, "--json", *span, command="backfill")
        assert flow.returncode == 0, flow.stderr
        document = json.loads(flow.stdout)
        assert document["left"] == 0
        assert [one["run"] is None for one in document["windows"]] == [True, False, False]
        assert workspace.accounts()["a0001"]["last_login"].startswith("2026-07-01T10:00:00")
        runs = {run["name"]: run["state"] for run in flow_runs(prefect_env)}
        assert {"backfill-hr-2026-07-02T00:00", "backfill-hr-2026-07-03T00:00"} <= runs.keys()
        whole = runs["backfill-hr-2026-07-01"]
        assert whole["message"] == "1 of 1 windows were sent; the others were before"

    def test_a_bug_reaches_prefect_without_its_text(
        self, workspace: Workspace, prefect_env: dict[str, str], prefect_home: Path, tmp_path: Path
    ):
        workspace.export(*rows(3))
        broken = (
            "import flows.sync.origin\n"
            "def broken(*_):\n"
            f"    raise ValueError('{BUG_CANARY}'.lower()) from KeyError('{BUG_CANARY}'.lower())\n"
            "flows.sync.origin.extract = broken"
        )
        (tmp_path / "bugs").mkdir()
        env = {**prefect_env, "TMPDIR": str(tmp_path / "bugs")}
        said = as_flow(workspace, env, broken, "--json")
        assert said.returncode == 1
        [path] = (tmp_path / "bugs").glob("lumos-ingest-bug-*")
        assert BUG_CANARY.lower() in path.read_text("utf-8")
        [failed] = json.loads(said.stdout)["sources"]
        assert failed["state"] == "failed"
        assert failed["error"].startswith("ValueError: a bug of this program")
        assert [run["error"] for run in workspace.run("runs", "--json").document] == [
            failed["error"]
        ]
        assert BUG_CANARY.lower() not in said.stderr + said.stdout
        database = b"".join(one.read_bytes() for one in prefect_home.glob("prefect.db*"))
        assert b"ValueError: a bug of this program" in database
        assert BUG_CANARY.lower().encode() not in database

    def test_no_row_and_no_secret_reaches_prefects_database(
        self, workspace: Workspace, prefect_env: dict[str, str], prefect_home: Path
    ):
        workspace.source(SOURCE + "rejected_rows: fail\n")
        workspace.export(row(1), f"{CANARY},{CANARY}@@example.com,{CANARY},,ACTIVE,Ops,Reader")
        said = as_flow(workspace, prefect_env)
        assert said.returncode == 1
        assert "exports/hr.csv:3" in said.stderr
        database = b"".join(path.read_bytes() for path in prefect_home.glob("prefect.db*"))
        assert b"exports/hr.csv:3" in database
        for secret in (CANARY, "user1@example.com", workspace.sandbox.token):
            assert secret.encode() not in database
            assert secret not in said.stderr + said.stdout


def seen(env: dict[str, str], what: str, **wanted: object) -> list[dict[str, Any]]:
    """What Prefect has of a kind, as its page shows it."""
    found = httpx.post(f"{env['PREFECT_API_URL']}/{what}/filter", json=wanted, timeout=60)
    return found.raise_for_status().json()


def page_of(env: dict[str, str], run: dict[str, Any]) -> str:
    """The page of counts and reasons of a flow run."""
    wanted = {"flow_run_id": {"any_": [run["id"]]}, "type": {"any_": ["markdown"]}}
    [page] = seen(env, "artifacts", artifacts=wanted)
    return str(page["data"])


def lines_of(env: dict[str, str], run: dict[str, Any]) -> list[str]:
    """The log lines on a flow run's page."""
    wanted = {"flow_run_id": {"any_": [run["id"]]}}
    return [line["message"] for line in seen(env, "logs", logs=wanted)]


def canary_row(number: int, email: str = "") -> str:
    """A row that is all canaries; with an address of one's own, it has no whole name beside it."""
    cells = [f"{CANARY}{column}{number}" for column in "igf"]
    family = "" if email else cells[2]
    email = email or f"{CANARY}{number}@example.com"
    return f"{cells[0]},{email},{cells[1]},{family},ACTIVE,{CANARY}team,{CANARY}role"


@pytest.mark.timeout(400)
@pytest.mark.xdist_group("prefect")
class TestWhatItsPageShows:
    def test_a_runs_page_has_counts_reasons_and_log_lines_and_no_row(
        self, workspace: Workspace, prefect_env: dict[str, str], prefect_home: Path
    ):
        workspace.source(SOURCE + "guards: {max_rejected_rows: 50%}\n")
        workspace.export(*map(canary_row, range(20)), canary_row(20, f"{CANARY}@@example"))
        assert as_flow(workspace, prefect_env).returncode == 0
        workspace.export(*map(canary_row, range(5)))
        assert as_flow(workspace, prefect_env).returncode == 3
        held, done = flow_runs(prefect_env)[:2]
        [held_run, done_run] = workspace.run("runs", "--json").document
        for run in (held, done):
            assert set(run["tags"]) == {"source:hr", "app:HR Portal"}
        page = page_of(prefect_env, done)
        assert f"- Run: `{done_run['run_id']}` (sync)" in page
        assert "| accounts | 0 | 20 | 20 | 0 | 0 | 0 | 1 | 0 |" in page
        assert "## Rejected rows: 1" in page
        assert "| accounts | email | " in page
        page = page_of(prefect_env, held)
        assert f"- Run: `{held_run['run_id']}` (sync)" in page
        assert "| max_removed_accounts | 15 | 20 accounts | 2 (10%) |" in page
        assert any("hr: accepted as run" in line for line in lines_of(prefect_env, done))
        assert any("associations: 0 added, 15 removed" in x for x in lines_of(prefect_env, held))
        database = b"".join(path.read_bytes() for path in prefect_home.glob("prefect.db*"))
        assert held_run["run_id"].encode() in database
        assert CANARY.encode() not in database

    def test_the_page_of_a_run_that_failed_says_why_and_what_was_rejected(
        self, workspace: Workspace, prefect_env: dict[str, str], prefect_home: Path
    ):
        workspace.source(SOURCE + "rejected_rows: fail\n")
        workspace.export(canary_row(1), canary_row(2, f"{CANARY}@@example"))
        assert as_flow(workspace, prefect_env).returncode == 1
        page = page_of(prefect_env, flow_runs(prefect_env)[0])
        assert "# hr: failed" in page
        assert "- Why: exports/hr.csv:3: email " in page
        assert "| accounts rejected | 1 |" in page
        assert "## Rejected rows: 1" in page
        database = b"".join(path.read_bytes() for path in prefect_home.glob("prefect.db*"))
        assert CANARY.encode() not in database


@contextmanager
def serving_the_form(env: dict[str, str]) -> Iterator[None]:
    """Serves the flow `decide`, as docs/held-plans.md says."""
    program = "from lumos_ingest.prefect_flows import decide; decide.serve('decide')"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, **env, "PREFECT_RUNNER_POLL_FREQUENCY": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent,
    ) as serving:
        try:
            url = f"{env['PREFECT_API_URL']}/deployments/name/decide/decide"
            wait_for(lambda: httpx.get(url).status_code == 200, 120)
            yield
        finally:
            serving.terminate()
            serving.wait(60)


@pytest.mark.timeout(600)
@pytest.mark.xdist_group("prefect")
def test_a_held_plan_is_approved_in_a_browser_and_carried_out_by_the_next_sync(
    workspace: Workspace,
    prefect_env: dict[str, str],
    prefect_home: Path,
    browser: str,
    tmp_path_factory: pytest.TempPathFactory,
):
    workspace.export(*rows(20))
    assert workspace.run("sync", "hr").code == 0
    workspace.export(*rows(5))
    with serving_the_form(prefect_env):
        assert as_flow(workspace, prefect_env).returncode == 3
        suspended = {"state": {"name": {"any_": ["Suspended"]}}}
        [first] = wait_for(lambda: seen(prefect_env, "flow_runs", flow_runs=suspended), 120)
        workspace.export(*rows(6))
        assert as_flow(workspace, prefect_env).returncode == 3
        over = {"id": {"any_": [first["id"]]}, "state": {"name": {"any_": ["Cancelled"]}}}
        assert seen(prefect_env, "flow_runs", flow_runs=over)
        [form] = wait_for(lambda: seen(prefect_env, "flow_runs", flow_runs=suspended), 120)
        url = f"{prefect_env['PREFECT_API_URL'].removesuffix('/api')}/runs/flow-run/{form['id']}"
        with open_page(browser, url, tmp_path_factory.mktemp("profile")) as page:
            wait_for(lambda: page.click("Resume"))
            wait_for(lambda: "nothing was uploaded" in page.text())
            assert (
                page.fill_in(
                    {"Decision": "approve", "Reason": "canary-closed", "Decided By": "canary-ada"}
                )
                == ""
            )

            def submitted() -> bool:
                # SQLite of a busy machine may be locked: then a person presses it again.
                page.click("Submit")
                time.sleep(2)
                return not seen(prefect_env, "flow_runs", flow_runs=suspended)

            wait_for(submitted)
        held = wait_for(lambda: _decided(workspace), 120)[0]
        completed = {"id": {"any_": [form["id"]]}, "state": {"name": {"any_": ["Completed"]}}}
        wait_for(lambda: seen(prefect_env, "flow_runs", flow_runs=completed), 60)
    decision = held["decision"]
    assert (decision["decision"], decision["reason"]) == ("approve", "canary-closed")
    assert decision["actor"] == "canary-ada (Prefect's form)"
    assert len(workspace.accounts()) == 20
    assert workspace.run("sync", "hr").code == 0
    assert len(workspace.accounts()) == 6
    with contextlib.closing(sqlite3.connect(prefect_home / "prefect.db")) as database:
        assert not [line for line in database.iterdump() if "canary-ada" in line]


def _decided(workspace: Workspace) -> list[dict[str, Any]]:
    """The runs, newest first, once the newest is decided on."""
    listed = workspace.run("runs", "--json").document
    return listed if listed[0]["decision"] else []


def register_nightly(env: dict[str, str], workspace: Path) -> str:
    """Registers a deployment of the flow, each night at two in Paris; its id."""
    program = f"""
from prefect.schedules import Cron
from flows.orchestration.sync_flow import sync
deployment = sync.to_deployment(
    "nightly",
    schedule=Cron("0 2 * * *", timezone="Europe/Paris"),
    parameters={{"source": "hr", "workspace": {str(workspace)!r}}},
)
print(deployment.apply())
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


@pytest.mark.timeout(400)
@pytest.mark.xdist_group("prefect")
def test_the_server_makes_a_run_for_each_of_the_coming_nights(
    prefect_env: dict[str, str], workspace: Workspace
):
    nightly = register_nightly(prefect_env, workspace.path)
    wanted = {
        "deployments": {"id": {"any_": [nightly]}},
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
    }
    filtered = f"{prefect_env['PREFECT_API_URL']}/flow_runs/filter"
    ends, made = time.monotonic() + 120, []
    while len(made) < 3 and time.monotonic() < ends:
        time.sleep(1)
        made = httpx.post(filtered, json=wanted).json()
    due = sorted(datetime.fromisoformat(run["expected_start_time"]) for run in made)
    assert len(due) >= 3, "the server's scheduler has made no runs of the schedule"
    in_paris = [moment.astimezone(ZoneInfo("Europe/Paris")) for moment in due]
    assert {(moment.hour, moment.minute) for moment in in_paris} == {(2, 0)}
    nights = [moment.date() for moment in in_paris]
    assert nights == [nights[0] + timedelta(days=number) for number in range(len(nights))]
    assert all(run["auto_scheduled"] and run["parameters"]["source"] == "hr" for run in made)


def names_and_permissions(workspace: Workspace) -> dict[str, list[str]]:
    return {
        one: [permission["name"] for permission in account["permissions"]]
        for one, account in workspace.accounts().items()
    }


def test_a_secret_block_is_fetched_and_one_that_is_not_there_is_one_line(prefect_env, tmp_path):
    program = """
from pathlib import Path
from prefect.blocks.system import Secret as PrefectSecret
from flows.run.secrets import to_resolver
from schemas.errors import ConfigError
from schemas.source_file.secrets import Secret
PrefectSecret(value="canary-4711").save("hr-password")
resolve = to_resolver(Path())
assert resolve(Secret(prefect="hr-password")).get_secret_value() == "canary-4711"
try:
    resolve(Secret(prefect="not-there"))
except ConfigError as error:
    print(error)
"""
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **prefect_env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == "the secret block not-there does not exist in Prefect"
