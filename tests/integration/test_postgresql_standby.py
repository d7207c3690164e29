"""A standby of PostgreSQL's: read while it keeps up with its primary, refused once it is behind."""

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from extractors.read import read_source
from schemas.errors import SourceStaleError
from schemas.raw import Raw
from schemas.source_file.kinds.sql_source import SqlSource
from tests.postgresql_server import PostgresqlServer, free_port, run_as, running_postgresql

LONGEST_S = 60


@contextmanager
def standby_of(primary: PostgresqlServer) -> Iterator[PostgresqlServer]:
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    standby = replace(primary, home=home, port=free_port(), process=None)
    shutil.chown(home, primary.home.owner(), primary.home.group())
    words = ["-D", f"{home}/data", "-R", "-h", primary.home, "-p", str(primary.port)]
    words += ["-U", "postgres", "--checkpoint=fast", "--no-sync"]
    try:
        copy = [*run_as(), primary.programs / "pg_basebackup", *words]
        subprocess.run(copy, check=True, capture_output=True, cwd="/")
        standby.start()
        yield standby
    finally:
        if standby.process is not None:
            standby.process.send_signal(signal.SIGINT)
            standby.process.wait()
        shutil.rmtree(home, ignore_errors=True)


def read(server: PostgresqlServer, max_age: str | None = None) -> Raw:
    freshness = {"query": "SELECT now()", "max_age": max_age} if max_age else None
    source = SqlSource(
        kind="sql",
        url=f"{server.url}/postgres",
        freshness=freshness,
        queries={"list_accounts": "SELECT id AS integration_specific_id FROM people"},
    )
    return read_source(source, Path(), now=datetime.now(UTC))


def wait_until(is_so: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + LONGEST_S
    while not is_so():
        assert time.monotonic() < ends_at
        time.sleep(0.05)


def test_a_standby_is_read_as_long_as_it_is_not_behind() -> None:
    with running_postgresql() as primary, standby_of(primary) as standby:
        with psycopg.connect(primary.inside, autocommit=True) as connection:
            connection.execute("CREATE TABLE people AS SELECT '1' AS id")

        def said() -> tuple[str, ...]:
            return read(standby, "1s").proof

        with psycopg.connect(standby.inside, autocommit=True) as inside:

            def cell(sql: str) -> object:
                row = inside.execute(sql.encode()).fetchone()
                return row and row[0]

            wait_until(lambda: cell("SELECT to_regclass('people') IS NOT NULL") is True)
            assert any("a standby that has replayed all that came" in line for line in said())
            assert not any("standby" in line for line in read(primary, "1s").proof)
            primary.kill()
            wait_until(lambda: cell("SELECT count(*) FROM pg_stat_wal_receiver") == 0)
        time.sleep(2.6)
        with pytest.raises(SourceStaleError, match=r"or behind it: its newest change is .* old"):
            read(standby, "1s")
        assert any("a standby, its newest change" in line for line in read(standby).proof)
