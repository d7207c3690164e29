"""The rate limit of a token, as the API's headers tell it: one budget for all threads."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from loaders.lumos.responses import rate_told

_log = logging.getLogger(__name__)

_LONGEST_PAUSE_S = 60.0
_LOOK_S = 0.05
"""How soon a request that others keep back looks again whether an answer has told of room."""


class RateBudget:
    """How many requests may be sent now. Where no header tells a limit, any number."""

    def __init__(self, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        """Knows of no limit yet.

        Args:
            clock: seconds, only ever growing.
            sleep: waits for so many seconds.
        """
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._not_before = 0.0
        self._under_way = 0
        self._left: int | None = None
        self._limit = 0
        self._ends_at = 0.0
        self._window_s = 0.0

    @contextmanager
    def request(self) -> Iterator[None]:
        """The block in which one request is under way; it begins once the limit has room for it."""
        has_told = False
        while (pause_s := self._begin()) > 0:
            if not has_told and pause_s > _LOOK_S:
                _log.info("the rate limit is used up: waiting %.1f s", pause_s)
                has_told = True
            self._sleep(pause_s)
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1

    def _begin(self) -> float:
        """Begins a request and returns 0; or seconds after which to ask again."""
        with self._lock:
            now = self._clock()
            if now >= self._ends_at:
                self._left = None
            if now < self._not_before:
                return self._not_before - now
            if self._left == 0:
                # Answers of requests under way may tell of more room than was reckoned with.
                return _LOOK_S if self._under_way > 0 else self._ends_at - now
            if self._left is not None:
                self._left -= 1
            self._under_way += 1
            return 0.0

    def note(self, response: httpx.Response) -> None:
        """Takes in what an answer tells; it is called while its request is under way."""
        told = rate_told(response)
        if told is None:
            return
        with self._lock:
            self._limit = told.limit or self._limit
            # The first answer of a window tells nearly all of it.
            self._window_s = max(self._window_s, told.resets_in_s)
            # The server may not have counted yet what else is under way.
            self._left = max(0, told.remaining - (self._under_way - 1))
            self._ends_at = self._clock() + min(told.resets_in_s, _LONGEST_PAUSE_S)

    def hold_back(self, pause_s: float | None, longest_s: float) -> None:
        """Keeps back every request for so many seconds, at most `longest_s`; None for no time."""
        if pause_s is not None:
            with self._lock:
                not_before = self._clock() + min(pause_s, longest_s)
                self._not_before = max(self._not_before, not_before)

    def least_s(self, requests: int) -> float:
        """Seconds that so many more requests take at least, by what the headers told; 0 if none."""
        with self._lock:
            left, limit = self._left, self._limit
            if left is None or not limit or requests <= left:
                return 0.0
            windows = -(-(requests - left) // limit)
            return max(0.0, self._ends_at - self._clock()) + (windows - 1) * self._window_s
