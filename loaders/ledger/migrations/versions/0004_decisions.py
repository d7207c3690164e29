"""Decisions: what a person said of a run, when and why; which held run a run carries out."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Makes the table and the column."""
    op.add_column("ledger_runs", sa.Column("approves_run_id", sa.String))
    op.create_table(
        "ledger_decisions",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("run_id", sa.String, nullable=False),
        sa.Column("decision", sa.String, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("lapses_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ledger_decisions_run_id", "ledger_decisions", ["run_id"])
