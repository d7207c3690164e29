"""A log of logins reduced and uploaded to the sandbox: wall seconds and peak memory.

`python -m benchmarks.logs.activity [--rows N …] [--accounts N] [--keep newest|all] [--database
URL]`: URL is a PostgreSQL database of one's own, which then holds the log in a table, in the file's
stead. The command is a process of its own; the peak is of its resident memory, with and without the
pages of the file, which the system takes back when it needs them.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psycopg

from benchmarks.logs.activity_csv import SOURCE_FILE, write_log
from sandbox.server import running_sandbox

TABLE = "CREATE TABLE activity_log (at timestamptz, account_id text, event_type text, client text)"
COPY = "COPY activity_log FROM STDIN (FORMAT csv, HEADER)"
QUERY = (
    "SELECT account_id, event_type, at AS timestamp FROM activity_log"
    " WHERE at >= {since} AND at < {until}"
)
APP = {"name": "Benchmark", "category": "Internal", "description": "A benchmark"}


def load(log: Path, url: str) -> str:
    """Puts the log into the database; the source that reads it there."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS activity_log")
        cursor.execute(TABLE)
        with log.open("rb") as file, cursor.copy(COPY) as copy:
            while block := file.read(1 << 20):
                copy.write(block)
        cursor.execute("CREATE INDEX ON activity_log (at)")
    return f"{{kind: sql, url: '{url}', queries: {{list_activity_records: '{QUERY}'}}}}"


def run(workspace: Path, url: str, token: str) -> tuple[float, float, float]:
    """One run of the command: wall seconds, peak MiB, and peak MiB without pages of files."""
    words = [sys.executable, "-c", "from flows.cli.main import main; main()", "activity", "log"]
    env = {**os.environ, "LUMOS_API_URL": url, "LUMOS_API_TOKEN": token}
    began = time.perf_counter()
    child = subprocess.Popen(
        [*words, "--workspace", str(workspace)], env=env, stdout=sys.stderr, stderr=sys.stderr
    )
    own, ended = 0, 0
    while not ended:
        own = max(own, _own_kib(child.pid))
        time.sleep(0.02)
        ended, status, used = os.wait4(child.pid, os.WNOHANG)
    if status:
        raise SystemExit("the command failed")
    return time.perf_counter() - began, used.ru_maxrss / 1024, own / 1024


def _own_kib(pid: int) -> int:
    """KiB of a process's memory that no file is behind; 0 where it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("RssAnon")), 0)


def main() -> None:
    """Makes the log, sends it, prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[5_000_000, 15_000_000])
    parser.add_argument("--accounts", type=int, default=20_000)
    parser.add_argument("--database", help="a PostgreSQL URL: the log is put in a table there")
    parser.add_argument("--keep", choices=("newest", "newest_per_day", "all"), default="newest")
    asked = parser.parse_args()
    print(f"{'rows':>10}{'MB':>7}{'wall s':>8}{'peak MiB':>10}{'own MiB':>9}{'records':>9}")
    for rows in asked.rows:
        with (
            TemporaryDirectory(prefix="lumos-ingest-bench-") as name,
            running_sandbox(job_seconds=0.0) as sandbox,
        ):
            workspace = Path(name)
            write_log(workspace / "log.csv", rows, asked.accounts)
            source = "{kind: csv, activity: log.csv, max_age: null, encoding: utf-8}"
            if asked.database:
                source = load(workspace / "log.csv", asked.database)
            text = SOURCE_FILE.format(source=source, keep=asked.keep)
            (workspace / "sources").mkdir()
            (workspace / "sources" / "log.yaml").write_text(text, "utf-8")
            headers = {"Authorization": f"Bearer {sandbox.token}"}
            httpx.post(f"{sandbox.url}/apps", json=APP, headers=headers).raise_for_status()
            wall, peak, own = run(workspace, sandbox.url, sandbox.token)
            held = httpx.get(f"{sandbox.url}/sandbox/activity", params={"size": 1}).json()["total"]
            size = (workspace / "log.csv").stat().st_size / 1e6
        print(f"{rows:>10}{size:7.0f}{wall:8.1f}{peak:10.0f}{own:9.0f}{held:>9}")


if __name__ == "__main__":
    main()
