"""What a run starts ends with it: with its block, and with its process, also a killed one."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from extractors.processes.start import running

TWO = ["sh", "-c", "sleep 300 & echo $$ $!; wait"]
"""A program that has started another one."""


def is_alive(pid: str) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def until(look: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 30
    while not look():
        assert time.monotonic() < ends_at
        time.sleep(0.02)


def test_all_of_it_ends_with_its_block(tmp_path: Path) -> None:
    with running(TWO, cwd=tmp_path) as process:
        assert process.stdout is not None
        children = process.stdout.readline().decode().split()
        assert all(map(is_alive, children))
    until(lambda: not any(map(is_alive, children)))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_secrets_command_ends_with_the_run_that_is_killed(
    tmp_path: Path, number: signal.Signals
) -> None:
    program = (
        "from pathlib import Path\n"
        "from flows.run.secrets import to_resolver\n"
        "from schemas.source_file.secrets import Secret\n"
        "words = ('sh', '-c', 'sleep 300 & echo $$ $! > children; wait')\n"
        "to_resolver(Path.cwd())(Secret(command=words))\n"
    )
    kept = tmp_path / "children"
    with subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path) as run:
        until(lambda: kept.exists() and len(kept.read_text().split()) == 2)
        children = kept.read_text().split()
        assert all(map(is_alive, children))
        run.send_signal(number)
    until(lambda: not any(map(is_alive, children)))


def test_a_program_ends_as_it_would_by_itself(tmp_path: Path) -> None:
    with running(["sh", "-c", "echo one; exit 7"], cwd=tmp_path) as process:
        assert process.communicate()[0] == b"one\n"
    assert process.returncode == 7
    with running(["sh", "-c", "kill -TERM $$"], cwd=tmp_path) as process:
        assert process.communicate()[0] == b""
    assert process.returncode == -signal.SIGTERM


@pytest.mark.parametrize(
    ("program", "error"),
    [("no-such-program", FileNotFoundError), ("./hr.csv", PermissionError), ("./x", OSError)],
)
def test_what_is_no_program_is_told_before_it_is_started(
    tmp_path: Path, program: str, error: type[OSError]
) -> None:
    (tmp_path / "hr.csv").write_text("")
    with pytest.raises(error), running([program], cwd=tmp_path):
        raise AssertionError
