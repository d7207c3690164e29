"""Work under way: its stage, how much is done, how fast, and how long it may still take."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from rich.console import Console

Moved = Callable[[str, int, int], None]
"""Told (stage, how much is done, of how much; 0 where that is not known)."""

LineOf = Callable[[str], AbstractContextManager[Moved]]
"""Gives a line by its name, for a block: a callback in whose words it is told."""

EVERY_S = 10.0
"""How often it is told where nobody watches."""

_ENOUGH_S = 3.0
"""A rate over less time than this says little."""
_MINUTE, _HOUR = 60, 3600


@dataclass(slots=True)
class Work:
    """What one line tells.

    Attributes:
        name: whose work it is; "" for none.
        stage: what is being done.
        done: how much of it is.
        total: of how much; 0 where that is not known.
        clock: seconds, as `time.monotonic` counts them.
    """

    name: str
    stage: str = ""
    done: int = 0
    total: int = 0
    clock: Callable[[], float] = time.monotonic
    _began_at: float = field(init=False)
    _done_before: int = 0

    def __post_init__(self) -> None:
        self._began_at = self.clock()

    def moved(self, stage: str, done: int, total: int) -> None:
        """Takes note of how far it is; another stage begins its own count."""
        if stage != self.stage:
            self.stage, self._began_at, self._done_before = stage, self.clock(), done
        self.done, self.total = done, total

    @property
    def title(self) -> str:
        """Whose work, and its stage."""
        return ": ".join(filter(None, (self.name, self.stage)))

    @property
    def figures(self) -> str:
        """How much, how fast, for how long it is at work or may still be; only what is known."""
        spent = self.clock() - self._began_at
        parts = []
        if self.done:
            parts.append(f"{self.done:,}" + (f" of {self.total:,}" if self.total else ""))
        rate = (self.done - self._done_before) / spent if spent >= _ENOUGH_S else 0.0
        if rate > 0:
            parts.append(f"{rate:,.0f}/s" if rate >= 1 else f"{rate * _MINUTE:,.0f}/min")
        if rate > 0 and self.total > self.done:
            parts.append(f"about {_span((self.total - self.done) / rate)} left")
        elif spent >= _ENOUGH_S:
            parts.append(f"for {_span(spent)}")
        return ", ".join(parts)


def _span(seconds: float) -> str:
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


@contextmanager
def plain_lines(tell: Callable[[str], None], every_s: float = EVERY_S) -> Iterator[LineOf]:
    """Lines for where nobody watches: what is at work is told every so many seconds."""
    works: list[Work] = []
    has_ended = threading.Event()

    def watch() -> None:
        while not has_ended.wait(every_s):
            for work in tuple(works):
                if work.stage:
                    tell(": ".join(filter(None, (work.title, work.figures))))

    @contextmanager
    def line_of(name: str) -> Iterator[Moved]:
        work = Work(name)
        works.append(work)
        try:
            yield work.moved
        finally:
            works.remove(work)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield line_of
    finally:
        has_ended.set()
        thread.join()


@contextmanager
def watched_lines(console: Console) -> Iterator[LineOf]:
    """Lines at a terminal, that move."""
    from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task
    from rich.table import Column
    from rich.text import Text

    class Told(ProgressColumn):
        """The line of a piece of work, cut where the terminal ends."""

        def render(self, task: Task) -> Text:
            """As it is now."""
            work = task.fields["work"]
            return Text("  ".join(filter(None, (work.title, work.figures))))

    told = Told(table_column=Column(no_wrap=True, overflow="ellipsis"))
    with Progress(SpinnerColumn(), told, console=console, transient=True) as bar:

        @contextmanager
        def line_of(name: str) -> Iterator[Moved]:
            work = Work(name)
            task = bar.add_task("", total=None, work=work)
            try:
                yield work.moved
            finally:
                bar.remove_task(task)

        yield line_of
