"""What becomes of a run of the tests when the process that runs one of them crashes."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]

TESTS = """
import os, pathlib, signal, time, pytest

@pytest.mark.xdist_group("crashing")
def test_before():
    pass

@pytest.mark.xdist_group("crashing")
def test_crash():
    pathlib.Path("crashed").touch()
    os.kill(os.getpid(), signal.SIGSEGV)

@pytest.mark.xdist_group("crashing")
def test_after():
    pass

@pytest.mark.xdist_group("long")
@pytest.mark.parametrize("number", range(300))
def test_long(number):
    time.sleep(1)
"""


LATE_TO_COLLECT = """
import os, signal, time

if os.environ["PYTEST_XDIST_WORKER"] == "gw0":
    time.sleep(3)
    os.kill(os.getpid(), signal.SIGSEGV)

def test_nothing():
    pass
"""


def run_of(tests: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """A run of `tests` with the project's own options, by two workers."""
    (folder / "test_crash.py").write_text(tests)
    shutil.copy(ROOT / "tests/conftest.py", folder)
    options = ["-c", ROOT / "pyproject.toml", "--rootdir", folder, "-p", "no:faulthandler"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-n", "2", "--dist", "loadgroup", folder],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=200,
    )


def test_a_worker_that_crashes_ends_the_run_red_within_a_minute(tmp_path: Path) -> None:
    ended = run_of(TESTS, tmp_path)
    assert time.time() - (tmp_path / "crashed").stat().st_mtime < 60
    assert ended.returncode == 1, ended.stdout
    assert "FAILED test_crash.py::test_crash@crashing - worker " in ended.stdout
    assert "crashed: the run ends here" in ended.stdout


def test_a_worker_that_crashes_before_the_first_test_is_no_green_run(tmp_path: Path) -> None:
    ended = run_of(LATE_TO_COLLECT, tmp_path)
    assert ended.returncode == 1, ended.stdout
    assert "[gw0] node down" in ended.stdout
