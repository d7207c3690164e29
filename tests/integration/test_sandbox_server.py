"""How the sandbox is served from a command, and what its page gives away."""

import asyncio
import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import httpx
import pytest

from sandbox.app import create_app
from sandbox.server import Sandbox, running_sandbox, serve

SERVE = """
from sandbox.app import create_app
from sandbox.server import serve
serve("127.0.0.1", 0, create_app(), up=lambda url: print(url, flush=True))
print("ended", flush=True)
"""


STOPS = Path(__file__).parent / "sandbox_stops.py"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(token="lsk_do_not_show") as sandbox:
        yield sandbox


def test_ctrl_c_ends_the_sandbox_without_a_trace() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SERVE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert httpx.get(f"{url}/info", timeout=60).status_code == 200
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out, err) == (0, "ended\n", "")


def test_a_sandbox_stops_a_hundred_times_under_requests() -> None:
    ended = subprocess.run(
        [sys.executable, "-X", "faulthandler", STOPS],
        check=False,
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    answers = json.loads(ended.stdout)
    assert set(answers) == {"200", "503 The sandbox has stopped"}
    assert sum(answers.values()) == 400


def test_a_request_after_the_end_is_refused_as_the_api_refuses() -> None:
    app = create_app(token="lsk")

    async def ask_late() -> httpx.Response:
        async with app.router.lifespan_context(app):
            pass
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
            return await client.get("/apps", headers={"Authorization": "Bearer lsk"})

    answer = asyncio.run(ask_late())
    assert answer.status_code == 503
    assert answer.json() == {
        "detail": "The sandbox has stopped",
        "type": "runtime",
        "code": "stopped",
        "errors": [],
    }


def test_requests_that_outlast_a_stop_are_refused_without_a_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    may_end, is_busy = threading.Event(), threading.Event()

    def keep_busy(sandbox: Sandbox) -> None:
        with sandbox.app.state.store.current():
            is_busy.set()
            may_end.wait(120)

    def ask(sandbox: Sandbox) -> httpx.Response:
        headers = {"Authorization": f"Bearer {sandbox.token}"}
        return httpx.get(f"{sandbox.url}/apps", headers=headers, timeout=120)

    with ThreadPoolExecutor(4) as threads:
        with running_sandbox() as sandbox:
            threads.submit(keep_busy, sandbox)
            is_busy.wait(60)
            answers = [threads.submit(ask, sandbox) for _ in range(2)]
            threads.submit(lambda: (wait(answers), may_end.set()))
            while sandbox.app.state.traffic.requests.total() < len(answers):
                time.sleep(0.02)
        assert [answer.result().status_code for answer in answers] == [503, 503]
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


def test_a_taken_port_and_a_foreign_host_are_errors_of_the_caller(sandbox: Sandbox) -> None:
    port = httpx.URL(sandbox.url).port or 0
    with pytest.raises(OSError, match="in use"):
        serve("127.0.0.1", port, create_app())
    with pytest.raises(OSError, match="assign"):
        serve("192.0.2.1", 0, create_app())


def test_the_page_needs_nothing_from_elsewhere_and_runs_only_its_own_script(
    sandbox: Sandbox,
) -> None:
    page = httpx.get(sandbox.url)
    assert page.status_code == 200
    assert "sandbox: a local stand-in, not Lumos" in page.text
    assert not re.search(r"""https?://|(src|href)=["'](?!data:)""", page.text)
    assert "innerHTML" not in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'sha256-" in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]


@pytest.mark.parametrize(
    "path", ["", "/sandbox/state", "/sandbox/accounts", "/sandbox/activity", "/sandbox/stats"]
)
def test_the_page_needs_no_token_and_shows_none(sandbox: Sandbox, path: str) -> None:
    answer = httpx.get(sandbox.url + path)
    assert answer.status_code == 200
    assert sandbox.token not in answer.text + str(answer.headers)


def test_each_sandbox_without_a_file_has_a_database_of_its_own() -> None:
    body = {"name": "HR", "category": "Other", "description": "x"}
    with running_sandbox() as one, running_sandbox() as other:
        headers = {"Authorization": f"Bearer {one.token}"}
        httpx.post(f"{one.url}/apps", json=body, headers=headers)
        totals = [httpx.get(f"{s.url}/apps", headers=headers).json()["total"] for s in (one, other)]
    assert totals == [1, 0]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", ""]
)
def test_on_loopback_no_other_host_is_answered(sandbox: Sandbox, host: str) -> None:
    for path in ("/", "/sandbox/state", "/info"):
        answer = httpx.get(f"{sandbox.url}{path}", headers={"Host": host}, timeout=60)
        assert answer.status_code in {400, 421}
        assert "accounts" not in answer.text


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8765", "127.1.2.3"]
)
def test_on_loopback_its_own_names_are_answered(sandbox: Sandbox, host: str) -> None:
    answer = httpx.get(f"{sandbox.url}/info", headers={"Host": host}, timeout=60)
    assert answer.status_code == 200


def test_on_another_address_any_host_is_answered_and_the_command_warns() -> None:
    words = ["sandbox", "--host", "0.0.0.0", "--port", "0", "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "lumos_ingest", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "}\n")
        url = json.loads("".join([*lines, "}"]))["url"].replace("0.0.0.0", "127.0.0.1")
        answer = httpx.get(f"{url}/info", headers={"Host": "sandbox.example"}, timeout=60)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    assert answer.status_code == 200
    assert "0.0.0.0 is not loopback" in err
