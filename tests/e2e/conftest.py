"""A sandbox of its own for every test, a workspace with one source; a Prefect server a module."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from terminal import Workspace

from sandbox.server import Sandbox, running_sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(job_seconds=0.02) as sandbox:
        yield sandbox


@pytest.fixture
def workspace(tmp_path: Path, sandbox: Sandbox) -> Workspace:
    made = Workspace(tmp_path, sandbox)
    made.source()
    return made


def die_with_parent() -> None:
    """A server that outlives a killed test run would hold its port and its folder."""
    import ctypes

    ctypes.CDLL("libc.so.6").prctl(1, signal.SIGKILL)


@pytest.fixture(scope="module")
def prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture(scope="module")
def prefect_env(prefect_home: Path) -> Iterator[dict[str, str]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_HOME": str(prefect_home),
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
    }
    words = ["-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(
        [sys.executable, *words],
        env={**os.environ, **env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent,
    )
    try:
        wait_until_healthy(f"{env['PREFECT_API_URL']}/health", server)
        yield env
    finally:
        server.terminate()
        server.wait(30)


def wait_until_healthy(url: str, server: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + 150
    while time.monotonic() < ends:
        assert server.poll() is None, "the Prefect server ended by itself"
        try:
            if httpx.get(url, timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.5)
    raise AssertionError("the Prefect server did not come up")
