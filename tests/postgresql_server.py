"""A private PostgreSQL server on loopback, for as long as the tests last, as a pytest plugin."""

import contextlib
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
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

_LONGEST_START_S = 60


@dataclass
class PostgresqlServer:
    """A server of one's own, which can be killed and started again.

    Attributes:
        home: its folder: `data`, `log`, and the socket by which its superuser gets in.
        port: on 127.0.0.1.
        options: settings beside our own.
        environment: variables beside our own.
        process: the postmaster.
    """

    programs: Path
    home: Path
    port: int
    options: Mapping[str, object]
    environment: Mapping[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """The URL up to the database's name, for the superuser."""
        return f"postgresql://postgres@127.0.0.1:{self.port}"

    @property
    def inside(self) -> str:
        """The connection string of the superuser through the socket, whatever `pg_hba` says."""
        return f"host={self.home} port={self.port} user=postgres dbname=postgres"

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.home,
            "fsync": "off",
            "full_page_writes": "off",
            "max_connections": 60,
            **self.options,
        }
        given = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*run_as(), self.programs / "postgres", "-D", f"{self.home}/data", *given],
                cwd="/",
                env={**os.environ, **self.environment},
                stdout=log,
                stderr=log,
            )
        _wait_until_up(self)

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the postmaster and every one of its processes."""
        assert self.process is not None
        parent = self.process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        for pid in (parent, *map(int, children)):
            # One of its helpers may have ended meanwhile.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self) -> None:
        """Ends all of it at once, as a power cut would."""
        assert self.process is not None
        self.signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The server's URL up to the database's name, for its superuser."""
    with running_postgresql() as server:
        yield server.url


@contextmanager
def running_postgresql(
    options: Mapping[str, object] | None = None,
    *,
    hba: str = "",
    files: tuple[Path, ...] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[PostgresqlServer]:
    """A server of one's own.

    Args:
        options: settings beside our own.
        hba: who may log in from where and how; empty lets everyone in.
        files: copied into its folder `data`, readable for it alone.
        environment: variables beside our own.
    """
    programs = _programs()
    # Not pytest's own folder: a server that was started as root runs as another user.
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    server = PostgresqlServer(programs, home, free_port(), options or {}, environment or {})
    try:
        if os.geteuid() == 0:
            shutil.chown(home, "postgres", "postgres")
        init = ["-D", f"{home}/data", "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8"]
        initdb = [*run_as(), programs / "initdb", *init]
        subprocess.run(initdb, check=True, capture_output=True, cwd="/")
        for file in files:
            copy = shutil.copyfile(file, home / "data" / file.name)
            copy.chmod(0o600)
            if os.geteuid() == 0:
                shutil.chown(copy, "postgres", "postgres")
        if hba:
            (home / "data" / "pg_hba.conf").write_text(f"local all postgres trust\n{hba}")
        server.start()
        yield server
    finally:
        if server.process is not None:
            server.process.send_signal(signal.SIGINT)  # SIGTERM would wait for whoever is in
            server.process.wait()
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


def run_as() -> list[str]:
    """Begins the command of a server: it ends with us, and is no root's."""
    words = ["setpriv", "--pdeathsig", "KILL"]
    if os.geteuid() == 0:
        words += ["--reuid=postgres", "--regid=postgres", "--clear-groups"]
    return words


def free_port() -> int:
    """Finds a port that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait_until_up(server: PostgresqlServer) -> None:
    assert server.process is not None
    ends_at = time.monotonic() + _LONGEST_START_S
    while server.process.poll() is None and time.monotonic() < ends_at:
        try:
            psycopg.connect(server.inside, connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    log = (server.home / "log").read_text(errors="replace")[-1000:]
    raise RuntimeError(f"PostgreSQL did not start: exit code {server.process.poll()}: {log}")
