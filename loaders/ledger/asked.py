"""Which runs were asked for in place of one that was due: each once, however many ask at once."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from loaders.ledger.ledger import Ledger
from loaders.ledger.tables import asked

_KEPT_FOR = timedelta(days=30)


def next_ask(
    ledger: Ledger,
    source: str,
    kind: str,
    due_at: datetime,
    now: datetime,
    *,
    at_most: int,
    patience: timedelta,
) -> int | None:
    """The number of the run to ask for now, from 1; None where none is to be asked for.

    None is: there were `at_most` already, or one was asked for less than `patience` ago, whenever
    that was due: a night's and a schedule's own time are served by one run. What is returned is
    written down, by one process after the other: whoever asks next gets the next number.

    Args:
        ledger: where it is written down.
        source: the source's name.
        kind: what is run: a kind of run, or a flow.
        due_at: when it was due, UTC.
        now: the time, UTC.
        at_most: how many are asked for in all.
        patience: how long one that was asked for may take to begin.
    """
    is_meant = (asked.c.source == source) & (asked.c.kind == kind)
    this_time = is_meant & (asked.c.due_at == due_at)

    def ask(connection: sa.Connection) -> int | None:
        if connection.dialect.name == "postgresql":
            # SQLite's transactions exclude each other as they are.
            lock = sa.func.hashtextextended(f"asked {source} {kind}", 0)
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock)))
        numbered = sa.select(sa.func.max(asked.c.number)).where(this_time).scalar_subquery()
        newest = sa.select(sa.func.max(asked.c.asked_at)).where(is_meant).scalar_subquery()
        last, asked_at = connection.execute(sa.select(numbered, newest)).one()
        number = int(last or 0) + 1
        if number > at_most or (asked_at is not None and now - asked_at < patience):
            return None
        row = {"source": source, "kind": kind, "due_at": due_at, "number": number, "asked_at": now}
        connection.execute(asked.delete().where(is_meant, asked.c.due_at < due_at - _KEPT_FOR))
        connection.execute(asked.insert().values(row))
        return number

    return ledger.in_transaction(ask)


def asked_count(ledger: Ledger, source: str, kind: str, due_at: datetime) -> int:
    """How many runs were asked for in place of the one that was due then."""
    is_meant = (asked.c.source == source) & (asked.c.kind == kind) & (asked.c.due_at == due_at)
    counted = sa.select(sa.func.count()).select_from(asked).where(is_meant)
    return ledger.in_transaction(lambda connection: int(connection.scalar(counted) or 0))
