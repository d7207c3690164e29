"""From a private PostgreSQL to the canonical accounts, beside a bare reader, and peers.

`python -m benchmarks.databases.sql_to_accounts [--accounts N] [--rounds R] [--peers PYTHON]`:
PYTHON is the interpreter of an environment with `dlt[sql_database]`, `psycopg2-binary` and
`sling-linux-amd64`. Then 100,000 accounts with 299,001 associations to upload bodies. Each command
is a process of its own, in turns; figures are medians of wall seconds and the largest peak of
resident memory.
"""

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from benchmarks.contestant import Contestant
from benchmarks.databases.sql_data import fill
from tests.postgresql_server import running_postgresql


@contextmanager
def private_postgresql() -> Iterator[str]:
    """A server of the benchmark's own: its URL up to the database's name."""
    with running_postgresql() as server:
        yield server.url


def new_database(server: str, name: str, accounts: int, associations: int) -> str:
    """The URL of a new database that holds so many."""
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    fill(f"{server}/{name}", accounts, associations)
    return f"{server}/{name}"


def contestants(url: str, folder: Path, peers: str | None) -> list[Contestant]:
    """The bare reader, ours, and the peers where there are any."""
    found = [
        Contestant("bare", [sys.executable, "-m", "benchmarks.databases.sql_floor", url]),
        Contestant(
            "ours", [sys.executable, "-m", "benchmarks.databases.sql_ours", url, "accounts"]
        ),
    ]
    if peers:
        home = subprocess.run(
            [peers, "-c", "import sling_linux_amd64 as s; print(s.__path__[0])"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        sling = Path(home) / "bin" / "sling-linux-amd64"
        target = f"file://{folder}/out/sling.csv"
        words = [str(sling), "run", "--src-conn", "PG", "--src-stream", "public.accounts"]
        quiet = {
            "SLING_DISABLE_TELEMETRY": "TRUE",
            "SLING_HOME_DIR": f"{folder}/sling",
            "PG": f"{url}?sslmode=disable",
        }
        script = str(Path(__file__).with_name("peer_dlt_sql.py"))
        plain = {"RUNTIME__DLTHUB_TELEMETRY": "false"}
        found.append(Contestant("Sling", [*words, "--tgt-object", target], quiet))
        found.append(Contestant("dlt", [peers, script, url, f"{folder}/out/dlt"], plain))
    return found


_STARTED = (
    "import benchmarks.databases.sql_ours, extractors.sql.source, extractors.sql.drivers.postgresql"
)


def show(running: list[Contestant]) -> None:
    """Prints the figures, the first being the measure."""
    floor = statistics.median(running[0].walls)
    print(f"{'':22}{'wall s':>8}{'CPU s':>8}{'peak MiB':>10}{'x first':>9}")
    for one in running:
        wall, cpu = statistics.median(one.walls), statistics.median(one.cpus)
        print(f"{one.name:22}{wall:8.1f}{cpu:8.1f}{max(one.peaks):10.0f}{wall / floor:9.2f}")


def main() -> None:
    """Makes the data, runs the rounds, prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", help="the interpreter of an environment with dlt and Sling")
    asked = parser.parse_args()
    with private_postgresql() as server, TemporaryDirectory(prefix="lumos-ingest-bench-") as name:
        folder = Path(name)
        url = new_database(server, "large", asked.accounts, 0)
        small = new_database(server, "small", 100_000, 299_001)
        print(f"{asked.accounts} accounts x 10 columns from PostgreSQL, {os.cpu_count()} cores")
        running = contestants(url, folder, asked.peers)
        words = [
            sys.executable,
            "-m",
            "benchmarks.databases.sql_ours",
            small,
            "bodies",
            f"{folder}/out/b.json",
        ]
        bodies = Contestant("bodies", words)
        starts = [
            Contestant("bare", [sys.executable, "-c", "import benchmarks.databases.sql_floor"]),
            Contestant("ours", [sys.executable, "-c", _STARTED]),
        ]
        for _ in range(asked.rounds):
            for one in (*running, bodies, *starts):
                one.run(folder / "out")
    show(running)
    print("of which starting up and loading libraries:")
    show(starts)
    bare, ours = (
        statistics.median(whole.walls) - statistics.median(start.walls)
        for whole, start in zip(running, starts, strict=False)
    )
    print(f"without that: bare {bare:.2f} s, ours {ours:.2f} s, {ours / bare:.2f} x bare")
    print("100,000 accounts and 299,001 associations to upload bodies:")
    show([bodies])


if __name__ == "__main__":
    main()
