"""What steers a run in columns of its own; who approved a held plan by that name."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_runs = sa.table(
    "ledger_runs",
    sa.column("run_id", sa.String),
    sa.column("state", sa.String),
    sa.column("kind", sa.String),
    sa.column("counts", sa.JSON),
    sa.column("plan", sa.JSON),
    sa.column("request_count", sa.Integer),
    sa.column("accounts_per_request", sa.Integer),
    sa.column("breaches", sa.JSON),
    sa.column("next_watermark_at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    """Makes the columns, and fill those of the runs that a later run goes on with."""
    op.alter_column("ledger_runs", "allowed_by", new_column_name="approved_by")
    op.alter_column("ledger_runs", "allowed_at", new_column_name="approved_at")
    op.add_column("ledger_runs", sa.Column("request_count", sa.Integer))
    op.add_column("ledger_runs", sa.Column("accounts_per_request", sa.Integer))
    op.add_column(
        "ledger_runs", sa.Column("breaches", sa.JSON, nullable=False, server_default="[]")
    )
    op.add_column("ledger_runs", sa.Column("next_watermark_at", sa.DateTime(timezone=True)))
    unfinished = _runs.c.state.in_(["planned", "submitted"])
    is_sync = _runs.c.kind == "sync"
    _fill(is_sync & (_runs.c.state == "held"), _seen)
    _fill(is_sync & unfinished, _split)
    _fill(~is_sync & unfinished, _watermark)


_ToColumns = Callable[[dict[str, int], dict[str, Any]], dict[str, object]]


def _fill(meant: sa.ColumnElement[bool], to_columns: _ToColumns) -> None:
    """Gives the runs meant the columns that `to_columns` makes of their counts and their plan."""
    connection = op.get_bind()
    query = sa.select(_runs.c.run_id, _runs.c.counts, _runs.c.plan).where(meant)
    for run_id, counts, plan in connection.execute(query).all():
        change = _runs.update().where(_runs.c.run_id == run_id)
        connection.execute(change.values(**to_columns(counts, plan)))


def _split(counts: dict[str, int], _plan: dict[str, Any]) -> dict[str, object]:
    """How an upload is split into requests."""
    return {
        "request_count": counts.get("requests"),
        "accounts_per_request": counts.get("accounts_per_request"),
    }


def _seen(_counts: dict[str, int], plan: dict[str, Any]) -> dict[str, object]:
    """What a person saw of a plan that is held."""
    breaches = [
        {
            "guard": breach["guard"],
            "count": breach["found"],
            "of": breach["base"],
            "limit": breach["limit"],
        }
        for breach in plan.get("verdict", {}).get("breaches", [])
    ]
    return {"breaches": sorted(breaches, key=lambda breach: tuple(breach.values()))}


def _watermark(_counts: dict[str, int], plan: dict[str, Any]) -> dict[str, object]:
    """Where the watermark will stand; SQLite keeps the moment in UTC, without a zone."""
    if plan.get("newest") is None:
        return {"next_watermark_at": None}
    moment = datetime.fromisoformat(plan["newest"]).astimezone(UTC)
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    return {"next_watermark_at": moment.replace(tzinfo=None) if is_sqlite else moment}
