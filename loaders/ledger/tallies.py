"""How many runs ended how: counts over the whole ledger, which never lose a run."""

from dataclasses import dataclass

import sqlalchemy as sa

from loaders.ledger.ledger import Ledger
from loaders.ledger.tables import runs
from schemas.run import OPEN_STATES, RunKind, RunState


@dataclass(frozen=True, slots=True)
class RunTally:
    """How many runs of one source and kind ended in one state."""

    source: str
    kind: RunKind
    state: RunState
    count: int


def run_tallies(ledger: Ledger) -> list[RunTally]:
    """The runs that ended, counted by source, kind and state, in that order."""
    key = (runs.c.source, runs.c.kind, runs.c.state)
    has_ended = runs.c.state.not_in(["reading", *OPEN_STATES])
    query = sa.select(*key, sa.func.count().label("count")).where(has_ended).group_by(*key)
    rows = ledger.in_transaction(lambda connection: connection.execute(query.order_by(*key)).all())
    return [RunTally(**row._asdict()) for row in rows]
