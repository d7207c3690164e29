"""An emulator of Snowflake on loopback, for as long as the tests last, as a pytest plugin.

fakesnow, which is DuckDB behind Snowflake's own protocol, does not install beside our connector: it
lives in an environment of its own, `.venv-emulators/`, made from `tests/emulators.lock`, with the
drivers that are too large for ours, and with what asks the sandbox whatever a contract allows.
`python -m tests.snowflake_emulator` makes it beforehand.
"""

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
_LOCK = _HERE / "emulators.lock"
_PROGRAM = _HERE / "snowflake_stand_in.py"
_LONGEST_START_S = 120


@pytest.fixture(scope="session")
def snowflake_port(emulators_python: Path) -> Iterator[int]:
    """The port of a server that lets anybody in and starts empty."""
    yield from _served(emulators_python)


@pytest.fixture(scope="session")
def emulators_python() -> Path:
    """The emulators' Python: without it a test is skipped, and fails under `CI`."""
    problem = ""
    try:
        return environment()
    except (subprocess.CalledProcessError, OSError) as error:
        problem = f"no environment for emulators and large drivers ({type(error).__name__})"
    if os.environ.get("CI"):
        pytest.fail(problem)
    pytest.skip(problem)


def environment() -> Path:
    """The emulators' Python; the environment is made where it is not what the lock says."""
    folder = _HERE.parent / ".venv-emulators"
    stamp = folder / hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:16]
    python = folder / "bin" / "python"
    if not stamp.exists():
        shutil.rmtree(folder, ignore_errors=True)
        # By our own pip: the one that Python brings takes twice as long.
        pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
        for command in (
            [sys.executable, "-m", "venv", "--without-pip", folder],
            [*pip, "install", "-q", "--no-deps", "--no-compile", "-r", _LOCK],
        ):
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        stamp.touch()
    return python


def _served(python: Path) -> Iterator[int]:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = int(one.getsockname()[1])
    run_as = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    server = subprocess.Popen([*run_as, python, _PROGRAM, str(port)], env=environ)
    try:
        _wait_until_up(port, server)
        yield port
    finally:
        server.terminate()
        server.wait()


def _wait_until_up(port: int, server: subprocess.Popen[bytes]) -> None:
    ends_at = time.monotonic() + _LONGEST_START_S
    while server.poll() is None and time.monotonic() < ends_at:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the emulator of Snowflake did not start: exit code {server.poll()}")


if __name__ == "__main__":
    environment()
