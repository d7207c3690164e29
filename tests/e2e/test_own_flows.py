"""The guide for flows of one's own, word for word: its reader, its source file, its flow."""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from prefect_server import die_with_parent
from terminal import SOURCE as CSV_SOURCE
from terminal import Workspace, rows

from sandbox.server import Sandbox

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "own-flows.md").read_text("utf-8")
READER, FLOW = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
[SOURCE] = re.findall(r"^```yaml\n(app:.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
URL = "https://hr.example.com/api/people"
TOKEN = "canary-sesame"
SEVEN = [
    {"id": f"{number:05}", "email": f"user{number}@example.com", "state": state}
    for number, state in enumerate(["active"] * 5 + ["left", "joiner"], 1)
]

Get = Callable[[str, str | None], tuple[int, dict[str, Any]]]
"""What an API answers to (path, Authorization): status and JSON."""


@contextmanager
def running_api(get: Get) -> Iterator[str]:
    """An HTTP server on loopback that answers as `get` says; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, answer = get(self.path, self.headers["Authorization"])
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@contextmanager
def running_hr(people: list[dict[str, str]], total: int | None = None) -> Iterator[str]:
    """The HR system of the guide, three people a page; it says that there are `total`."""
    addresses: list[str] = []

    def page(path: str, authorization: str | None) -> tuple[int, dict[str, Any]]:
        if authorization != f"Bearer {TOKEN}":
            return 401, {}
        start = int(path.rpartition("=")[2]) if "=" in path else 0
        more = f"{addresses[0]}/api/people?from={start + 3}" if start + 3 < len(people) else None
        told = len(people) if total is None else total
        return 200, {"people": people[start : start + 3], "next": more, "total": told}

    with running_api(page) as address:
        addresses.append(address)
        yield f"{address}/api/people"


def laid_out(folder: Path, sandbox: Sandbox, url: str, more: str = "") -> Workspace:
    """A workspace with the files of the guide; `more` are lines of its source file."""
    workspace = Workspace(folder, sandbox)
    (folder / "pipelines").mkdir()
    (folder / "pipelines" / "people.py").write_text(READER, "utf-8")
    (folder / "pipelines" / "nightly.py").write_text(FLOW, "utf-8")
    settings = {
        "LUMOS_API_URL": sandbox.url,
        "LUMOS_API_TOKEN": sandbox.token,
        "HR_TOKEN": TOKEN,
    }
    lines = (f"{name}={value}\n" for name, value in settings.items())
    (folder / ".env").write_text("".join(lines), "utf-8")
    workspace.source(SOURCE.replace(URL, url) + more, "people")
    return workspace


def test_the_examples_are_short():
    assert [len(code.splitlines()) <= 30 for code in (READER, FLOW)] == [True, True]


WRONG = """
from lumos_ingest import Outcome, ReadRequest, open_workspace, raw_of, sync

with open_workspace("work") as workspace:
    text: str = sync(workspace.source("hr"), workspace)  # it is an Outcome
    sync("hr", workspace)  # a Source is wanted
    sync(workspace.source("hr"), workspace, transform=len)  # it returns no frame
raw_of(accounts=[{"id": "a"}], proof="all")  # no frame
def read(request: ReadRequest) -> str:
    return request.state.marks["until"]  # it may be None
"""


def test_the_types_of_what_others_import_are_known_to_mypy(tmp_path: Path):
    for name, code in (("people", READER), ("nightly", FLOW), ("wrong", WRONG)):
        (tmp_path / f"{name}.py").write_text(code, "utf-8")
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = True\n", "utf-8")
    cache = ROOT / ".mypy_cache" / "others"
    said = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", cache, "people.py", "nightly.py", "wrong.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip
    problems = re.findall(r"^(\w+\.py:\d+): error: .*\[([\w-]+)\]$", said.stdout, re.MULTILINE)
    assert problems == [
        ("wrong.py:5", "assignment"),
        ("wrong.py:6", "arg-type"),
        ("wrong.py:7", "arg-type"),
        ("wrong.py:8", "arg-type"),
        ("wrong.py:10", "union-attr"),
    ], said.stdout + said.stderr


def test_the_reader_of_the_guide_brings_people_to_lumos(tmp_path: Path, sandbox: Sandbox):
    with running_hr(SEVEN[:6]) as url:
        workspace = laid_out(tmp_path, sandbox, url)
        checked = workspace.run("check", "people")
        assert checked.code == 0, checked.err
        assert "accounts: pipelines.people:read_people, is there; only a read" in checked.out
        done = workspace.run("sync", "people")
    assert done.code == 0, done.err
    assert "read 6 of 6 people, 2 pages" in done.err
    accounts = workspace.accounts()
    assert accounts["00001"]["email"] == "user1@example.com"
    assert {one: account["status"] for one, account in accounts.items()} == {
        **{f"0000{number}": "ACTIVE" for number in range(1, 6)},
        "00006": "DEPROVISIONED",
    }


FEW = "lumos-ingest: people: 6 of 8 people came: try again later"
REFUSED = (
    "lumos-ingest: people: sources/people.yaml:4: source.read: pipelines.people:read_people raised "
    "HTTPStatusError at pipelines/people.py:16; its text is not shown, for it may quote a row"
)


@pytest.mark.parametrize(
    ("total", "token", "said"), [(8, TOKEN, FEW), (6, "another", REFUSED)], ids=["few", "refused"]
)
def test_what_goes_wrong_in_the_reader_is_one_line(
    tmp_path: Path, sandbox: Sandbox, total: int, token: str, said: str
):
    with running_hr(SEVEN[:6], total) as url:
        workspace = laid_out(tmp_path, sandbox, url)
        answer = workspace.run("sync", "people", env={"HR_TOKEN": token})
    assert answer.code == 1
    assert [line for line in answer.err.splitlines() if line.startswith("lumos-ingest:")] == [said]
    assert "Traceback" not in answer.err + answer.out
    assert token not in answer.err + answer.out
    assert workspace.stats()["uploads"] == 0


def test_a_reader_goes_on_from_what_the_accepted_read_left(tmp_path: Path, sandbox: Sandbox):
    workspace = laid_out(tmp_path, sandbox, URL)
    (tmp_path / "pipelines" / "people.py").write_text(
        "import polars as pl\n"
        "from lumos_ingest import ReaderState, raw_of\n"
        "def read_people(request):\n"
        "    before = int(request.state.marks['reads']) if request.state else 0\n"
        "    ids = [f'p{number}' for number in range(before + 5)]\n"
        "    frame = pl.DataFrame({'id': ids, 'email': [f'{one}@example.com' for one in ids],\n"
        "        'state': 'active'})\n"
        "    state = ReaderState({'reads': str(before + 1)}, {'rows': frame})\n"
        "    return raw_of(accounts=frame, proof='all of them', state=state)\n",
        "utf-8",
    )
    assert workspace.run("preview", "people").code == 0
    for count in (5, 6, 7):
        assert workspace.run("sync", "people").code == 0
        assert len(workspace.accounts()) == count


def test_rows_that_a_transform_drops_are_in_the_report(tmp_path: Path, sandbox: Sandbox):
    more = "transform: pipelines.changing:without_joiners\n"
    with running_hr(SEVEN) as url:
        workspace = laid_out(tmp_path, sandbox, url, more)
        (tmp_path / "pipelines" / "changing.py").write_text(
            "import polars as pl\n"
            "def without_joiners(rows):\n"
            "    return rows.filter(pl.col('state') != 'joiner')\n",
            "utf-8",
        )
        assert "without_joiners changes the rows" in workspace.run("check", "people").out
        said = "accounts: the transform pipelines.changing:without_joiners dropped 1 of 7 rows"
        shown = workspace.run("preview", "people")
        assert f"note: {said}" in shown.out
        lines = [line for line in shown.out.splitlines() if line.startswith("accounts  ")]
        read, changes = (line.split()[1:] for line in lines)
        assert (read, changes) == (["7", "1", "0", "0", "0"], ["0", "6", "6", "0", "0"])
        assert (
            "| accounts | 0 | 6 | 6 | 0 | 0 | 1 | 0 | 0 |"
            in workspace.run("preview", "people", "--markdown").out
        )
        done = workspace.run("sync", "people", "--json")
    assert done.code == 0, done.err
    assert f"WARNING people: {said}" in done.err
    [run] = done.document["sources"]
    assert run["warnings"] == [said]
    [kept] = workspace.run("runs", "--json").document
    counts = {fate: kept["counts"][f"accounts_{fate}"] for fate in ("read", "dropped", "accepted")}
    assert counts == {"read": 7, "dropped": 1, "accepted": 6}


def test_a_transform_of_an_export_makes_columns_that_the_file_maps(
    workspace: Workspace, tmp_path: Path
):
    text = "def renamed(rows):\n    return rows.rename({'id': 'number'})\n"
    (tmp_path / "changing.py").write_text(text, "utf-8")
    mapped = CSV_SOURCE.replace("integration_specific_id: id", "integration_specific_id: number")
    workspace.source(f"transform: changing:renamed\n{mapped}guards: {{max_rejected_rows: 1}}\n")
    workspace.export(*rows(3), "a0004,too,few")
    assert workspace.run("check", "hr").code == 0
    done = workspace.run("sync", "hr", "--json")
    assert done.code == 0, done.err
    assert sorted(workspace.accounts()) == ["a0001", "a0002", "a0003"]
    [run] = done.document["sources"]
    assert (run["counts"]["accounts_read"], run["counts"]["accounts_rejected"]) == (4, 1)


# On a real Prefect server.


def flow_run(env: dict[str, str], name: str) -> Callable[[], dict[str, Any]]:
    """Asks for a run of a deployment once it is there; returns what tells the run."""
    api = env["PREFECT_API_URL"]
    deployment: dict[str, Any] = waited_for(
        lambda: httpx.get(f"{api}/deployments/name/nightly/{name}", timeout=60).json(),
        lambda found: "id" in found,
    )
    [schedule] = deployment["schedules"]
    assert (schedule["active"], schedule["schedule"]["cron"]) == (True, "0 2 * * *")
    url = f"{api}/deployments/{deployment['id']}/create_flow_run"
    # A server whose SQLite is busy answers 503.
    once = {"idempotency_key": name}
    asked = waited_for(lambda: httpx.post(url, json=once, timeout=60), lambda one: one.is_success)
    run_id = asked.json()["id"]
    return lambda: httpx.get(f"{api}/flow_runs/{run_id}", timeout=60).json()


def waited_for(ask: Callable[[], Any], is_it: Callable[[Any], bool]) -> Any:
    ends = time.monotonic() + 180
    while time.monotonic() < ends:
        found = ask()
        if is_it(found):
            return found
        time.sleep(0.5)
    raise AssertionError(f"it never came to be: {found}")


def is_over(run: dict[str, Any]) -> bool:
    return run.get("state_type") in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


def commands_of(guide: str) -> list[list[str]]:
    """The commands that the guide types, `prefect` and `python` as those of this environment."""
    lines = re.findall(r"^\$ (prefect|python) (.*)$", guide, re.MULTILINE)
    before = {"prefect": [sys.executable, "-m", "prefect"], "python": [sys.executable]}
    return [[*before[program], *shlex.split(words)] for program, words in lines]


@pytest.mark.timeout(600)
@pytest.mark.xdist_group("prefect")
def test_the_flow_of_the_guide_is_served_and_deployed(
    tmp_path: Path, sandbox: Sandbox, prefect_env: dict[str, str]
):
    serve, make_pool, deploy, work = commands_of(GUIDE)
    env = {**os.environ, **prefect_env}
    with running_hr(SEVEN) as url:
        workspace = laid_out(tmp_path, sandbox, url)
        serving = subprocess.Popen(
            serve, cwd=tmp_path, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent,
        )  # fmt: skip
        try:
            tell = flow_run(prefect_env, "served")
            served = waited_for(tell, is_over)
        finally:
            serving.terminate()
            serving.wait(60)
        assert served["state_type"] == "COMPLETED", served["state"]
        assert sorted(workspace.accounts()) == [f"0000{number}" for number in range(1, 7)]
        for command in (make_pool, deploy):
            subprocess.run(command, cwd=tmp_path, env=env, check=True, capture_output=True)
        tell = flow_run(prefect_env, "deployed")
        subprocess.run(
            [*work, "--run-once"], cwd=tmp_path, env=env, check=True, capture_output=True,
            timeout=180,
        )  # fmt: skip
        deployed = waited_for(tell, is_over)
    assert deployed["state_type"] == "COMPLETED", deployed["state"]
    runs = workspace.run("runs", "--json").document
    assert [(run["state"], run["counts"]["accounts_dropped"]) for run in runs] == [("done", 1)] * 2
