"""Runs side by side in one process: so many at work at once, and all of them told to stop."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from types import FrameType
from typing import TypeVar

_Result = TypeVar("_Result")

GRACE_S = 10.0
"""How long a run that was told to stop may take to notice; it looks between its steps."""

_LOOK_S = 0.2


class StoppedError(BaseException):
    """The process was told to stop. No failure of a run: its next one goes on where it stood."""


class Slots:
    """So many runs at work at once. One that sleeps lets another work meanwhile.

    A run that wakes up goes before one that is yet to begin: what is in memory is let go first.
    """

    def __init__(self, count: int) -> None:
        """Prepares `count` slots, all free."""
        self._changed = threading.Condition()
        self._free = count
        self._waking_count = 0
        self._is_stopped = threading.Event()
        self._stopped_at = 0.0
        self._thread = threading.local()

    def stop(self) -> None:
        """Ends every wait, now and later; whoever waits gets `StoppedError`."""
        self._stopped_at = time.monotonic()
        self._is_stopped.set()
        with self._changed:
            self._changed.notify_all()

    def stopped_for_s(self) -> float:
        """How long ago the process was told to stop, in seconds; 0 where it was not."""
        return time.monotonic() - self._stopped_at if self._is_stopped.is_set() else 0.0

    def check(self) -> None:
        """Raises where the process was told to stop.

        Raises:
            StoppedError: it was.
        """
        if self._is_stopped.is_set():
            raise StoppedError

    def wait_for_one(self) -> None:
        """Takes a slot for a run that is yet to begin; `held` gives it back.

        Raises:
            StoppedError: the process was told to stop.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_stopped.is_set() or (self._free > 0 and not self._waking_count)
            )
            self.check()
            self._free -= 1

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """The block in which this thread works in the slot that was taken for it."""
        self._thread.has_slot = True
        try:
            yield
        finally:
            if self._thread.has_slot:
                self._give_back()

    def sleep(self, seconds: float) -> None:
        """Waits for so many seconds, without the thread's slot.

        A thread that has none, such as one that sends a run's batches, only waits.

        Raises:
            StoppedError: the process was told to stop.
        """
        had_slot = getattr(self._thread, "has_slot", False)
        if had_slot:
            self._give_back()
        self._is_stopped.wait(seconds)
        self.check()
        if had_slot:
            self._take_again()

    def give_back(self) -> None:
        """Gives back a slot that was taken for a run which is not begun after all."""
        with self._changed:
            self._free += 1
            self._changed.notify_all()

    def _give_back(self) -> None:
        self._thread.has_slot = False
        self.give_back()

    def _take_again(self) -> None:
        with self._changed:
            self._waking_count += 1
            self._changed.wait_for(lambda: self._is_stopped.is_set() or self._free > 0)
            self._waking_count -= 1
            self.check()
            self._free -= 1
        self._thread.has_slot = True


def side_by_side(
    works: Sequence[Callable[[], _Result]], slots: Slots, grace_s: float = GRACE_S
) -> tuple[list[_Result | None], bool]:
    """What each work returned, in their order, and whether some did not end when told to stop.

    Each is begun in that order once a slot is free, in a thread of its own. One that was stopped,
    or never begun, returned None. What one raises is raised once all have ended.
    """
    results: list[_Result | None] = [None] * len(works)
    raised: list[BaseException] = []

    def work(number: int) -> None:
        try:
            with slots.held():
                results[number] = works[number]()
        except StoppedError:
            pass
        except BaseException as error:  # noqa: BLE001 - a thread has nobody else to tell
            raised.append(error)

    threads = []
    with contextlib.suppress(StoppedError):
        for number in range(len(works)):
            slots.wait_for_one()
            thread = threading.Thread(target=partial(work, number), daemon=True)
            thread.start()
            threads.append(thread)
    has_stuck = join(threads, slots, grace_s)
    if raised:
        raise raised[0]
    return results, has_stuck


def join(threads: Iterable[threading.Thread], slots: Slots, grace_s: float) -> bool:
    """Waits for the threads; whether some did not end within the grace after the stop."""
    waited_for = list(threads)
    for thread in waited_for:
        while thread.is_alive() and slots.stopped_for_s() <= grace_s:
            thread.join(_LOOK_S)
    return any(thread.is_alive() for thread in waited_for)


@contextlib.contextmanager
def stopped_by_signals(slots: Slots) -> Iterator[list[int]]:
    """The block in which SIGINT and SIGTERM stop the runs; the numbers of those that came.

    The second one ends the process at once, as it would without us.
    """
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came  # signals are the main thread's, which is somebody else's program
        return

    def stop(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        for known, before in handlers.items():
            signal.signal(known, before)
        slots.stop()

    handlers = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, before in handlers.items():
            signal.signal(number, before)
