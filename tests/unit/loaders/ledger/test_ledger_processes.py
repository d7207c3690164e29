import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

from loaders.ledger.processes import Process, is_dead, this_process, to_process

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="missing: /proc")


def test_we_live() -> None:
    assert not is_dead(this_process())


def test_a_process_is_known_by_what_is_written_of_it() -> None:
    us = this_process()
    assert to_process(str(us), us.place) == us
    assert str(us).startswith(f"{us.host}:{os.getpid()}:")


@needs_proc
def test_a_process_that_has_ended_is_dead_even_before_its_parent_has_noticed() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.DEVNULL)
    process = dataclasses.replace(this_process(), pid=child.pid, started="")
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert is_dead(process)
    child.wait()
    assert is_dead(process)


@needs_proc
def test_a_number_that_was_given_to_another_process_is_no_sign_of_life() -> None:
    assert is_dead(dataclasses.replace(this_process(), started="1"))


@pytest.mark.parametrize("change", [{"host": "elsewhere"}, {"place": "another/pid:[1]"}])
def test_a_process_elsewhere_is_never_taken_for_dead(change: dict[str, str]) -> None:
    gone: Process = dataclasses.replace(this_process(), pid=2**22 + 1, started="1")
    assert is_dead(gone)
    assert not is_dead(dataclasses.replace(gone, **change))
