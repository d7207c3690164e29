"""The line `start`: what commands cost that have little to do."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.contestant import in_turns
from benchmarks.line import Outcome, Size
from benchmarks.lumos.commands import command, make_workspace, prepared
from benchmarks.lumos.served import build_sandbox

ACCOUNTS = 500
COMMANDS = (
    ("check of one CSV source", ("check",), 0.6),
    ("runs", ("runs",), 0.35),
    ("a small sync, --job-seconds 0", ("sync", "hr"), 1.2),
)


def measure(size: Size) -> Iterator[Outcome]:
    """Each command in turns with an earlier build's, each build in a workspace of its own."""
    with TemporaryDirectory(prefix="lumos-ingest-bench-") as name, build_sandbox() as url:
        folder = Path(name)
        for build, python in size.builds():
            make_workspace(folder / build, build, ACCOUNTS)
            prepared(command(build, python, folder / build, url, "sync", "hr"))
        for what, words, most_s in COMMANDS:
            builds = [
                command(build, python, folder / build, url, *words)
                for build, python in size.builds()
            ]
            in_turns(builds, max(3, size.rounds), folder / "out")
            beside = builds[1] if len(builds) > 1 else None
            yield Outcome(what, builds[0], beside, most_s=most_s)
