"""A workspace that is deployed to a real Prefect server, its workers, and what can be killed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect_server import client_env, die_with_parent, start_prefect
from terminal import Said, Workspace, rows

from loaders.ledger.leases import holdings
from loaders.ledger.ledger import open_ledger
from sandbox.server import running_sandbox

OURS = {"nightly", "watchdog", "decide"}
"""The flows that are of no source."""

TWO = "0 2 * * *"
_HELD_S = 36_000.0


def key_of(flow: str, name: str) -> str:
    """A deployment as tests name it: the source of a sync, else its flow."""
    return flow if flow in OURS else name if flow == "sync" else f"{flow}/{name}"


def source(name: str, cron: str = TWO, more: str = "") -> str:
    return (
        f"app: {{name: App {name}, create: {{category: HR & Learning, description: Internal}}}}\n"
        "source: {kind: csv, accounts: exports/hr.csv}\n"
        "columns: {integration_specific_id: id, email: email, user_status: state}\n"
        "upload: {poll: {every: 0.2s, at_most_every: 2s}}\n"
        f'schedule: {{cron: "{cron}", timezone: Etc/UTC}}\n{more}'
    )


class PrefectServer:
    """A Prefect server that may be killed and started again; its API."""

    def __init__(self, home: Path) -> None:
        self.env = client_env(home)
        self.process = start_prefect(self.env)

    def restart(self) -> None:
        self.process.kill()
        self.process.wait(60)
        self.process = start_prefect(self.env)

    def ask(self, path: str, body: object = None) -> Any:
        url = f"{self.env['PREFECT_API_URL']}/{path}"
        method = "GET" if body is None else "POST"
        for _ in range(20):
            answer = httpx.request(method, url, json=body, timeout=60)
            if answer.status_code != 503:  # which a server says whose SQLite is busy
                break
            time.sleep(1)
        assert answer.is_success, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    made = PrefectServer(tmp_path_factory.mktemp("prefect"))
    try:
        yield made
    finally:
        made.process.terminate()
        made.process.wait(120)


class Deployed:
    """A workspace, what a server has of it, and the ledger that its workers share."""

    def __init__(self, workspace: Workspace, server: PrefectServer, ledger: str) -> None:
        self.workspace = workspace
        self.server = server
        self.ledger = ledger
        self.env = server.env | {
            "LUMOS_API_URL": workspace.sandbox.url,
            "LUMOS_API_TOKEN": workspace.sandbox.token,
            "LUMOS_INGEST_LEDGER": ledger,
        }

    def type(self, *words: str) -> Said:
        """Types `lumos-ingest WORDS` in this process."""
        from prefect.settings import PREFECT_API_URL, temporary_settings

        with temporary_settings({PREFECT_API_URL: self.env["PREFECT_API_URL"]}):
            return self.workspace.run(*words, env=self.env)

    def edit(self, old: str, new: str) -> None:
        path = self.workspace.path / "prefect.yaml"
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")

    def deployments(self) -> dict[str, dict[str, Any]]:
        """The workspace's, by name; of those of no source, the flow is theirs."""
        flows = {one["id"]: one["name"] for one in self.server.ask("flows/filter", {})}
        return {
            key_of(flows[one["flow_id"]], one["name"]): one
            for one in self.server.ask("deployments/filter", {})
            if one["parameters"].get("workspace") == str(self.workspace.path)
        }

    def schedules(self) -> dict[str, list[tuple[str, str]]]:
        return {
            name: [(one["schedule"]["cron"], one["slug"]) for one in deployment["schedules"]]
            for name, deployment in self.deployments().items()
        }

    def begin(self, flow: str, **parameters: object) -> str:
        """Asks for a run of the workspace's `nightly` or `watchdog`; its id."""
        made = self.deployments()[flow]["id"]
        asked = {"parameters": parameters}
        return str(self.server.ask(f"deployments/{made}/create_flow_run", asked)["id"])

    def state(self, run_id: str) -> str:
        return str(self.server.ask(f"flow_runs/{run_id}")["state_type"])

    def states(self) -> dict[str, list[str]]:
        """The states of each deployment's runs that have begun, the first one first."""
        names = {one["id"]: name for name, one in self.deployments().items()}
        found: dict[str, list[str]] = {}
        for run in self.server.ask("flow_runs/filter", {"sort": "START_TIME_ASC"}):
            if run["start_time"] and run["deployment_id"] in names:
                found.setdefault(names[run["deployment_id"]], []).append(run["state_type"])
        return found

    def processes(self) -> dict[str, int]:
        """The processes of the flow runs that are at work, by deployment, as their leases tell."""
        names = {one["id"]: name for name, one in self.deployments().items()}
        with open_ledger(self.ledger) as ledger:
            held = holdings(ledger, "flow run ", datetime.now(UTC))
        pids = {one.key.removeprefix("flow run "): one.holder.pid for one in held if one.is_alive}
        runs = self.server.ask("flow_runs/filter", {"flow_runs": {"id": {"any_": list(pids)}}})
        # The worker also has what another test deployed to this server.
        ours = [run for run in runs if run["deployment_id"] in names]
        return {names[run["deployment_id"]]: pids[run["id"]] for run in ours}

    def hold_jobs(self) -> None:
        """Has Lumos be at work on whatever is uploaded, until `let_jobs_end`."""
        self.workspace.sandbox.app.state.store.job_seconds = _HELD_S

    def let_jobs_end(self) -> None:
        """Ends the jobs that are under way, and has later ones end soon."""
        store = self.workspace.sandbox.app.state.store
        store.job_seconds, clock = 0.5, store.clock
        store.clock = lambda: clock() + _HELD_S

    def waiting(self, names: set[str]) -> dict[str, int]:
        """Their processes, once each of the sources has sent its upload and waits for the job."""

        def are_sent() -> dict[str, int]:
            states, pids = self.ledger_states(names), self.processes()
            is_so = all("submitted" in states.get(name, ()) and name in pids for name in names)
            return pids if is_so else {}

        return until(are_sent)

    def ledger_states(self, names: set[str]) -> dict[str, set[str]]:
        """The states of the runs of each source of this workspace."""
        found: dict[str, set[str]] = {}
        with open_ledger(self.ledger) as ledger:
            for run in (run for name in sorted(names) for run in ledger.runs(name)):
                found.setdefault(run.source, set()).add(run.state)
        return found


@pytest.fixture
def deployed(
    tmp_path: Path, server: PrefectServer, new_database: Callable[[], str]
) -> Iterator[Deployed]:
    with running_sandbox() as sandbox:
        workspace = Workspace(tmp_path, sandbox)
        workspace.export(*rows(3))
        yield Deployed(workspace, server, new_database())


def until(is_it: Callable[[], Any], seconds: float = 300) -> Any:
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        if found := is_it():
            return found
        time.sleep(0.5)
    raise AssertionError("it never came to be")


@contextmanager
def worker(deployed: Deployed, name: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "lumos", "-n", name]
    with (deployed.workspace.path / f"{name}.txt").open("wb") as said:
        child = subprocess.Popen(
            command, env={**os.environ, **deployed.env}, stdout=said, stderr=said,
            preexec_fn=die_with_parent,
        )  # fmt: skip
        try:
            yield child
        finally:
            child.kill()
            child.wait(60)


def deploy_for_soon(deployed: Deployed, names: set[str]) -> None:
    """Deploys the sources, due within two minutes; anew where a busy machine took too long."""
    soon, margin_s = datetime.now(UTC), 95
    while datetime.now(UTC) >= soon:
        soon = (datetime.now(UTC) + timedelta(seconds=margin_s)).replace(second=0, microsecond=0)
        margin_s += 60
        for name in names:
            deployed.workspace.source(source(name, f"{soon.minute} {soon.hour} * * *"), name)
        assert deployed.type("deploy").code == 0
