"""The ledger: every run there was, and how far it came. What the next run goes by."""

import secrets
from collections.abc import Callable, Collection
from dataclasses import asdict, fields
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self, TypedDict, TypeVar, Unpack, get_type_hints

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from loaders.ledger.engine import ledger_name, migrate, reason_of, to_engine
from loaders.ledger.tables import order, repairs, runs, watermarks
from schemas.errors import BusyError, StateError, raise_as
from schemas.run import OPEN_STATES, Run, RunKind, RunScope, RunState, SeenBreach, StageUse

# A run as the ledger's table holds it: to a row, from a row, and what a field can hold.

_COLUMNS = [runs.c[field.name] for field in fields(Run)]
_FIELD_CHECKS: dict[str, TypeAdapter[Any]] = {
    name: TypeAdapter(hint) for name, hint in get_type_hints(Run).items() if name != "run_id"
}


def select_runs(source: str | None = None) -> sa.Select[Any]:
    """The query for runs, of one source or of all; each row is one for `to_run`."""
    query = sa.select(*_COLUMNS)
    return query if source is None else query.where(runs.c.source == source)


def select_furthest(source: str) -> sa.Select[Any]:
    """The query for the source's syncs that came further than reading, newest first."""
    came_further = runs.c.state.not_in(["failed", "reading"])
    return select_runs(source).where(_IS_SYNC, came_further).order_by(_NEWEST_FIRST)


def to_run(row: sa.Row[Any]) -> Run:
    """The run in a row of `select_runs`."""
    values = row._asdict()
    breaches = tuple(SeenBreach(**breach) for breach in values["breaches"])
    noted = values["stages"]
    stages = None if noted is None else tuple(StageUse(**use) for use in noted)
    job_ids = tuple(values["job_ids"])
    return Run(**{**values, "job_ids": job_ids, "breaches": breaches, "stages": stages})


def first_run(connection: sa.Connection, query: sa.Select[Any]) -> Run | None:
    """The first run that the query finds."""
    row = connection.execute(query.limit(1)).first()
    return None if row is None else to_run(row)


def to_row(run: Run) -> dict[str, object]:
    """The run's cells by column."""
    return to_cells({field.name: getattr(run, field.name) for field in fields(run)})


def to_cells(values: dict[str, object]) -> dict[str, object]:
    """Fields as the table's cells: a tuple is a list there, a breach or a use an object of JSON."""
    return {
        name: [asdict(part) if isinstance(part, SeenBreach | StageUse) else part for part in value]
        if isinstance(value, tuple)
        else value
        for name, value in values.items()
    }


def check_changes(changes: dict[str, object]) -> None:
    """Raises unless each is a field of a run, and holds what that field can; quotes no value.

    Raises:
        TypeError: a run has no such field, or its id would change.
        ValueError: a field cannot hold that value.
    """
    wrong = None
    for name, value in changes.items():
        if name not in _FIELD_CHECKS:
            raise TypeError(f"a run has no field {name!r} that could change")
        try:
            _FIELD_CHECKS[name].validate_python(value, strict=True)
            is_wrong = isinstance(value, datetime) and value.tzinfo is None
        except ValidationError:
            is_wrong = True
        wrong = name if is_wrong else wrong
    if wrong is not None:
        raise ValueError(f"a run's {wrong} cannot hold that value")


_Result = TypeVar("_Result")

_KEEPING: tuple[RunState, ...] = ("held", *OPEN_STATES)
_IS_SYNC = runs.c.kind == "sync"
_NEWEST_FIRST = runs.c.number.desc()
_LAST_ENDED = sa.func.coalesce(runs.c.end_number, 0).desc()
_GOES_ON: tuple[RunState, ...] = ("reading", *OPEN_STATES)


class RunSpan(TypedDict, total=False):
    """What kind of run it is, what time it is about, and which Lumos it is for."""

    kind: RunKind
    api_url: str | None
    since: datetime | None
    until: datetime | None


def open_ledger(url: str) -> "Ledger":
    """The ledger at `url`, its tables made or brought up to date.

    Args:
        url: `sqlite:///` and a path in a folder that is there, or a `postgresql://` URL.

    Raises:
        ConfigError: another kind of URL.
        StateError: it cannot be reached, opened or written, or is of a newer version.
    """
    ledger = Ledger(to_engine(url))
    try:
        ledger.in_transaction(lambda connection: migrate(connection, ledger.name))
    except StateError:
        ledger.close()
        raise
    return ledger


class Ledger:
    """An open ledger; `open_ledger` makes one. Every method is a transaction of its own.

    Every method raises StateError where the ledger cannot be reached, read or written.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self.name = ledger_name(engine.url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._engine.dispose()

    def in_transaction(self, work: Callable[[sa.Connection], _Result]) -> _Result:
        """What `work` returns; what it wrote is kept if it returns, and undone if it raises."""

        def transact() -> _Result:
            with self._engine.begin() as connection:
                return work(connection)

        return raise_as(transact, {DBAPIError: self._unusable, PoolTimeoutError: self._unusable})

    def _unusable(self, error: SQLAlchemyError) -> StateError:
        return StateError(f"the ledger {self.name} cannot be used: {reason_of(error)}")

    def start_run(
        self,
        source: str,
        actor: str,
        now: datetime,
        app_id: str | None = None,
        **more: Unpack[RunSpan],
    ) -> Run:
        """A new run of the source, `reading`; a sync unless `more` says otherwise.

        Raises:
            ValueError: `now` has no zone.
        """
        if now.tzinfo is None:
            raise ValueError("a run begins at a moment with a zone")
        now = now.astimezone(UTC)
        run = Run(
            f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
            source,
            "reading",
            actor,
            now,
            app_id=app_id,
            **more,
        )
        self.in_transaction(lambda connection: connection.execute(runs.insert(), to_row(run)))
        return run

    def update_run(
        self,
        run_id: str,
        *,
        expect: Collection[str] = (),
        along: Callable[[sa.Connection], object] | None = None,
        **changes: object,
    ) -> Run:
        """The run after `changes` to its fields; one that ends gets the next number of the order.

        With `expect`, nothing changes unless the run is in one of those states: a process that was
        stopped and wakes up must not write over how another has ended the run meanwhile. `along` is
        done first in the same transaction: what it writes is kept with the changes or not at all.

        Raises:
            BusyError: the run is in none of the states expected.
            TypeError: a run has no such field, or its id would change.
            ValueError: a field cannot hold that value.
            StateError: there is no such run.
        """
        check_changes(changes)
        values = to_cells(changes)
        is_expected = runs.c.run_id == run_id
        if expect:
            is_expected &= runs.c.state.in_(expect)
        change = runs.update().where(is_expected).values(values).returning(runs.c.run_id)

        is_end = changes.get("state", "reading") not in _GOES_ON

        def write(connection: sa.Connection) -> Run:
            if along is not None:
                along(connection)
            now = change.values(end_number=next_number(connection)) if is_end else change
            is_written = not values or connection.execute(now).first() is not None
            run = first_run(connection, select_runs().where(runs.c.run_id == run_id))
            if run is None:
                raise StateError(f"the ledger {self.name} has no run {run_id}")
            if not is_written:
                raise BusyError(f"run {run_id} was ended by another process meanwhile")
            return run

        return self.in_transaction(write)

    def run(self, run_id: str) -> Run | None:
        """The run with that id; None where there is none."""
        return self._first(select_runs().where(runs.c.run_id == run_id))

    def runs(self, source: str | None = None, limit: int | None = None) -> list[Run]:
        """The runs, of one source or of all, newest first."""
        return self._all(select_runs(source).order_by(_NEWEST_FIRST).limit(limit))

    def open_runs(self, app_id: str) -> list[Run]:
        """The syncs that left work under way in the app, oldest first."""
        is_open = _IS_SYNC & runs.c.state.in_(OPEN_STATES) & (runs.c.app_id == app_id)
        return self._all(select_runs().where(is_open).order_by(runs.c.number))

    def doubtful_runs(self, app_id: str) -> list[Run]:
        """The failed runs that may have changed the app since the last accepted one.

        The one that failed last first. Their upload was, or may have been, sent: what the app holds
        now is not certain.
        """
        is_later = runs.c.end_number > _end_of_accepted(app_id)
        doubtful = select_runs().where(_WAS_SENT, runs.c.app_id == app_id, is_later)
        return self._all(doubtful.order_by(_LAST_ENDED))

    def is_repaired(self, app_id: str) -> bool:
        """Whether ledger and archive were repaired since the last run was accepted into the app.

        What it holds is not certain then, and the archive may lack what the ledger names.
        """
        later = sa.select(repairs.c.end_number).where(
            repairs.c.end_number > _end_of_accepted(app_id)
        )
        return self.in_transaction(lambda connection: connection.scalar(later.limit(1))) is not None

    def fed_app(self, source: str, api_url: str, kind: RunKind = "sync") -> str | None:
        """The id of the app in that Lumos that the source fed last; None where it fed none.

        An upload that was not accepted may have been taken, and counts. A run of an earlier version
        of this program does not say which Lumos it was for: it may have been this one.
        """
        is_fed = (runs.c.kind == kind) & runs.c.app_id.is_not(None) & _MAY_BE_TAKEN
        is_here = runs.c.api_url.is_(None) | (runs.c.api_url == api_url)
        fed = select_runs(source).where(is_fed, is_here).order_by(_NEWEST_FIRST)
        run = self._first(fed)
        return run.app_id if run else None

    def needed_runs(self, source: str, since: datetime | None = None) -> set[str]:
        """The ids of the source's runs that a later run needs, whose snapshots must be kept.

        Each app's last accepted run, what may have changed the app since, what is open, what is
        held, and the watermarks' runs. With `since`, also what was accepted since then, and the
        last accepted before.
        """
        # An hourly source has thousands of accepted runs: of each only what is asked about here.
        of_runs = sa.select(runs.c.run_id, runs.c.state, runs.c.app_id, runs.c.ended_at)
        is_done_sync = _IS_SYNC & (runs.c.state == "done")
        is_needed = is_done_sync | runs.c.state.in_(_KEEPING) | _WAS_SENT
        of_source = of_runs.where(runs.c.source == source, is_needed).order_by(_LAST_ENDED)
        rows = self.in_transaction(lambda connection: connection.execute(of_source).all())
        accepted: set[str | None] = set()
        is_whole: set[str | None] = set()
        needed: set[str] = set()
        for run in rows:
            if run.state == "done":
                if run.app_id not in is_whole:
                    accepted.add(run.app_id)
                    needed.add(run.run_id)
                    if since is None or run.ended_at is None or run.ended_at <= since:
                        is_whole.add(run.app_id)
            elif run.state != "failed" or run.app_id not in accepted:
                needed.add(run.run_id)
        marks = sa.select(watermarks.c.run_id).where(watermarks.c.source == source)
        marked = self.in_transaction(lambda connection: connection.scalars(marks).all())
        return needed | set(marked)

    def runs_of(
        self, scope: RunScope, states: Collection[RunState], *, after: str | None = None
    ) -> list[Run]:
        """The runs of the scope that are in one of the states, oldest first.

        With `after`, the id of a run, those that began later than that one.
        """
        query = select_runs().where(_is_of(scope), runs.c.state.in_(states))
        if after is not None:
            number = sa.select(runs.c.number).where(runs.c.run_id == after).scalar_subquery()
            query = query.where(runs.c.number > sa.func.coalesce(number, 0))
        return self._all(query.order_by(runs.c.number))

    def abandon_reading(self, scope: RunScope, now: datetime) -> None:
        """Ends the runs of the scope that died while reading; under the scope's lease."""
        died = runs.update().where(_is_of(scope), runs.c.state == "reading")
        ended = died.values(state="failed", error="interrupted", ended_at=now)
        self.in_transaction(lambda connection: connection.execute(ended))

    def accepted_run(self, source: str) -> Run | None:
        """The source's run that was accepted last; None where none was.

        By the order of ends: a held run that was let through may have begun before one that was
        accepted earlier, and the clock that either ran under may have been wrong.
        """
        done = select_runs(source).where(_IS_SYNC, runs.c.state == "done")
        return self._first(done.order_by(_LAST_ENDED))

    def unchanged_since(self, base: Run) -> Run | None:
        """The source's newest sync since `base` that had nothing to send; None where none was."""
        since = sa.select(runs.c.number).where(runs.c.run_id == base.run_id).scalar_subquery()
        is_meant = _IS_SYNC & (runs.c.state == "unchanged") & (runs.c.number > since)
        return self._first(select_runs(base.source).where(is_meant).order_by(_NEWEST_FIRST))

    def held_run(self, source: str) -> Run | None:
        """The source's run that waits for a person; None where a later one came further.

        A later run that failed, or that is only reading, leaves it waiting.
        """
        furthest = self._first(select_furthest(source))
        return furthest if furthest is not None and furthest.state == "held" else None

    def newest_run(self, source: str, kind: RunKind, states: Collection[RunState]) -> Run | None:
        """The source's run of that kind that began last of those in one of the states."""
        of_kind = select_runs(source).where(runs.c.kind == kind, runs.c.state.in_(states))
        return self._first(of_kind.order_by(_NEWEST_FIRST))

    def ended_since(self, kind: RunKind, moment: datetime, after: int = 0) -> list[Run]:
        """All sources' runs of that kind that began at that moment or later, in the order of ends.

        Those that have ended, and later in that order than the number `after`: whoever looks again
        and again reads each once.
        """
        since = select_runs().where(runs.c.kind == kind, runs.c.started_at >= moment)
        return self._all(since.where(runs.c.end_number > after).order_by(runs.c.end_number))

    def accepted_into(self, app_id: str) -> Run | None:
        """The run that was accepted last into the app, of whatever source; None where none was."""
        done = select_runs().where(_IS_SYNC, runs.c.app_id == app_id, runs.c.state == "done")
        return self._first(done.order_by(_LAST_ENDED))

    def accepted_since(self, app_id: str, moment: datetime) -> list[Run]:
        """The runs accepted into the app after `moment`, and the last before, oldest first."""
        done = select_runs().where(_IS_SYNC, runs.c.app_id == app_id, runs.c.state == "done")
        after = self._all(done.where(runs.c.ended_at > moment).order_by(_LAST_ENDED))
        before = self._first(done.where(runs.c.ended_at <= moment).order_by(_LAST_ENDED))
        return [*filter(None, [before]), *reversed(after)]

    def _first(self, query: sa.Select[Any]) -> Run | None:
        return self.in_transaction(lambda connection: first_run(connection, query))

    def _all(self, query: sa.Select[Any]) -> list[Run]:
        rows = self.in_transaction(lambda connection: connection.execute(query).all())
        return [to_run(row) for row in rows]


def next_number(connection: sa.Connection) -> int:
    """The next number of the order of ends and repairs; whoever asks next waits for this one's."""
    is_sqlite = connection.dialect.name == "sqlite"
    insert = sqlite.insert(order) if is_sqlite else postgresql.insert(order)
    first = insert.values(name="ends", last_number=1)
    following = first.on_conflict_do_update(
        index_elements=[order.c.name], set_={"last_number": order.c.last_number + 1}
    )
    return int(connection.execute(following.returning(order.c.last_number)).scalar_one())


_WAS_SENT = _IS_SYNC & (runs.c.state == "failed") & runs.c.content_hash.is_not(None)
_SENT_STATES: tuple[RunState, ...] = ("done", "failed", *OPEN_STATES)
_MAY_BE_TAKEN = runs.c.content_hash.is_not(None) & runs.c.state.in_(_SENT_STATES)


def _end_of_accepted(app_id: str) -> sa.ScalarSelect[Any]:
    """The number of the end of the run that was accepted last into the app; 0 where none was."""
    is_accepted = _IS_SYNC & (runs.c.app_id == app_id) & (runs.c.state == "done")
    last = sa.select(sa.func.coalesce(sa.func.max(runs.c.end_number), 0)).where(is_accepted)
    return last.scalar_subquery()


def _is_of(scope: RunScope) -> sa.ColumnElement[bool]:
    """That a run is of the scope; only of a backfill does its time tell it from another."""
    is_of_kind = (runs.c.source == scope.source) & (runs.c.kind == scope.kind)
    is_same_app = runs.c.app_id.is_not_distinct_from(scope.app_id)
    if scope.kind != "backfill":
        return is_of_kind & is_same_app
    window = (runs.c.since == scope.since) & (runs.c.until == scope.until)
    return is_of_kind & is_same_app & window
