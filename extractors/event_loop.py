"""An event loop in a thread of its own: what is asynchronous, called from where nothing is."""

import asyncio
from collections.abc import Coroutine
from threading import Thread
from typing import Any, TypeVar

_Done = TypeVar("_Done")


class EventLoop:
    """Runs coroutines one after the other, and keeps connections alive in between."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, _Done], timeout_s: float) -> _Done:
        """What the coroutine returns; TimeoutError where it takes longer."""
        within = asyncio.wait_for(coroutine, timeout_s)
        future = asyncio.run_coroutine_threadsafe(within, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """Ends the loop and its threads."""
        asyncio.run_coroutine_threadsafe(
            self._loop.shutdown_default_executor(), self._loop
        ).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
