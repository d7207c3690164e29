"""The ledger's tables. `migrations/` makes them; a test holds the two together."""

from datetime import UTC, datetime

import sqlalchemy as sa

VERSION = "0010"
"""The newest migration this code knows. Migrations are numbered, so that a later one is greater."""

VERSION_TABLE = "ledger_version"
"""Not alembic's own name: a PostgreSQL database may hold the tables of other programs too."""


class UtcTime(sa.types.TypeDecorator[datetime]):
    """A moment in UTC, aware of it on both sides; SQLite itself keeps no zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """What is written: the moment in UTC.

        Raises:
            ValueError: a moment without a zone.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment in the ledger needs a zone")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """What is read: the moment in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


metadata = sa.MetaData()

runs = sa.Table(
    "ledger_runs",
    metadata,
    # The order of beginnings: two runs may begin within the same second, and clocks step back.
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("run_id", sa.String, nullable=False, unique=True),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("started_at", UtcTime, nullable=False),
    sa.Column("ended_at", UtcTime),
    sa.Column("app_id", sa.String),
    sa.Column("base_run_id", sa.String),
    sa.Column("content_hash", sa.String),
    sa.Column("counts", sa.JSON, nullable=False),
    sa.Column("plan", sa.JSON, nullable=False),
    sa.Column("job_ids", sa.JSON, nullable=False),
    sa.Column("error", sa.String),
    sa.Column("approved_by", sa.String),
    sa.Column("approved_at", UtcTime),
    sa.Column("kind", sa.String, nullable=False, server_default="sync"),
    sa.Column("since", UtcTime),
    sa.Column("until", UtcTime),
    sa.Column("request_count", sa.Integer),
    sa.Column("accounts_per_request", sa.Integer),
    sa.Column("breaches", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("next_watermark_at", UtcTime),
    # The order of ends: which was accepted last is never told by a clock.
    sa.Column("end_number", sa.Integer),
    sa.Column("api_url", sa.String),
    sa.Column("approves_run_id", sa.String),
    sa.Column("stages", sa.JSON(none_as_null=True)),
    sa.Index("ledger_runs_source_state", "source", "state"),
    sa.Index("ledger_runs_app_id", "app_id"),
    # The newest of a source among those of a thousand, and what began since a night did.
    sa.Index("ledger_runs_source_number", "source", "number"),
    sa.Index("ledger_runs_started_at", "started_at"),
)

order = sa.Table(
    "ledger_order",
    metadata,
    # One row: how many ends and repairs there were.
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("last_number", sa.Integer, nullable=False),
)

repairs = sa.Table(
    "ledger_repairs",
    metadata,
    sa.Column("end_number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("repaired_at", UtcTime, nullable=False),
)

adopted = sa.Table(
    "ledger_adopted",
    metadata,
    # Runs that the archive holds, and that another ledger, or a later state of this one, wrote.
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("run_id", sa.String, primary_key=True),
)

leases = sa.Table(
    "ledger_leases",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("token", sa.String, nullable=False),
    sa.Column("holder", sa.String, nullable=False),
    sa.Column("place", sa.String, nullable=False),
    sa.Column("taken_at", UtcTime, nullable=False),
    sa.Column("expires_at", UtcTime, nullable=False),
)

batches = sa.Table(
    "ledger_batches",
    metadata,
    sa.Column("run_id", sa.String, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("start", sa.Integer, nullable=False),
    sa.Column("record_count", sa.Integer, nullable=False),
    sa.Column("content_hash", sa.String, nullable=False),
    sa.Column("job_id", sa.String),
    sa.Column("done_at", UtcTime),
)

watermarks = sa.Table(
    "ledger_watermarks",
    metadata,
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("app_id", sa.String, primary_key=True),
    sa.Column("kind", sa.String, primary_key=True),
    sa.Column("until", UtcTime, nullable=False),
    sa.Column("run_id", sa.String, nullable=False),
)

decisions = sa.Table(
    "ledger_decisions",
    metadata,
    # None is ever changed: the newest of a run is the one that holds.
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("run_id", sa.String, nullable=False),
    sa.Column("decision", sa.String, nullable=False),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("decided_at", UtcTime, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("lapses_at", UtcTime),
    sa.Index("ledger_decisions_run_id", "run_id"),
)

notices = sa.Table(
    "ledger_notices",
    metadata,
    # What was told last of a source, so that the same is not told again at once.
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("kind", sa.String, primary_key=True),
    sa.Column("event", sa.String, nullable=False),
    sa.Column("noticed_at", UtcTime, nullable=False),
    sa.Column("run_id", sa.String),
)

asked = sa.Table(
    "ledger_asked",
    metadata,
    # That a run was asked for in place of one that was due and came to nothing; once each.
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("kind", sa.String, primary_key=True),
    sa.Column("due_at", UtcTime, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("asked_at", UtcTime, nullable=False),
)
