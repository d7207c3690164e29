"""Activity: what kind of run it was, its batches, and how far each source has come."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Makes the tables, and tell the runs there are from those of activity."""
    op.add_column(
        "ledger_runs", sa.Column("kind", sa.String, nullable=False, server_default="sync")
    )
    op.add_column("ledger_runs", sa.Column("since", sa.DateTime(timezone=True)))
    op.add_column("ledger_runs", sa.Column("until", sa.DateTime(timezone=True)))
    op.create_table(
        "ledger_batches",
        sa.Column("run_id", sa.String, primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("start", sa.Integer, nullable=False),
        sa.Column("record_count", sa.Integer, nullable=False),
        sa.Column("content_hash", sa.String, nullable=False),
        sa.Column("job_id", sa.String),
        sa.Column("done_at", sa.DateTime(timezone=True)),
    )
    op.create_table(
        "ledger_watermarks",
        sa.Column("source", sa.String, primary_key=True),
        sa.Column("app_id", sa.String, primary_key=True),
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.String, nullable=False),
    )
