"""A ledger behind a real PgBouncer that pools transactions; its role has another DateStyle."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from loaders.ledger.activity import save_watermark, saved_watermark
from loaders.ledger.ledger import open_ledger
from schemas.batches import Watermark

pytest_plugins = ["tests.postgresql_server"]

NOW = datetime(2026, 7, 1, 2, tzinfo=UTC)
_LONGEST_START_S = 30


@pytest.fixture
def pooled(new_database: Callable[[], str], tmp_path: Path) -> Iterator[str]:
    """The URL of a database behind PgBouncer, for a role whose times are in German style."""
    program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
    if not Path(program).exists():
        report = pytest.fail if os.environ.get("CI") else pytest.skip
        report("missing: pgbouncer (Debian: pgbouncer)")
    direct = new_database()
    parts = urlsplit(direct)
    name = parts.path.lstrip("/")
    with psycopg.connect(direct, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE german_{name} LOGIN SUPERUSER")
        connection.execute(f"ALTER ROLE german_{name} SET DateStyle = 'German, DMY'")
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = int(one.getsockname()[1])
    config = tmp_path / "pgbouncer.ini"
    lines = [
        "[databases]",
        f"* = host=127.0.0.1 port={parts.port} user=german_{name}",
        "[pgbouncer]",
        "listen_addr = 127.0.0.1",
        f"listen_port = {port}",
        "auth_type = any",
        "pool_mode = transaction",
        "default_pool_size = 2",
        "unix_socket_dir =",
        *(["user = nobody"] if os.geteuid() == 0 else []),
    ]
    config.write_text("\n".join(lines) + "\n", "utf-8")
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(0o755)
    with (tmp_path / "log").open("wb") as log:
        pooler = subprocess.Popen([program, str(config)], stdout=log, stderr=log)
    try:
        _wait_until_up(port, pooler, tmp_path / "log")
        yield f"postgresql://german_{name}@127.0.0.1:{port}/{name}"
    finally:
        pooler.terminate()
        pooler.wait()


def _wait_until_up(port: int, pooler: "subprocess.Popen[bytes]", log: Path) -> None:
    ends_at = time.monotonic() + _LONGEST_START_S
    while pooler.poll() is None and time.monotonic() < ends_at:
        try:
            socket.create_connection(("127.0.0.1", port), 2).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"pgbouncer did not start: {log.read_text('utf-8')}")


def test_a_ledger_is_kept_behind_a_pooler_of_transactions(pooled: str) -> None:
    with open_ledger(pooled) as ledger:
        run_ids = [
            ledger.start_run("hr", "me@host", NOW, "app-1", kind="activity").run_id
            for _ in range(12)
        ]

        def work(number: int) -> None:
            # More often than psycopg waits before it prepares a statement, on two connections.
            for _ in range(8):
                ledger.update_run(run_ids[number], counts={"activity_read": number})

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(12)))
        runs = {run.run_id: run for run in ledger.runs()}
        assert [runs[one].counts["activity_read"] for one in run_ids] == list(range(12))
        assert {run.started_at for run in runs.values()} == {NOW}
        save_watermark(ledger, "hr", "app-1", Watermark(NOW, run_ids[0]))
        assert saved_watermark(ledger, "hr", "app-1") == Watermark(NOW, run_ids[0])
    with open_ledger(pooled) as again:
        assert len(again.runs()) == 12
