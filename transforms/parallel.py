"""Two pieces of work at once: polars works outside the interpreter's lock."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar, cast

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


_END = object()


def one_ahead(items: Iterator[_Item]) -> Iterator[_Item]:
    """The items; the next one is made while whoever takes them is at work with the one before.

    All of them are made in one thread, which closes `items` as well.
    """
    with ThreadPoolExecutor(1) as pool:
        try:
            following = pool.submit(next, items, _END)
            while (item := following.result()) is not _END:
                following = pool.submit(next, items, _END)
                yield cast("_Item", item)
        finally:
            pool.submit(_close, items).result()


def _close(items: object) -> None:
    if isinstance(items, Generator):
        items.close()


def both(work: Callable[[], _Made], other: Callable[[], _Other]) -> tuple[_Made, _Other]:
    """What `work` and `other` make, done at the same time."""
    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(other)
        return work(), beside.result()
