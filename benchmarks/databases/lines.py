"""The line `mariadb`: a table of MariaDB into a frame of text, beside the same a cell at a time."""

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.contestant import Contestant, in_turns
from benchmarks.databases.sql_ways import fill_mariadb
from benchmarks.line import Outcome, Size
from tests.mariadb_server import running_mariadb


def measure(size: Size) -> Iterator[Outcome]:
    """Ours beside PyMySQL's cursor; both with their imports, which weigh less at full size."""
    count = size.of(60_000, 1_000_000)
    words = [sys.executable, "-m", "benchmarks.databases.sql_way"]
    with running_mariadb() as server, TemporaryDirectory(prefix="lumos-ingest-bench-") as name:
        place = fill_mariadb(server.url, count)
        ours = Contestant("ours", [*words, "fastest", place])
        cursor = Contestant("its cursor", [*words, "cursor", place])
        in_turns([ours, cursor], size.rounds, Path(name) / "out")
    most = 0.5 if size.is_full else None
    yield Outcome(f"MariaDB, {count:,} rows x 10, to a frame of text", ours, cursor, most)
