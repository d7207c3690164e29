"""Whether the ledger knows the archive's runs, and what a person's repair writes down."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from loaders.ledger.ledger import Ledger, next_number
from loaders.ledger.tables import adopted, repairs, runs

_CHUNK = 500
_UNENDED = ("reading", "planned", "submitted")


def unknown_runs(ledger: Ledger, source: str, run_ids: Iterable[str]) -> list[str]:
    """Those of the source's runs in the archive that the ledger never had, in order.

    Every run is in the ledger before anything of it is in the archive: another ledger wrote these,
    or a later state of this one. Without those that a repair has adopted.
    """

    def known(connection: sa.Connection) -> set[str]:
        of_source = [sa.select(table.c.run_id).where(table.c.source == source) for table in _KNOWN]
        return set(connection.scalars(sa.union_all(*of_source)))

    wanted = set(run_ids)
    return sorted(wanted - ledger.in_transaction(known)) if wanted else []


_KNOWN = (runs, adopted)


def repair(
    ledger: Ledger, found: Iterable[tuple[str, str]], actor: str, reason: str, now: datetime
) -> int:
    """Takes ledger and archive as one pair from now on; how many runs were not at their end.

    Those are ended, and nothing of them is sent: they may be of an older state. Every app is in
    doubt until its next accepted run.

    Args:
        ledger: the ledger.
        found: source and id of each run that `unknown_runs` told.
        actor: who repairs, `user@host`.
        reason: why.
        now: the time, with a zone.
    """
    rows = [{"source": source, "run_id": run_id} for source, run_id in found]

    def write(connection: sa.Connection) -> int:
        unended = connection.scalars(
            sa.select(runs.c.run_id).where(runs.c.state.in_(_UNENDED)).order_by(runs.c.number)
        ).all()
        for run_id in unended:
            ended = runs.update().where(runs.c.run_id == run_id)
            connection.execute(
                ended.values(
                    state="failed",
                    ended_at=now,
                    error="ended by a repair",
                    end_number=next_number(connection),
                )
            )
        for start in range(0, len(rows), _CHUNK):
            connection.execute(adopted.insert(), rows[start : start + _CHUNK])
        connection.execute(
            repairs.insert().values(
                end_number=next_number(connection), actor=actor, reason=reason, repaired_at=now
            )
        )
        return len(unended)

    return ledger.in_transaction(write)
