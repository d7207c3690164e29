"""Decisions of people on runs: kept one after the other, the newest of a run holds."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

import sqlalchemy as sa

from loaders.ledger.ledger import Ledger, first_run, select_furthest, select_runs, to_run
from loaders.ledger.tables import decisions, runs
from schemas.errors import GuardError, StateError
from schemas.run import Decision, Run

_COLUMNS = [decisions.c[field.name] for field in fields(Decision)]


@dataclass(frozen=True, slots=True)
class DecidedRun:
    """A run, and the newest decision on it; None where nobody has decided."""

    run: Run
    decision: Decision | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a held run stands at the moment at which a person decides.

    Attributes:
        run: the run.
        decision: the newest decision on it; None where nobody has decided.
        furthest: the source's newest run that came further than reading: the run itself while it
            waits.
        carried_out_by: the run that carries out its plan, or has; None where none does.
    """

    run: Run
    decision: Decision | None
    furthest: Run | None
    carried_out_by: Run | None


def runs_called(ledger: Ledger, text: str) -> list[Run]:
    """The runs whose id, or the part of it after its time, begins with `text`; newest first."""
    is_called = runs.c.run_id.startswith(text, autoescape=True)
    is_called |= runs.c.run_id.contains(f"-{text}", autoescape=True)
    query = select_runs().where(is_called).order_by(runs.c.number.desc())
    rows = ledger.in_transaction(lambda connection: connection.execute(query).all())
    return [to_run(row) for row in rows]


def save_decision(
    ledger: Ledger, decision: Decision, check: Callable[[Standing], None]
) -> Standing:
    """Keeps a decision on a held run, unless `check` raises; how the run stood before.

    Nobody else decides on that run, and no run begins to carry it out, in between.

    Raises:
        StateError: there is no such run.
    """

    def save(connection: sa.Connection) -> Standing:
        standing = _standing(connection, decision.run_id)
        check(standing)
        add_decision(connection, decision)
        return standing

    return ledger.in_transaction(save)


def add_decision(connection: sa.Connection, decision: Decision) -> None:
    """Keeps a decision in the transaction of `connection`."""
    connection.execute(decisions.insert(), asdict(decision))


def check_approved(connection: sa.Connection, run_id: str) -> None:
    """Raises unless the held run's approval still holds, in the transaction of `connection`.

    Raises:
        GuardError: it was taken back.
    """
    _lock(connection, run_id)
    decision = _newest(connection, run_id)
    if decision is None or decision.decision != "approve":
        raise GuardError(
            f"the approval of run {run_id} was taken back before anything was sent: nothing was "
            "uploaded"
        )


def decisions_on(ledger: Ledger, run_id: str) -> list[Decision]:
    """Every decision on the run, newest first."""
    query = _select(run_id)
    rows = ledger.in_transaction(lambda connection: connection.execute(query).all())
    return [_to_decision(row) for row in rows]


def newest_decisions(ledger: Ledger) -> dict[str, Decision]:
    """The newest decision on each run, by the run's id."""
    query = sa.select(*_COLUMNS).order_by(decisions.c.number)
    rows = ledger.in_transaction(lambda connection: connection.execute(query).all())
    return {row.run_id: _to_decision(row) for row in rows}


def waiting_run(ledger: Ledger, source: str) -> DecidedRun | None:
    """The source's held run that waits, for a decision or to be carried out; None for none."""
    held = ledger.held_run(source)
    if held is None:
        return None
    said = decisions_on(ledger, held.run_id)
    return DecidedRun(held, said[0] if said else None)


def sources_with_held_runs(ledger: Ledger) -> list[str]:
    """The sources of which some run was ever held, by name."""
    query = sa.select(runs.c.source).where(runs.c.state == "held").distinct()
    return sorted(ledger.in_transaction(lambda connection: connection.scalars(query).all()))


def newest_rejection(
    ledger: Ledger, source: str, app_id: str | None, base_run_id: str | None
) -> DecidedRun | None:
    """The source's plan for that app, against that run, that was rejected last; None for none."""
    is_such = (
        (runs.c.source == source)
        & runs.c.app_id.is_not_distinct_from(app_id)
        & runs.c.base_run_id.is_not_distinct_from(base_run_id)
        & (decisions.c.decision == "reject")
    )
    joined = decisions.join(runs, runs.c.run_id == decisions.c.run_id)
    query = sa.select(*_COLUMNS).select_from(joined).where(is_such)
    newest = query.order_by(decisions.c.number.desc()).limit(1)

    def read(connection: sa.Connection) -> DecidedRun | None:
        row = connection.execute(newest).first()
        if row is None:
            return None
        run = first_run(connection, select_runs().where(runs.c.run_id == row.run_id))
        return None if run is None else DecidedRun(run, _to_decision(row))

    return ledger.in_transaction(read)


def _standing(connection: sa.Connection, run_id: str) -> Standing:
    _lock(connection, run_id)
    run = first_run(connection, select_runs().where(runs.c.run_id == run_id))
    if run is None:
        raise StateError(f"the ledger has no run {run_id}")
    carries = (runs.c.approves_run_id == run_id) & runs.c.state.not_in(["failed", "reading"])
    return Standing(
        run,
        _newest(connection, run_id),
        first_run(connection, select_furthest(run.source)),
        first_run(connection, select_runs().where(carries)),
    )


def _lock(connection: sa.Connection, run_id: str) -> None:
    """Lets no other transaction decide on the run meanwhile; SQLite's exclude each other anyway."""
    connection.execute(sa.select(runs.c.number).where(runs.c.run_id == run_id).with_for_update())


def _newest(connection: sa.Connection, run_id: str) -> Decision | None:
    row = connection.execute(_select(run_id).limit(1)).first()
    return None if row is None else _to_decision(row)


def _select(run_id: str) -> sa.Select[Any]:
    query = sa.select(*_COLUMNS).where(decisions.c.run_id == run_id)
    return query.order_by(decisions.c.number.desc())


def _to_decision(row: sa.Row[Any]) -> Decision:
    return Decision(**row._asdict())
