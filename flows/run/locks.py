"""A run's turn with an app: the leases that keep every other run away from it meanwhile."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from flows.run.context import Tools
from loaders.ledger.leases import Lease, app_lease


class Turn:
    """The leases a run holds; `a_turn` makes one and gives all of them back at its end."""

    def __init__(self, tools: Tools, stack: ExitStack) -> None:
        self._tools = tools
        self._stack = stack
        self._leases: dict[str, Lease] = {}

    def take(self, app: str) -> None:
        """Takes the lease of an app, by the name or the id it goes by; once is enough.

        Raises:
            BusyError: another run holds it.
        """
        key = f"{self._tools.settings.api_url} {app}"
        if key not in self._leases:
            lease = app_lease(self._tools.ledger, key, now=self._tools.now)
            self._leases[key] = self._stack.enter_context(lease)

    def check(self) -> None:
        """Makes sure that nothing is written when the turn is over.

        Raises:
            BusyError: a lease was lost.
        """
        for lease in self._leases.values():
            lease.check()


@contextmanager
def a_turn(tools: Tools) -> Iterator[Turn]:
    """A turn, without a lease yet."""
    with ExitStack() as stack:
        yield Turn(tools, stack)
