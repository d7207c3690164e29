"""A server that dies or falls silent in the middle of a result: an error, never fewer accounts."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from schemas.errors import SourceIncompleteError
from tests.certificates import new_authority, new_certificate
from tests.logging_in import error_of, way_in

pytest_plugins = ["tests.postgresql_server", "tests.mariadb_server"]
pytestmark = pytest.mark.xdist_group("server_dies")

_POSTGRESQL = (
    "SELECT n AS integration_specific_id, CASE WHEN n = 60000 THEN pg_sleep(60)::text "
    "ELSE repeat('x', 200) END AS email FROM generate_series(1, 100000) n"
)
_BOUND = (
    "SELECT n AS account_id, 'last_login' AS event_type, CASE WHEN n = 60000 THEN "
    "pg_sleep(60)::text ELSE '2026-01-01T00:00:00Z' END AS happened_at "
    "FROM generate_series(1, 100000) n WHERE {since} < now()"
)
_MARIADB = (
    "SELECT seq AS integration_specific_id, IF(seq = 60000, SLEEP(60), REPEAT('x', 200)) AS email "
    "FROM seq_1_to_100000"
)


class Dying:
    """A server and how it is read: what it says of the queries that wait in their 60,000th row."""

    def __init__(self, server: Any, engine: str) -> None:
        self.server = server
        self.engine = engine

    def is_in_the_middle(self, count: int) -> bool:
        if self.engine == "postgresql":
            with psycopg.connect(self.server.inside) as connection:
                sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
                return connection.execute(sql).fetchone() == (count,)
        with self.server.inside() as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'User sleep'"
            )
            return cursor.fetchone() == (count,)

    def options(self, way: str) -> dict[str, Any]:
        """`native` is unencrypted, `tls` the same encrypted."""
        is_postgresql = self.engine == "postgresql"
        database = "postgres" if is_postgresql else "mysql"
        queries = {"list_accounts": _POSTGRESQL if is_postgresql else _MARIADB}
        given = way_in(self.engine, way, self.server.port, database) | {"queries": queries}
        if way in {"native", "tls"}:
            given["tls"] = {"mode": "unverified" if way == "tls" else "none"}
        return given


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("certificate")
    made = new_certificate(folder, new_authority(folder), "server", names=("localhost",))
    return made.file, made.key_file


@pytest.fixture(scope="module")
def postgresql(certificate: tuple[Path, Path]) -> Iterator[Dying]:
    from tests.postgresql_server import running_postgresql

    options = {"ssl": "on", "ssl_cert_file": "server.pem", "ssl_key_file": "server.key"}
    with running_postgresql(options, files=certificate) as server:
        yield Dying(server, "postgresql")


@pytest.fixture(scope="module")
def mariadb(certificate: tuple[Path, Path]) -> Iterator[Dying]:
    from tests.mariadb_server import running_mariadb

    options = {"ssl-cert": "{home}/server.pem", "ssl-key": "{home}/server.key"}
    with running_mariadb(options, files=certificate) as server:
        yield Dying(server, "mariadb")


def comes_to_the_middle(dying: Dying, count: int) -> bool:
    """Whether `count` queries wait in the middle of their rows, as soon as they do."""
    ends_at = time.monotonic() + 60
    while not (is_there := dying.is_in_the_middle(count)) and time.monotonic() < ends_at:
        time.sleep(0.02)
    return is_there


def in_the_middle(dying: Dying, then: Callable[[], None]) -> threading.Thread:
    """Does `then` as soon as a query waits in the middle of its rows."""

    def watch() -> None:
        if comes_to_the_middle(dying, 1):
            then()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


@pytest.mark.parametrize("way", ["native", "tls", "odbc", "jdbc"])
@pytest.mark.parametrize("engine", ["postgresql", "mariadb"])
def test_a_server_that_dies_never_yields_fewer_rows(
    engine: str, way: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    dying: Dying = request.getfixturevalue(engine)
    killer = in_the_middle(dying, dying.server.kill)
    try:
        error = error_of(dying.options(way), tmp_path)
    finally:
        killer.join()
        dying.server.start()
    assert type(error) is SourceIncompleteError, error
    assert "list_accounts" in str(error)


def test_a_server_that_falls_silent_is_not_waited_for_longer_than_the_limit(
    postgresql: Dying, mariadb: Dying, tmp_path: Path
) -> None:
    """All readers at once, for each waits its whole limit; those that start slowly come first."""
    limit = {"statement_timeout": "8s"}
    found: dict[str, Exception] = {}

    def read(name: str, options: dict[str, Any]) -> None:
        found[name] = error_of(options | limit, tmp_path)

    threads = []
    try:
        for dying, ways in ((postgresql, ("jdbc", "native")), (mariadb, ("odbc", "native"))):
            for count, way in enumerate(ways, 1):
                reader = (f"{dying.engine} {way}", dying.options(way))
                threads.append(threading.Thread(target=read, args=reader))
                threads[-1].start()
                assert comes_to_the_middle(dying, count), reader
            dying.server.signal(signal.SIGSTOP)
        silent_since = time.monotonic()
        for thread in threads:
            thread.join()
        assert time.monotonic() - silent_since < 40
    finally:
        for dying in (postgresql, mariadb):
            dying.server.signal(signal.SIGCONT)
        for thread in threads:
            thread.join()
    assert len(found) == len(threads) == 4
    for error in found.values():
        assert type(error) is SourceIncompleteError
        assert "list_accounts" in str(error)
        assert "cancelled" not in str(error)


def test_nor_is_it_where_values_are_bound(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    """Psycopg's cursor reads then, which waits without end by itself. A server of its own."""
    from tests.postgresql_server import running_postgresql

    queries = {
        "list_accounts": "SELECT 1 AS integration_specific_id",
        "get_last_activity": _BOUND,
    }
    options = {"ssl": "on", "ssl_cert_file": "server.pem", "ssl_key_file": "server.key"}
    with running_postgresql(options, files=certificate) as server:
        dying = Dying(server, "postgresql")
        asked = dying.options("native") | {"queries": queries, "statement_timeout": "5s"}
        watch = in_the_middle(dying, lambda: server.signal(signal.SIGSTOP))
        try:
            error = error_of(asked, tmp_path)
            watch.join()
        finally:
            server.signal(signal.SIGCONT)
    assert type(error) is SourceIncompleteError
    assert "get_last_activity: the connection was lost" in str(error)
