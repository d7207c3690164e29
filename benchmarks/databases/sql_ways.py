"""The ways into DuckDB, SQLite and MariaDB: ours, and those that are faster but not exact.

`python -m benchmarks.databases.sql_ways [--accounts N] [--rounds R] [--peers PYTHON]`: PYTHON is
the interpreter of an environment as `peer_sql_ways` needs it. Each command is a process of its own,
in turns; figures are medians of seconds, starting up included, and the largest peak of memory.
"""

import argparse
import os
import sqlite3
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pymysql

from benchmarks.contestant import Contestant
from benchmarks.databases.sql_to_accounts import show
from tests.mariadb_server import running_mariadb

_COLUMNS = """CREATE TABLE accounts AS SELECT 10000000 + n AS integration_specific_id,
    {user} AS username, 'ACTIVE' AS user_status, 'user' AS account_type, 'Given' AS given_name,
    'Family' AS family_name, {salary} AS salary, {at} AS last_login, n / 3.0e0 AS score,
    n % 300 AS department FROM {numbers}"""
_DUCKDB = {
    "user": "'user' || n", "salary": "CAST(n / 7 AS DECIMAL(12, 4))",
    "at": "TIMESTAMP '2026-01-01' + to_seconds(n * 17)", "numbers": "range({}) AS t(n)",
}  # fmt: skip
_SQLITE = {
    "user": "'user' || n", "salary": "n / 7.0", "at": "datetime('2026-01-01', n || ' minutes')",
    "numbers": "(WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s "
    "WHERE n < {} - 1) SELECT n FROM s)",
}  # fmt: skip
_MARIADB = {
    "user": "CONCAT('user', n)", "salary": "CAST(n / 7 AS DECIMAL(12, 4))",
    "at": "TIMESTAMP('2026-01-01') + INTERVAL n * 17 SECOND",
    "numbers": "(SELECT seq AS n FROM seq_1_to_{}) AS t",
}  # fmt: skip


def _table(words: dict[str, str], accounts: int) -> str:
    return _COLUMNS.format(**words).format(accounts)


def fill(folder: Path, server: str, accounts: int) -> dict[str, str]:
    """Makes the table in each database, and returns where each of them is."""
    with duckdb.connect(f"{folder}/a.duckdb") as connection:
        connection.execute(_table(_DUCKDB, accounts))
    connection = sqlite3.connect(f"{folder}/a.db")
    connection.execute(_table(_SQLITE, accounts))
    connection.commit()
    connection.close()
    port = int(server.rpartition(":")[2])
    with pymysql.connect(host="127.0.0.1", port=port, user="root", autocommit=True) as maria:
        for sql in ("CREATE DATABASE a", "USE a", _table(_MARIADB, accounts)):
            maria.cursor().execute(sql)
    place = f"SERVER=127.0.0.1;PORT={port};DATABASE=a;UID=root"
    return {
        "DuckDB": f"duckdb:///{folder}/a.duckdb",
        "SQLite": f"sqlite:///{folder}/a.db",
        "MariaDB": f"{server}/a",
        "MariaDB by ODBC": f"DRIVER={{MariaDB Unicode}};{place}",
    }


def contestants(places: dict[str, str], peers: str | None) -> list[Contestant]:
    """Ours for each database, and the peers where there are any."""
    ours = [sys.executable, "-m", "benchmarks.databases.sql_way"]
    found = [Contestant(name, [*ours, "fastest", place]) for name, place in places.items()]
    found.append(Contestant("DuckDB by cursor", [*ours, "cursor", places["DuckDB"]]))
    if peers:
        script = [peers, str(Path(__file__).with_name("peer_sql_ways.py"))]
        file = places["SQLite"].removeprefix("sqlite:///")
        plain = places["MariaDB"].replace("+pymysql", "")
        found += [
            Contestant("SQLite by ADBC", [*script, "adbc", file]),
            Contestant("MariaDB by connectorx", [*script, "connectorx", plain]),
            Contestant("MariaDB by arrow-odbc", [*script, "arrow-odbc", places["MariaDB by ODBC"]]),
        ]
    return found


def main() -> None:
    """Makes the data, runs the rounds, prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", help="the interpreter of an environment with the peers")
    asked = parser.parse_args()
    with running_mariadb() as server, TemporaryDirectory(prefix="lumos-ingest-bench-") as name:
        places = fill(Path(name), server.url, asked.accounts)
        running = contestants(places, asked.peers)
        for _ in range(asked.rounds):
            for one in running:
                one.run(Path(name) / "out")
    print(f"{asked.accounts} accounts x 10 columns, {os.cpu_count()} cores")
    show(running)


if __name__ == "__main__":
    main()
