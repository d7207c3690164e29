"""Two pieces of work at once: polars works outside the interpreter's lock."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")
_Other = TypeVar("_Other")

THREADS = 2
AHEAD = THREADS + 1
"""Results that may wait: more would only fill memory."""


def two_at_once(work: Callable[[_Item], _Made], items: Iterable[_Item]) -> Iterator[_Made]:
    """What `work` makes of each item, in the items' order, never far ahead of who takes it."""
    waiting: deque[Future[_Made]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) >= AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def both(work: Callable[[], _Made], other: Callable[[], _Other]) -> tuple[_Made, _Other]:
    """What `work` and `other` make, done at the same time."""
    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(other)
        return work(), beside.result()
