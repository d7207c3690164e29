"""A private MariaDB server on loopback, for as long as the tests last, as a pytest plugin."""

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pymysql
import pytest

_LONGEST_START_S = 60
_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[str]:
    """The server's SQLAlchemy URL up to the database's name, for its superuser without password."""
    programs = _programs()
    # Not pytest's own folder: a server that was started as root runs as another user.
    home = Path(tempfile.mkdtemp(prefix="maria-"))
    try:
        yield from _served(programs, home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def new_mariadb_database(mariadb_server: str) -> Callable[[], str]:
    """Makes an empty database (utf8mb4, binary collation), and returns its URL."""

    def made() -> str:
        name = f"test_{os.getpid()}_{next(_NUMBERS)}"
        with _connected(int(mariadb_server.rpartition(":")[2])) as connection:
            connection.cursor().execute(
                f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
            )
        return f"{mariadb_server}/{name}"

    return made


def _programs() -> dict[str, str]:
    path = f"{os.environ['PATH']}:/usr/sbin"
    debian = {
        "mariadbd": "mariadb-server",
        "mariadb-install-db": "mariadb-server",
        "setpriv": "util-linux",
    }
    found = {name: shutil.which(name, path=path) for name in debian}
    missing = [f"{name} (Debian: {debian[name]})" for name, where in found.items() if not where]
    if missing and os.environ.get("CI"):
        pytest.fail(f"missing: {', '.join(missing)}")
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}")
    return {name: where for name, where in found.items() if where}


def _served(programs: dict[str, str], home: Path) -> Iterator[str]:
    run_as = [programs["setpriv"], "--pdeathsig", "KILL"]
    if os.geteuid() == 0:
        shutil.chown(home, "mysql", "mysql")
        run_as += ["--reuid=mysql", "--regid=mysql", "--clear-groups"]
    where = ["--no-defaults", f"--datadir={home}/data"]
    fresh = ["--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run(
        [*run_as, programs["mariadb-install-db"], *where, *fresh],
        check=True,
        capture_output=True,
        cwd="/",
    )
    port = _free_port()
    options = {
        "bind-address": "127.0.0.1",
        "port": port,
        "socket": home / "socket",
        "pid-file": home / "pid",
        "innodb-flush-log-at-trx-commit": 0,
        "local-infile": 1,
        "max-allowed-packet": "64M",
        "character-set-server": "utf8mb4",
    }
    given = [f"--{name}={value}" for name, value in options.items()]
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(
            [*run_as, programs["mariadbd"], *where, *given], cwd="/", stdout=log, stderr=log
        )
        try:
            _wait_until_up(port, server)
            yield f"mysql+pymysql://root@127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def _connected(port: int) -> "pymysql.Connection[pymysql.cursors.Cursor]":
    return pymysql.connect(
        host="127.0.0.1", port=port, user="root", connect_timeout=2, autocommit=True
    )


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait_until_up(port: int, server: subprocess.Popen[bytes]) -> None:
    ends_at = time.monotonic() + _LONGEST_START_S
    while server.poll() is None and time.monotonic() < ends_at:
        try:
            _connected(port).close()
        except pymysql.err.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"MariaDB did not start: exit code {server.poll()}")
