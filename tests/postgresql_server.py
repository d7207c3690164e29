"""A private PostgreSQL server on loopback, for as long as the tests last, as a pytest plugin."""

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

_LONGEST_START_S = 60


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The server's URL up to the database's name, for its superuser."""
    programs = _programs()
    # Not pytest's own folder: a server that was started as root runs as another user.
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        yield from _served(programs, home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def new_database(postgresql_server: str) -> Callable[[], str]:
    """Makes an empty database, and returns its URL."""

    def made() -> str:
        name = f"test_{os.getpid()}_{next(_NUMBERS)}"
        with psycopg.connect(f"{postgresql_server}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"{postgresql_server}/{name}"

    return made


_NUMBERS = itertools.count()


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    missing = [] if found else ["initdb (Debian: postgresql)"]
    missing += [] if shutil.which("setpriv") else ["setpriv (Debian: util-linux)"]
    if missing and os.environ.get("CI"):
        pytest.fail(f"missing: {', '.join(missing)}")
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}")
    return found[-1].parent


def _served(programs: Path, home: Path) -> Iterator[str]:
    run_as = ["setpriv", "--pdeathsig", "KILL"]
    if os.geteuid() == 0:
        shutil.chown(home, "postgres", "postgres")
        run_as += ["--reuid=postgres", "--regid=postgres", "--clear-groups"]
    init = ["-D", f"{home}/data", "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8"]
    subprocess.run([*run_as, programs / "initdb", *init], check=True, capture_output=True, cwd="/")
    port = _free_port()
    options = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": home,
        "fsync": "off",
        "full_page_writes": "off",
        "max_connections": 60,
    }
    given = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(
            [*run_as, programs / "postgres", "-D", f"{home}/data", *given],
            cwd="/",
            stdout=log,
            stderr=log,
        )
        try:
            url = f"postgresql://postgres@127.0.0.1:{port}"
            _wait_until_up(url, server)
            yield url
        finally:
            server.terminate()
            server.wait()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait_until_up(url: str, server: subprocess.Popen[bytes]) -> None:
    ends_at = time.monotonic() + _LONGEST_START_S
    while server.poll() is None and time.monotonic() < ends_at:
        try:
            psycopg.connect(f"{url}/postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start: exit code {server.poll()}")
