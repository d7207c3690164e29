"""A private MariaDB server on loopback, for as long as the tests last, as a pytest plugin."""

import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pymysql
import pytest

_LONGEST_START_S = 60
_NUMBERS = itertools.count()


@dataclass
class MariadbServer:
    """A server of one's own, which can be killed and started again.

    Attributes:
        home: its folder: `data`, `log`, and the socket by which its superuser gets in.
        port: on 127.0.0.1.
        options: settings beside our own.
        process: the server.
    """

    programs: dict[str, str]
    home: Path
    port: int
    options: Mapping[str, object]
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """The SQLAlchemy URL up to the database's name, for the superuser without password."""
        return f"mysql+pymysql://root@127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """With a folder for temporary files that it shares with no other server.

        A server that starts removes the temporary tables it finds there.
        """
        return os.environ | {"TMPDIR": str(self.home)}

    def inside(self) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        """A connection of the superuser's through the socket."""
        return pymysql.connect(
            unix_socket=f"{self.home}/socket", user="root", connect_timeout=2, autocommit=True
        )

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        options = {
            "bind-address": "127.0.0.1",
            "port": self.port,
            "socket": self.home / "socket",
            "pid-file": self.home / "pid",
            "innodb-flush-log-at-trx-commit": 0,
            "local-infile": 1,
            "max-allowed-packet": "64M",
            "character-set-server": "utf8mb4",
            **self.options,
        }
        given = [f"--{name}={value}" for name, value in options.items()]
        where = ["--no-defaults", f"--datadir={self.home}/data"]
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*_run_as(self.programs), self.programs["mariadbd"], *where, *given],
                cwd="/",
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        _wait_until_up(self)

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the server, which is one process."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """Ends it at once, as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        (self.home / "socket").unlink()


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[str]:
    """The server's SQLAlchemy URL up to the database's name, for its superuser without password."""
    with running_mariadb() as server:
        yield server.url


@contextmanager
def running_mariadb(
    options: Mapping[str, object] | None = None, *, files: tuple[Path, ...] = ()
) -> Iterator[MariadbServer]:
    """A server of one's own.

    Args:
        options: settings beside our own; `{home}` in them stands for the server's folder.
        files: copied into its folder, readable for it alone.
    """
    programs = _programs()
    # Not pytest's own folder: a server that was started as root runs as another user.
    home = Path(tempfile.mkdtemp(prefix="maria-"))
    given = {name: str(value).format(home=home) for name, value in (options or {}).items()}
    server = MariadbServer(programs, home, _free_port(), given)
    try:
        for file in files:
            shutil.copyfile(file, home / file.name).chmod(0o600)
        if os.geteuid() == 0:
            for path in (home, *home.iterdir()):
                shutil.chown(path, "mysql", "mysql")
        fresh = ["--auth-root-authentication-method=normal", "--skip-test-db"]
        install = [programs["mariadb-install-db"], "--no-defaults", f"--datadir={home}/data"]
        made = subprocess.run(
            [*_run_as(programs), *install, *fresh],
            check=False,
            cwd="/",
            env=server.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if made.returncode:
            raise RuntimeError(f"MariaDB could not be set up: {made.stdout[:1000]}")
        server.start()
        yield server
        if server.process is not None and server.process.poll() not in {None, -signal.SIGKILL}:
            log = (home / "log").read_text(errors="replace")[-3000:]
            raise RuntimeError(f"MariaDB ended by itself: {server.process.returncode}: {log}")
    finally:
        if server.process is not None:
            server.process.terminate()
            server.process.wait()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def new_mariadb_database(mariadb_server: str) -> Callable[[], str]:
    """Makes an empty database (utf8mb4, binary collation), and returns its URL."""

    def made() -> str:
        name = f"test_{os.getpid()}_{next(_NUMBERS)}"
        port = int(mariadb_server.rpartition(":")[2])
        with pymysql.connect(host="127.0.0.1", port=port, user="root") as connection:
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


def _run_as(programs: dict[str, str]) -> list[str]:
    run_as = [programs["setpriv"], "--pdeathsig", "KILL"]
    if os.geteuid() == 0:
        run_as += ["--reuid=mysql", "--regid=mysql", "--clear-groups"]
    return run_as


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait_until_up(server: MariadbServer) -> None:
    assert server.process is not None
    ends_at = time.monotonic() + _LONGEST_START_S
    while server.process.poll() is None and time.monotonic() < ends_at:
        # PyMySQL leaves a socket of its own open where nobody listens.
        if (server.home / "socket").exists():
            server.inside().close()
            return
        time.sleep(0.05)
    log = (server.home / "log").read_text(errors="replace")[-1000:]
    raise RuntimeError(f"MariaDB did not start: exit code {server.process.poll()}: {log}")
