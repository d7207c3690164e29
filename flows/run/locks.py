"""The leases on apps that a run holds: they keep every other run away meanwhile."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from flows.run.context import RunContext
from loaders.ledger.leases import Lease, app_lease


class AppLocks:
    """The leases a run holds; `app_locks` makes one."""

    def __init__(self, context: RunContext, stack: ExitStack) -> None:
        self._context = context
        self._stack = stack
        self._leases: dict[str, Lease] = {}

    def take(self, app: str) -> None:
        """Takes the lease of an app, by the name or the id it goes by; once is enough.

        Raises:
            BusyError: another run holds it.
        """
        key = f"{self._context.settings.api_url} {app}"
        if key not in self._leases:
            lease = app_lease(self._context.ledger, key, now=self._context.now)
            self._leases[key] = self._stack.enter_context(lease)

    def check(self) -> None:
        """Raises unless every lease is held: the check of each request that changes something.

        Raises:
            BusyError: a lease was lost, or the run was stopped.
        """
        self._context.may_send()
        for lease in self._leases.values():
            lease.check()


@contextmanager
def app_locks(context: RunContext) -> Iterator[AppLocks]:
    """The locks of one run, without a lease yet; all leases are given back at the end."""
    with ExitStack() as stack:
        yield AppLocks(context, stack)
