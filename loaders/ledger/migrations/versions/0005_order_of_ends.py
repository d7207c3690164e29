"""The order in which runs ended, by number; which Lumos each fed; repairs and what they adopt."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_runs = sa.table(
    "ledger_runs",
    sa.column("number", sa.Integer),
    sa.column("state", sa.String),
    sa.column("started_at", sa.DateTime(timezone=True)),
    sa.column("ended_at", sa.DateTime(timezone=True)),
    sa.column("end_number", sa.Integer),
)
_GOES_ON = ["reading", "planned", "submitted"]


def upgrade() -> None:
    """Makes the columns and tables, and numbers the runs that have ended by the time they did."""
    op.add_column("ledger_runs", sa.Column("end_number", sa.Integer))
    op.add_column("ledger_runs", sa.Column("api_url", sa.String))
    order = op.create_table(
        "ledger_order",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("last_number", sa.Integer, nullable=False),
    )
    op.create_table(
        "ledger_repairs",
        sa.Column("end_number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("repaired_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "ledger_adopted",
        sa.Column("source", sa.String, primary_key=True),
        sa.Column("run_id", sa.String, primary_key=True),
    )
    connection = op.get_bind()
    ended_at = sa.func.coalesce(_runs.c.ended_at, _runs.c.started_at)
    ended = sa.select(_runs.c.number).where(_runs.c.state.not_in(_GOES_ON))
    numbers = connection.scalars(ended.order_by(ended_at, _runs.c.number)).all()
    for end_number, number in enumerate(numbers, 1):
        change = _runs.update().where(_runs.c.number == number)
        connection.execute(change.values(end_number=end_number))
    op.bulk_insert(order, [{"name": "ends", "last_number": len(numbers)}])
