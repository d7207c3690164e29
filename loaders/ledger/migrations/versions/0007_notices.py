"""Notices: what people were told last of each source."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Makes the table."""
    op.create_table(
        "ledger_notices",
        sa.Column("source", sa.String, primary_key=True),
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("event", sa.String, nullable=False),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.String),
    )
