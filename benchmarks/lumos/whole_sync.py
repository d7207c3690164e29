"""The line `sync`: a whole sync of a CSV into a sandbox, to the accounts read back."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.contestant import in_turns
from benchmarks.line import Outcome, Size
from benchmarks.lumos.commands import command, make_workspace
from benchmarks.lumos.served import build_sandbox

MOST = 0.5


def measure(size: Size) -> Iterator[Outcome]:
    """This build with its sandbox beside an earlier one with its own."""
    count = size.of(10_000, 100_000)
    runs = []
    with TemporaryDirectory(prefix="lumos-ingest-bench-") as name:
        for build, python in size.builds():
            folder = Path(name) / build
            make_workspace(folder, build, count)
            with build_sandbox(python) as url:
                one = command(build, python, folder, url, "sync", "hr", "--allow-removals")
                in_turns([one], size.rounds, Path(name) / "out")
            runs.append(one)
    beside = runs[1] if len(runs) > 1 else None
    yield Outcome(
        f"sync {count:,} accounts into the sandbox, read back", runs[0], beside, MOST, by="wall"
    )
