"""Real SCIM services on loopback: scim2-server, scimmy on two Express, django-scim2.

They live in the emulators' environment (`tests/emulators.lock`), and what npm installs by the lock
files in `tests/scim_services/` lies there, too: `tests.npm_packages`.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.npm_packages import node, npm_packages

_HERE = Path(__file__).parent / "scim_services"
_LONGEST_START_S = 60
TOKEN = "reader-token"


@dataclass(frozen=True)
class ScimServer:
    """A service that is up.

    Attributes:
        url: its base.
        token: its bearer token.
    """

    url: str
    token: str = TOKEN

    def ask(self, method: str, path: str, document: Any = None) -> Any:
        """Sends a request, and returns the document of the answer."""
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = httpx.request(
            method, f"{self.url}{path}", json=document, headers=headers, timeout=30
        )
        assert answer.is_success, (answer.status_code, answer.text[:300])
        return answer.json() if answer.content else None


def node_programs() -> tuple[Path, dict[str, Path]]:
    """Node, and the folder of each set of packages with the programs in it."""
    folders = {}
    for lock in sorted(_HERE.glob("*/package-lock.json")):
        folder = npm_packages(lock)
        for program in _HERE.glob("*.mjs"):
            shutil.copy(program, folder)
        folders[lock.parent.name] = folder
    return node(), folders


def _python() -> Path:
    from tests.snowflake_emulator import environment  # a plugin is not imported before it is one

    return environment()


@contextmanager
def running_scim(name: str, options: tuple[str, ...], folder: Path) -> Iterator[ScimServer]:
    """Serves `scim2-server`, `express4`, `express5` or `django-scim2`, on a free port."""
    python = _python()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    if name == "scim2-server":
        program = [python.parent / name, "--hostname", "127.0.0.1", "--port", port]
        command, base = [*program, "--bearer-token", TOKEN, *options], "/v2"
    elif name == "django-scim2":
        users, *more = options
        command = [python, _HERE / "serve_django.py", port, users, folder, *more]
        base = "/scim/v2"
    else:
        program, folders = node_programs()
        command, base = (
            [program, folders[name] / "serve_scimmy.mjs", port, *options, TOKEN],
            "/scim",
        )
    run_as = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([*run_as, *command], env=environ, stdout=log, stderr=log)
    try:
        _wait_until_up(int(port), server, folder / "log")
        yield ScimServer(f"http://127.0.0.1:{port}{base}")
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
    raise RuntimeError(f"the service did not start: {server.poll()}: {log.read_text()[-500:]}")
