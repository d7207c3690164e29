"""How the sandbox is served from a command, and what its page gives away."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator

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
        assert httpx.get(f"{url}/info").status_code == 200
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "ended\n", "")


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
