"""Leases: never two uploads of one app at once, also across machines.

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
from sqlalchemy.dialects import postgresql, sqlite

from loaders.ledger.ledger import Ledger
from loaders.ledger.processes import is_dead, this_process, to_process
from loaders.ledger.tables import leases
from schemas.errors import BusyError, StateError

_log = logging.getLogger(__name__)

_TTL = timedelta(minutes=2)
_RENEWALS_A_TTL = 4


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that is held; `app_lease` makes one."""

    key: str
    token: str
    _ledger: Ledger
    _now: Callable[[], datetime]
    _ttl: timedelta

    def check(self) -> None:
        """Make the lease last a full time to live from now; right before what it protects.

        Raises:
            BusyError: it was lost: it had run out, and another run took it.
            StateError: the ledger cannot be used.
        """
        renewed = leases.update().where(_is_ours(self)).values(expires_at=self._now() + self._ttl)
        if self._ledger.in_transaction(lambda connection: connection.execute(renewed).rowcount):
            return
        raise BusyError(
            f"the lease on {self.key} ran out and another run took it: nothing more is sent; run"
            " again when that one has ended"
        )


@contextmanager
def app_lease(
    ledger: Ledger, key: str, *, now: Callable[[], datetime], ttl: timedelta = _TTL
) -> Iterator[Lease]:
    """Hold the lease on `key` for as long as the block lasts; a thread renews it meanwhile.

    Args:
        ledger: where the leases are.
        key: what is protected.
        now: the time, with a zone.
        ttl: how long the lease outlives its last renewal.

    Raises:
        BusyError: another process holds it.
        StateError: the ledger cannot be used.
    """
    lease = Lease(key, secrets.token_hex(16), ledger, now, ttl)
    ledger.in_transaction(lambda connection: _take(connection, lease))
    is_over = threading.Event()
    renewing = threading.Thread(
        target=_keep, args=(lease, is_over), name=f"lease {key}", daemon=True
    )
    renewing.start()
    try:
        yield lease
    finally:
        is_over.set()
        renewing.join()
        _release(lease)


def _is_ours(lease: Lease) -> sa.ColumnElement[bool]:
    return (leases.c.key == lease.key) & (leases.c.token == lease.token)


def _take(connection: sa.Connection, lease: Lease) -> None:
    """Take the lease if it is free; each way is one statement that changes one row or none."""
    now, us = lease._now(), this_process()
    ours = {
        "token": lease.token,
        "holder": str(us),
        "place": us.place,
        "taken_at": now,
        "expires_at": now + lease._ttl,
    }
    is_sqlite = connection.dialect.name == "sqlite"
    insert = sqlite.insert(leases) if is_sqlite else postgresql.insert(leases)
    taken = insert.values(key=lease.key, **ours).on_conflict_do_nothing().returning(leases.c.key)
    # Not by its rowcount, which SQLAlchemy leaves at -1 for an INSERT on PostgreSQL.
    if connection.execute(taken).first() is not None:
        return
    held = connection.execute(leases.select().where(leases.c.key == lease.key)).first()
    if held is not None and not _is_free(held, now):
        raise _busy(held)
    was = leases.c.token == (held.token if held is not None else "")
    takeover = leases.update().where(leases.c.key == lease.key, was).values(**ours)
    if not connection.execute(takeover).rowcount:
        raise BusyError(f"another run came in between on {lease.key}: run again when it has ended")
    _log.info("took over the lease on %s: its holder is gone", lease.key)


def _is_free(held: sa.Row[Any], now: datetime) -> bool:
    return bool(held.expires_at <= now) or is_dead(to_process(held.holder, held.place))


def _busy(held: sa.Row[Any]) -> BusyError:
    holder = to_process(held.holder, held.place)
    return BusyError(
        f"another run is at work on {held.key}: process {holder.pid} on {holder.host}, since"
        f" {held.taken_at:%Y-%m-%d %H:%M:%S} UTC: wait for it to end; if it was lost with its"
        f" machine, its lease ends at {held.expires_at:%H:%M:%S} UTC"
    )


def _keep(lease: Lease, is_over: threading.Event) -> None:
    """Renew the lease until it is over or lost. `check` tells its holder, so nothing is raised."""
    pause_s = lease._ttl.total_seconds() / _RENEWALS_A_TTL
    while not is_over.wait(pause_s):
        try:
            lease.check()
        except BusyError as error:
            _log.warning("%s", error)
            return
        except StateError as error:
            _log.warning("the lease on %s could not be renewed: %s", lease.key, error)


def _release(lease: Lease) -> None:
    given_back = leases.delete().where(_is_ours(lease))
    try:
        lease._ledger.in_transaction(lambda connection: connection.execute(given_back))
    except StateError as error:
        _log.warning("the lease on %s is left to run out: %s", lease.key, error)
