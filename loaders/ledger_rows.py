"""A run as the ledger's table holds it: to a row, from a row, and what a field can hold."""

from dataclasses import fields
from datetime import datetime
from typing import Any, get_type_hints

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError

from loaders.ledger_tables import runs
from schemas.run import Run

_COLUMNS = [runs.c[field.name] for field in fields(Run)]
_FIELD_CHECKS: dict[str, TypeAdapter[Any]] = {
    name: TypeAdapter(hint) for name, hint in get_type_hints(Run).items() if name != "run_id"
}


def select_runs(source: str | None = None) -> sa.Select[Any]:
    """The query for runs, of one source or of all; each row is one for `to_run`."""
    query = sa.select(*_COLUMNS)
    return query if source is None else query.where(runs.c.source == source)


def to_run(row: sa.Row[Any]) -> Run:
    """The run in a row of `select_runs`."""
    values = row._asdict()
    return Run(**{**values, "job_ids": tuple(values["job_ids"])})


def first_run(connection: sa.Connection, query: sa.Select[Any]) -> Run | None:
    """The first run that the query finds."""
    row = connection.execute(query.limit(1)).first()
    return None if row is None else to_run(row)


def to_row(run: Run) -> dict[str, object]:
    """The run's cells by column."""
    return to_cells({field.name: getattr(run, field.name) for field in fields(run)})


def to_cells(values: dict[str, object]) -> dict[str, object]:
    """Fields as the table's cells: a tuple is a list there."""
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in values.items()
    }


def check_changes(changes: dict[str, object]) -> None:
    """Nothing: each is a field of a run, and holds what that field can. No value is quoted.

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
