"""A run's turn with an app: the leases that keep every other run away from it meanwhile."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from flows.run.context import RunContext
from loaders.ledger.leases import Lease, app_lease


class AppLocks:
    """The leases a run holds; `app_locks` makes one and gives all of them back at its end."""

    def __init__(self, context: RunContext, stack: ExitStack) -> None:
        self._tools = context
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
def app_locks(context: RunContext) -> Iterator[AppLocks]:
    """A turn, without a lease yet."""
    with ExitStack() as stack:
        yield AppLocks(context, stack)
