"""The line `read-back`: an app read back, a hundred accounts a page, each answered in 50 ms."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.contestant import Contestant, in_turns
from benchmarks.line import Outcome, Size
from benchmarks.lumos.served import free_port, served

ANSWER_S = 0.05
MOST = 1 / 6


def measure(size: Size) -> Iterator[Outcome]:
    """This build beside an earlier one."""
    count = size.of(10_000, 100_000)
    port = free_port()
    words = ["benchmarks.lumos.slow_lumos", str(port), str(count), str(ANSWER_S)]
    script = str(Path(__file__).with_name("read_back_once.py"))
    with served(words, port) as url, TemporaryDirectory(prefix="lumos-ingest-bench-") as name:
        builds = [
            Contestant(build, [python, script, url, str(count)]) for build, python in size.builds()
        ]
        in_turns(builds, size.rounds, Path(name) / "out")
    beside = builds[1] if len(builds) > 1 else None
    what = f"read back {count:,} accounts, an answer takes {ANSWER_S * 1000:.0f} ms"
    yield Outcome(what, builds[0], beside, MOST, by="wall")
