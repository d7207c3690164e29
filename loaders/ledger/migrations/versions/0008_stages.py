"""Stages: what each of them took in a run, in time and memory."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Makes the column; nobody noted it of the runs there were."""
    op.add_column("ledger_runs", sa.Column("stages", sa.JSON(none_as_null=True)))
