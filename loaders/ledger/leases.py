"""Leases, taken, checked, renewed and given back: one upload of an app at a time, on all machines.

The clocks of machines that share a ledger must agree to well within a lease's time to live.
"""

import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from loaders.ledger.engine import insert_or
from loaders.ledger.ledger import Ledger
from loaders.ledger.processes import Process, is_dead, this_process, to_process
from loaders.ledger.tables import leases
from schemas.errors import BusyError, StateError

_log = logging.getLogger(__name__)

_TTL = timedelta(minutes=2)
_RENEWALS_A_TTL = 4


class Lease:
    """A lease on `key`; `app_lease` takes one, renews it meanwhile and gives it back."""

    def __init__(
        self, ledger: Ledger, key: str, *, now: Callable[[], datetime], ttl: timedelta
    ) -> None:
        self.key = key
        self.token = secrets.token_hex(16)
        self._ledger = ledger
        self._now = now
        self._ttl = ttl

    def take(self) -> None:
        """Takes the lease, if it is free: given back, run out, or its holder certainly is no more.

        Raises:
            BusyError: another process holds it.
            StateError: the ledger cannot be used.
        """
        self._ledger.in_transaction(self._taken)

    def check(self) -> None:
        """Makes the lease last a full time to live from now; right before what it protects.

        Raises:
            BusyError: it was lost: it had run out, and another run took it.
            StateError: the ledger cannot be used.
        """
        renewed = leases.update().where(self._is_ours).values(expires_at=self._now() + self._ttl)
        if self._ledger.in_transaction(lambda connection: connection.execute(renewed).rowcount):
            return
        raise BusyError(
            f"the lease on {self.key} ran out and another run took it: nothing more is sent; run"
            " again when that one has ended"
        )

    def renew_until(self, is_over: threading.Event) -> None:
        """Renews the lease until it is over or lost; `check` raises that, and this does not."""
        pause_s = self._ttl.total_seconds() / _RENEWALS_A_TTL
        while not is_over.wait(pause_s):
            try:
                self.check()
            except BusyError as error:
                _log.warning("%s", error)
                return
            except StateError as error:
                _log.warning("the lease on %s could not be renewed: %s", self.key, error)

    def give_back(self) -> None:
        """Lets others take the lease; one that is lost already stays its new holder's."""
        given_back = leases.delete().where(self._is_ours)
        try:
            self._ledger.in_transaction(lambda connection: connection.execute(given_back))
        except StateError as error:
            _log.warning("the lease on %s is left to run out: %s", self.key, error)

    @property
    def _is_ours(self) -> sa.ColumnElement[bool]:
        return (leases.c.key == self.key) & (leases.c.token == self.token)

    def _taken(self, connection: sa.Connection) -> None:
        """Each way to take it is one statement that changes one row or none."""
        now, us = self._now(), this_process()
        ours = {
            "token": self.token,
            "holder": str(us),
            "place": us.place,
            "taken_at": now,
            "expires_at": now + self._ttl,
        }
        insert = insert_or(connection, leases)
        new = insert.values(key=self.key, **ours).on_conflict_do_nothing().returning(leases.c.key)
        # Not by its rowcount, which SQLAlchemy leaves at -1 for an INSERT on PostgreSQL.
        if connection.execute(new).first() is not None:
            return
        other = connection.execute(leases.select().where(leases.c.key == self.key)).first()
        if other is not None and not _is_free(other, now):
            raise _busy(other)
        was = leases.c.token == (other.token if other is not None else "")
        takeover = leases.update().where(leases.c.key == self.key, was).values(**ours)
        if not connection.execute(takeover).rowcount:
            raise BusyError(
                f"another run came in between on {self.key}: run again when it has ended"
            )
        _log.info("took over the lease on %s: its holder is gone", self.key)


@contextmanager
def app_lease(
    ledger: Ledger, key: str, *, now: Callable[[], datetime], ttl: timedelta = _TTL
) -> Iterator[Lease]:
    """Holds the lease on `key` for as long as the block lasts; a thread renews it meanwhile.

    Args:
        ledger: where the leases are.
        key: what is protected.
        now: the time, with a zone.
        ttl: how long the lease outlives its last renewal.

    Raises:
        BusyError: another process holds it.
        StateError: the ledger cannot be used.
    """
    lease = Lease(ledger, key, now=now, ttl=ttl)
    lease.take()
    is_over = threading.Event()
    renewing = threading.Thread(
        target=lease.renew_until, args=(is_over,), name=f"lease {key}", daemon=True
    )
    renewing.start()
    try:
        yield lease
    finally:
        is_over.set()
        renewing.join()
        lease.give_back()


def _is_free(row: sa.Row[Any], now: datetime) -> bool:
    return bool(row.expires_at <= now) or is_dead(to_process(row.holder, row.place))


def _busy(row: sa.Row[Any]) -> BusyError:
    holder = to_process(row.holder, row.place)
    return BusyError(
        f"another run is at work on {row.key}: process {holder.pid} on {holder.host}, since"
        f" {row.taken_at:%Y-%m-%d %H:%M:%S} UTC: wait for it to end; if it was lost with its"
        f" machine, its lease ends at {row.expires_at:%H:%M:%S} UTC"
    )


# Who holds leases, for whoever looks after others' runs.


@dataclass(frozen=True, slots=True)
class Holding:
    """A lease as it stands in the ledger.

    Attributes:
        key: what it protects.
        token: whose it is: of one that was lost and taken again it is another.
        holder: the process that took it.
        is_alive: whether that process may still be at work: the lease has not run out, and the
            process is not certainly gone.
    """

    key: str
    token: str
    holder: Process
    is_alive: bool


def holdings(ledger: Ledger, prefix: str, now: datetime) -> list[Holding]:
    """The leases whose key begins with `prefix`, by key."""
    query = leases.select().where(leases.c.key.startswith(prefix, autoescape=True))
    rows = ledger.in_transaction(
        lambda connection: connection.execute(query.order_by(leases.c.key)).all()
    )
    return [
        Holding(row.key, row.token, to_process(row.holder, row.place), not _is_free(row, now))
        for row in rows
    ]


def forget(ledger: Ledger, holding: Holding) -> None:
    """Takes a lease away whose holder is gone; one that another has taken since stays."""
    is_same = (leases.c.key == holding.key) & (leases.c.token == holding.token)
    ledger.in_transaction(lambda connection: connection.execute(leases.delete().where(is_same)))
