"""`make mutants`: how many small changes of the code that bears the laws the unit tests notice.

mutmut makes the changes, one at a time, and runs the unit tests that reach each; pyproject.toml
says of which modules, and which tests. A change that no test notices has survived:
docs/testing.md lists those that may, each with its reason.

    python -m tests.mutation_score ["transforms.plan.*" ...]
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

LEAST = 95.0
"""Percent of a module's changes that must be noticed."""

KILLED = {"killed", "timeout"}
ROOT = Path(__file__).parents[1]
KEPT = ROOT / "mutants"
STATS = "mutmut-stats.json"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs the fast tests first: most changes are noticed by several."""
    if Path(STATS).exists():
        took = json.loads(Path(STATS).read_text("utf-8"))["duration_by_test"]
        items.sort(key=lambda item: took.get(item.nodeid, 0.0))


def results() -> Iterator[tuple[Path, dict[str, str]]]:
    """Each module that was changed, and what became of each change, by its name."""
    from mutmut.mutation.data import SourceFileMutationData
    from mutmut.stats import status_by_exit_code
    from mutmut.utils.file_utils import walk_mutatable_files

    for path in sorted(walk_mutatable_files()):
        data = SourceFileMutationData(path=path)
        data.load()
        found = {name: status_by_exit_code[code] for name, code in data.exit_code_by_key.items()}
        yield path, {name: status for name, status in found.items() if status != "not checked"}


def told(path: Path, name: str, status: str, listed: str) -> Iterator[str]:
    """The lines about a change that survived."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    changed = [line for line in get_diff_for_mutant(name, path=path).splitlines()[2:] if line]
    added = " ".join(line[1:].strip() for line in changed if line.startswith("+"))
    note = "" if added in listed else "; not in docs/testing.md"
    yield f"  {status}{note}: {name}"
    yield from (f"      {line}" for line in changed if line[0] in "+-")


def score_line(what: str, killed: int, made: int) -> str:
    """A line of the table."""
    return f"{what:44} {killed:5} of {made:5}  {100 * killed / max(made, 1):5.1f} %"


def main(wanted: list[str]) -> int:
    """The exit status: 0 where enough of every module's changes were noticed."""
    shutil.rmtree(KEPT, ignore_errors=True)
    mutmut = Path(sys.executable).with_name("mutmut")
    if subprocess.run([mutmut, "run", *wanted], cwd=ROOT, check=False).returncode:
        return 1
    listed = (ROOT / "docs" / "testing.md").read_text("utf-8")
    lines, is_enough, all_killed, all_made = [], True, 0, 0
    for path, found in results():
        if not found:
            continue
        survived = {name: status for name, status in found.items() if status not in KILLED}
        killed = len(found) - len(survived)
        is_enough &= 100 * killed / len(found) >= LEAST
        all_killed, all_made = all_killed + killed, all_made + len(found)
        lines.append(score_line(str(path), killed, len(found)))
        for name, status in survived.items():
            sys.stdout.write("\n".join(told(path, name, status, listed)) + "\n")
    lines.append(score_line("all", all_killed, all_made))
    sys.stdout.write("\n".join(["", *lines, ""]))
    if not is_enough:
        sys.stdout.write(
            f"A module is under {LEAST:g} %: add tests, or remove what does nothing.\n"
        )
    return 0 if is_enough else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
