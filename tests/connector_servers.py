"""A real connector of Lumos's SDK, over HTTP on loopback or as a command.

The SDK is no part of the project's own environment: it lives in one of its own, `.venv-connector/`,
made from `tests/connector.lock`; `python -m tests.connector_servers` makes it beforehand.
"""

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HERE = Path(__file__).parent
_LOCK = _HERE / "connector.lock"
PROGRAM = _HERE / "connector_services" / "library_connector.py"
TOKEN = "canary-token-4711"
_LONGEST_START_S = 90


def connector_python() -> Path:
    """The connectors' Python; the environment is made where it is not what the lock says."""
    folder = _HERE.parent / ".venv-connector"
    stamp = folder / hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:16]
    python = folder / "bin" / "python"
    if not stamp.exists():
        shutil.rmtree(folder, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
        for command in (
            [sys.executable, "-m", "venv", "--without-pip", folder],
            [*pip, "install", "-q", "--no-deps", "--no-compile", "-r", _LOCK],
        ):
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        stamp.touch()
    return python


def connector_command() -> list[str]:
    """The connector as a command, but for the capability."""
    return [str(connector_python()), str(PROGRAM)]


@contextmanager
def running_connector(folder: Path) -> Iterator[str]:
    """Serves the connector; what it logs lies in `folder`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = {"DD_DOGSTATSD_DISABLE": "true", "LUMOS_LOG_DIRECTORY": str(folder)}
    environ = {**os.environ, **quiet}
    run_as = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
    words = [*run_as, *connector_command(), "dev", "http-server", "--port", str(port)]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(words, env=environ, cwd=folder, stdout=log, stderr=log)
    try:
        _wait_until_up(port, server, folder / "server.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _wait_until_up(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    ends_at = time.monotonic() + _LONGEST_START_S
    while server.poll() is None and time.monotonic() < ends_at:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the connector did not start: {server.poll()}: {log.read_text()[-500:]}")


if __name__ == "__main__":
    connector_python()
