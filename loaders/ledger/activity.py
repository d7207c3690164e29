"""The ledger of activity: the batches of each run, and watermarks; a transaction each."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa

from loaders.ledger.engine import insert_or
from loaders.ledger.ledger import Ledger
from loaders.ledger.tables import batches, runs, watermarks
from schemas.batches import Batch, Watermark
from schemas.run import RunScope

_CHUNK = 1000
STREAM = "activity"
"""What a watermark is of."""


def save_batches(ledger: Ledger, run_id: str, planned: Sequence[Batch]) -> None:
    """Keeps the batches of a run, all or none: what is about to be sent."""
    rows = [{"run_id": run_id, **asdict(batch)} for batch in planned]

    def save(connection: sa.Connection) -> None:
        for start in range(0, len(rows), _CHUNK):
            connection.execute(batches.insert(), rows[start : start + _CHUNK])

    ledger.in_transaction(save)


def saved_batches(ledger: Ledger, run_id: str) -> list[Batch]:
    """The batches of a run, in order."""
    columns = [column for column in batches.c if column is not batches.c.run_id]
    query = sa.select(*columns).where(batches.c.run_id == run_id).order_by(batches.c.position)
    rows = ledger.in_transaction(lambda connection: connection.execute(query).all())
    return [Batch(**row._asdict()) for row in rows]


def save_job(ledger: Ledger, run_id: str, position: int, job_id: str) -> None:
    """Keeps the job that took a batch."""
    _update(ledger, run_id, position, {"job_id": job_id})


def save_done(ledger: Ledger, run_id: str, position: int, now: datetime) -> None:
    """Keeps that a batch's job has ended."""
    _update(ledger, run_id, position, {"done_at": now})


def _update(ledger: Ledger, run_id: str, position: int, values: dict[str, object]) -> None:
    is_this_batch = (batches.c.run_id == run_id) & (batches.c.position == position)
    change = batches.update().where(is_this_batch).values(values)
    ledger.in_transaction(lambda connection: connection.execute(change))


def saved_watermark(ledger: Ledger, source: str, app_id: str) -> Watermark | None:
    """How far the source's activity in the app has come; None before its first run."""
    query = sa.select(watermarks.c.until, watermarks.c.run_id).where(_is_of(source, app_id))
    row = ledger.in_transaction(lambda connection: connection.execute(query).first())
    return None if row is None else Watermark(row.until, row.run_id)


def save_watermark(ledger: Ledger, source: str, app_id: str, mark: Watermark) -> None:
    """Moves the watermark on; one that is further already stays."""

    def save(connection: sa.Connection) -> None:
        insert = insert_or(connection, watermarks)
        values = {"until": mark.until, "run_id": mark.run_id}
        new = insert.values(source=source, app_id=app_id, kind=STREAM, **values)
        key = [watermarks.c.source, watermarks.c.app_id, watermarks.c.kind]
        is_behind = watermarks.c.until <= mark.until
        connection.execute(
            new.on_conflict_do_update(index_elements=key, set_=values, where=is_behind)
        )

    ledger.in_transaction(save)


def _is_of(source: str, app_id: str) -> sa.ColumnElement[bool]:
    of_source = (watermarks.c.source == source) & (watermarks.c.app_id == app_id)
    return of_source & (watermarks.c.kind == STREAM)


def done_windows(ledger: Ledger, source: str, app_id: str) -> set[tuple[datetime, datetime]]:
    """The windows, (since, until), whose backfill was brought to its end."""
    query = sa.select(runs.c.since, runs.c.until).where(
        runs.c.source == source,
        runs.c.app_id == app_id,
        runs.c.kind == "backfill",
        runs.c.state.in_(["done", "unchanged"]),
    )
    rows = ledger.in_transaction(lambda connection: connection.execute(query).all())
    return {(row.since, row.until) for row in rows}


def done_since(ledger: Ledger, scope: RunScope, mark: Watermark | None) -> list[tuple[str, Batch]]:
    """The batches that are done of runs that failed since the watermark's, each with its run."""
    failed = ledger.runs_of(scope, ["failed"], after=mark.run_id if mark else None)
    return [
        (run.run_id, batch)
        for run in failed
        for batch in saved_batches(ledger, run.run_id)
        if batch.done_at is not None
    ]
