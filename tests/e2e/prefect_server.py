"""A Prefect server of a test's own, on loopback."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx


def die_with_parent() -> None:
    """A server that outlives a killed test run would hold its port and its folder."""
    import ctypes

    ctypes.CDLL("libc.so.6").prctl(1, signal.SIGKILL)


def client_env(home: Path) -> dict[str, str]:
    """The environment of a server that keeps its data in `home`, and of its clients."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return {
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
    }


def start_prefect(env: dict[str, str]) -> subprocess.Popen[bytes]:
    """Starts a server there, and waits until it answers."""
    port = env["PREFECT_SERVER_API_PORT"]
    words = ["-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", port]
    server = subprocess.Popen(
        [sys.executable, *words],
        env={**os.environ, **env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent,
    )
    wait_until_healthy(f"{env['PREFECT_API_URL']}/health", server)
    return server


@contextmanager
def running_prefect(home: Path) -> Iterator[dict[str, str]]:
    """A server that keeps its data in `home`; the environment of its clients."""
    env = client_env(home)
    server = start_prefect(env)
    try:
        yield env
    finally:
        server.terminate()
        server.wait(120)


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
