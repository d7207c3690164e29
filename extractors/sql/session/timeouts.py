"""How long a server may say nothing before it counts as lost, and what is done after a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer

_LONGEST_GRACE_S = 60.0


def read_timeout_s(timeout_s: float) -> float:
    """Returns the longest silence, in seconds, of a server that ends statements after `timeout_s`.

    A server that is alive speaks first.
    """
    return timeout_s + min(timeout_s, _LONGEST_GRACE_S)


@contextmanager
def deadline(after_s: float, act: Callable[[], object]) -> Iterator[None]:
    """Does `act`, in a thread of its own, where the block takes longer than `after_s`.

    It is not at work any more when the block has ended: what it acts on may be closed next.
    """
    watch = Timer(after_s, act)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()
        watch.join()
