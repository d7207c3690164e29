"""A command that is measured as a process of its own, in turns with those it is compared with."""

import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


def _as_in_a_shell() -> dict[str, str]:
    """The environment without what polars, once loaded, leaves to the process's children."""
    return {name: value for name, value in os.environ.items() if name != "_RJEM_MALLOC_CONF"}


@dataclass
class Contestant:
    """A command, and what its rounds took: wall seconds, CPU seconds, peak MiB."""

    name: str
    words: list[str]
    env: dict[str, str] = field(default_factory=dict)
    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What the command finds in its environment."""
        return _as_in_a_shell() | self.env

    def run(self, out: Path) -> None:
        """One round, timed from outside; `out` is emptied first."""
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        began = time.perf_counter()
        child = subprocess.Popen(
            self.words,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        said = child.stderr.read() if child.stderr else b""
        _, status, used = os.wait4(child.pid, 0)
        if status:
            raise SystemExit(f"{self.name} failed:\n{said.decode()[-2000:]}")
        self.walls.append(time.perf_counter() - began)
        self.cpus.append(used.ru_utime + used.ru_stime)
        self.peaks.append(used.ru_maxrss / 1024)

    @property
    def wall_s(self) -> float:
        """The median of wall seconds."""
        return statistics.median(self.walls)

    @property
    def cpu_s(self) -> float:
        """The median of CPU seconds, user and system."""
        return statistics.median(self.cpus)

    @property
    def peak_mib(self) -> float:
        """The largest peak of resident memory."""
        return max(self.peaks)


def in_turns(contestants: Sequence[Contestant], rounds: int, out: Path) -> None:
    """Runs each once a round, one after the other, so that what drifts drifts for all."""
    for _ in range(rounds):
        for one in contestants:
            one.run(out)
