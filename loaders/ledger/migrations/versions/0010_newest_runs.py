"""Indexes for a ledger of many sources: a source's newest run, and all that began since a night."""

from alembic import op

revision = "0010"
down_revision = "0008"


def upgrade() -> None:
    """Makes the indexes."""
    op.create_index("ledger_runs_source_number", "ledger_runs", ["source", "number"])
    op.create_index("ledger_runs_started_at", "ledger_runs", ["started_at"])
