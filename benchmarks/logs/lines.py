"""The line `activity`: a log reduced to the newest of each account, and sent to a sandbox."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from benchmarks.contestant import Contestant, in_turns
from benchmarks.line import Outcome, Size
from benchmarks.logs.activity import APP, load
from benchmarks.logs.activity_csv import SOURCE_FILE, write_json_lines, write_log
from benchmarks.lumos.commands import TOKEN, command
from benchmarks.lumos.served import build_sandbox
from tests.postgresql_server import running_postgresql

ACCOUNTS = 20_000
MOST = 0.6
MOST_OF_CSV = 1.5
CSV = "{kind: csv, activity: log.csv, max_age: null, encoding: utf-8}"
JSON = "{kind: csv, activity: log.jsonl, max_age: null, encoding: utf-8}"


def measure(size: Size) -> Iterator[Outcome]:
    """CSV and PostgreSQL beside an earlier build; JSON Lines beside CSV."""
    rows = size.of(200_000, 5_000_000)
    with TemporaryDirectory(prefix="lumos-ingest-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        write_log(folder / "log.csv", rows, ACCOUNTS)
        builds = [
            _run(f"{build}-csv", python, folder, CSV, stack) for build, python in size.builds()
        ]
        yield from _in_turns(size, f"activity of a CSV, {rows:,} rows", builds, folder)
        write_json_lines(folder / "log.csv", folder / "log.jsonl")
        json = [
            _run(f"{kind}-beside", python, folder, source, stack)
            for kind, source in (("json", JSON), ("csv", CSV))
            for python in [size.builds()[0][1]]
        ]
        what = f"activity of JSON Lines, {rows:,} rows"
        in_turns(json, size.rounds, folder / "out")
        yield Outcome(what, json[0], json[1], MOST_OF_CSV)
    yield from _from_database(size, rows)


def _from_database(size: Size, rows: int) -> Iterator[Outcome]:
    """PostgreSQL's server must be there (Debian: postgresql)."""
    with (
        TemporaryDirectory(prefix="lumos-ingest-bench-") as name,
        running_postgresql() as server,
        ExitStack() as stack,
    ):
        folder = Path(name)
        write_log(folder / "log.csv", rows, ACCOUNTS)
        source = load(folder / "log.csv", f"{server.url}/postgres")
        builds = [
            _run(f"{build}-sql", python, folder, source, stack) for build, python in size.builds()
        ]
        yield from _in_turns(size, f"activity of PostgreSQL, {rows:,} rows", builds, folder)


def _in_turns(size: Size, what: str, builds: list[Contestant], folder: Path) -> Iterator[Outcome]:
    in_turns(builds, size.rounds, folder / "out")
    yield Outcome(what, builds[0], builds[1] if len(builds) > 1 else None, MOST)


def _run(name: str, python: str, folder: Path, source: str, stack: ExitStack) -> Contestant:
    """The command `activity` in a workspace of its own, with a sandbox of its own build.

    Every round reads the whole log: nothing is kept of the one before.
    """
    workspace = folder / name
    (workspace / "sources").mkdir(parents=True)
    for log in folder.glob("log.*"):
        (workspace / log.name).symlink_to(log)
    text = SOURCE_FILE.format(source=source, keep="newest")
    (workspace / "sources" / "log.yaml").write_text(text, "utf-8")
    url = stack.enter_context(build_sandbox(python))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    httpx.post(f"{url}/apps", json=APP, headers=headers).raise_for_status()
    made = command(name, python, workspace, url, "activity", "log")
    state = folder / "out" / name
    made.env["LUMOS_INGEST_STATE"] = str(state)
    return made
