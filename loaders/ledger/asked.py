"""Which runs were asked for in place of one that was due: each once, however many ask at once."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from loaders.ledger.engine import insert_or
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

    None is: there were `at_most` already, the last was asked for less than `patience` ago, or
    another process asks for it at this moment. What is returned is written down: whoever asks next
    gets the next number.

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
        newest = sa.select(asked.c.number, asked.c.asked_at).where(this_time)
        last = connection.execute(newest.order_by(asked.c.number.desc()).limit(1)).first()
        number = 1 if last is None else int(last.number) + 1
        if number > at_most or (last is not None and now - last.asked_at < patience):
            return None
        insert = insert_or(connection, asked)
        row = {"source": source, "kind": kind, "due_at": due_at, "number": number, "asked_at": now}
        new = insert.values(row).on_conflict_do_nothing().returning(asked.c.number)
        connection.execute(asked.delete().where(is_meant, asked.c.due_at < due_at - _KEPT_FOR))
        return number if connection.execute(new).first() is not None else None

    return ledger.in_transaction(ask)


def asked_count(ledger: Ledger, source: str, kind: str, due_at: datetime) -> int:
    """How many runs were asked for in place of the one that was due then."""
    is_meant = (asked.c.source == source) & (asked.c.kind == kind) & (asked.c.due_at == due_at)
    counted = sa.select(sa.func.count()).select_from(asked).where(is_meant)
    return ledger.in_transaction(lambda connection: int(connection.scalar(counted) or 0))
