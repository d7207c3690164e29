"""A database that dies in the middle of a sync, and a token that no file, log or line repeats."""

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from terminal import Workspace

if TYPE_CHECKING:
    from tests.postgresql_server import PostgresqlServer

pytest_plugins = ["tests.postgresql_server"]
pytestmark = pytest.mark.xdist_group("databases_in_trouble")

_SOURCE = """
app: {{name: HR Portal, create: {{category: HR & Learning, description: Internal HR portal}}}}
source:
  kind: sql
  url: postgresql://{user}@127.0.0.1:{port}/postgres
  {login}
  queries: {{list_accounts: SELECT * FROM accounts}}
upload: {{poll: {{every: 0.1s, give_up_after: 60s}}}}
"""
_SLOW = """
CREATE VIEW accounts AS SELECT n AS integration_specific_id,
    CASE WHEN n = 60000 THEN pg_sleep(60)::text ELSE repeat('x', 200) || '@example.com' END AS email
    FROM generate_series(1, 100000) n
"""
_QUICK = """
DROP VIEW accounts;
CREATE VIEW accounts AS SELECT n AS integration_specific_id, n || '@example.com' AS email
    FROM generate_series(1, 12) n;
GRANT SELECT ON accounts TO PUBLIC
"""
_HBA = """
host all cloud 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
"""


@pytest.fixture(scope="module")
def server() -> "Iterator[PostgresqlServer]":
    from tests.postgresql_server import running_postgresql

    with running_postgresql(hba=_HBA) as running:
        yield running


def run(server: "PostgresqlServer", sql: str) -> None:
    with psycopg.connect(server.inside, autocommit=True) as connection:
        connection.execute(sql)


def kill_in_the_middle(server: "PostgresqlServer") -> None:
    sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    ends_at = time.monotonic() + 120
    while time.monotonic() < ends_at:
        with psycopg.connect(server.inside) as connection:
            found = connection.execute(sql).fetchone()
        if found == (1,):
            server.kill()
            return
        time.sleep(0.02)


def test_a_database_that_dies_uploads_nothing_and_the_next_sync_succeeds(
    server: "PostgresqlServer", workspace: Workspace
):
    run(server, _SLOW)
    workspace.source(_SOURCE.format(user="postgres", port=server.port, login="trim_ids: false"))
    killer = threading.Thread(target=kill_in_the_middle, args=(server,))
    killer.start()
    said = workspace.run("sync", "hr")
    killer.join()
    server.start()
    assert said.code == 1
    [line] = [one for one in said.err.splitlines() if "list_accounts" in one]
    assert "lost" in line
    assert "Traceback" not in said.out + said.err
    assert workspace.stats()["uploads"] == 0
    run(server, _QUICK)
    again = workspace.run("sync", "hr")
    assert again.code == 0, again.err
    assert len(workspace.accounts()) == 12


@pytest.mark.parametrize("is_right", [True, False])
def test_a_token_is_in_no_file_log_or_line(
    server: "PostgresqlServer", workspace: Workspace, is_right: bool
):
    run(server, "DROP VIEW IF EXISTS accounts; CREATE VIEW accounts AS SELECT 1 AS gone")
    run(server, _QUICK)
    run(server, "DROP ROLE IF EXISTS cloud")
    run(server, "CREATE ROLE cloud LOGIN PASSWORD 'canary-token'")
    said = "canary-token" if is_right else "canary-tokem"
    mint = f"print('canary' + '-{said[7:]}')"
    (workspace.path / "mint.py").write_text(mint)
    login = f"token: {{command: [{sys.executable}, mint.py]}}"
    workspace.source(_SOURCE.format(user="cloud", port=server.port, login=login))
    ran = workspace.run("sync", "hr", "--json")
    assert ran.code == (0 if is_right else 2), ran.err
    assert said not in ran.out + ran.err
    for file in files(workspace.path):
        assert said.encode() not in file.read_bytes(), file


def files(folder: Path) -> list[Path]:
    found = [one for one in folder.rglob("*") if one.is_file()]
    assert len(found) > 2  # the ledger, too
    return found
