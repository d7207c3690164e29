"""Run by alembic: applies the migrations on the connection that was handed over."""

from alembic import context

from loaders.ledger.tables import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
context.run_migrations()
