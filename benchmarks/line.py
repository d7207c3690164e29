"""A line of the table that `benchmarks.all` prints: what is measured, beside what, against what."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from benchmarks.contestant import Contestant


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured.

    Attributes:
        is_full: whether the sizes are those of the table's targets; small ones take seconds.
        rounds: how often each contestant runs.
        before: the Python of an environment with an earlier build, to be compared with; None
            where there is none.
        peers: the Python of an environment with the peers; None where there is none.
    """

    is_full: bool = False
    rounds: int = 1
    before: str | None = None
    peers: str | None = None

    def of(self, small: int, full: int) -> int:
        """The one of the two numbers that is meant."""
        return full if self.is_full else small

    def builds(self) -> list[tuple[str, str]]:
        """Names and Pythons of the builds that run in turns: this one first."""
        earlier = [("before", self.before)] if self.before else []
        return [("ours", sys.executable), *earlier]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a line came to.

    Attributes:
        what: what was measured, with its size.
        ours: what is measured.
        beside: what it is compared with; None where nothing is at hand.
        most: the most that ours may take, in times of `beside`.
        by: which seconds are compared.
        most_s: the most seconds that ours may take by the wall's clock, on an idle machine.
        most_mib: the most memory it may take, at full size.
    """

    what: str
    ours: Contestant
    beside: Contestant | None = None
    most: float | None = None
    by: Literal["wall", "cpu"] = "cpu"
    most_s: float | None = None
    most_mib: float | None = None

    @property
    def ratio(self) -> float | None:
        """Ours in times of what it is compared with; None where that is nothing."""
        if self.beside is None:
            return None
        if self.by == "wall":
            return self.ours.wall_s / self.beside.wall_s
        return self.ours.cpu_s / self.beside.cpu_s


Measure = Callable[[Size], Iterable[Outcome]]
"""Makes its data, runs its contestants in turns, and returns what they came to.

A line is a module of one of these folders with a function `measure` of this kind, and stands in
`benchmarks.all`. Where a server that it needs is not there, it raises OSError, and the table says
so.
"""
