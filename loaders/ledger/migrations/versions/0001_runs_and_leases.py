"""Runs and leases."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "ledger_runs",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("run_id", sa.String, nullable=False, unique=True),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("app_id", sa.String),
        sa.Column("base_run_id", sa.String),
        sa.Column("content_hash", sa.String),
        sa.Column("counts", sa.JSON, nullable=False),
        sa.Column("plan", sa.JSON, nullable=False),
        sa.Column("job_ids", sa.JSON, nullable=False),
        sa.Column("error", sa.String),
        sa.Column("allowed_by", sa.String),
        sa.Column("allowed_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ledger_runs_source_state", "ledger_runs", ["source", "state"])
    op.create_index("ledger_runs_app_id", "ledger_runs", ["app_id"])
    op.create_table(
        "ledger_leases",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("token", sa.String, nullable=False),
        sa.Column("holder", sa.String, nullable=False),
        sa.Column("place", sa.String, nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
