"""Brings a ledger's tables to the version of this code."""

from pathlib import Path

import sqlalchemy as sa

from loaders.ledger_tables import VERSION, VERSION_TABLE
from schemas.errors import StateError

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 4_927_316_005


def migrate(connection: sa.Connection, name: str) -> None:
    """Apply the migrations that the ledger lacks, in the transaction of `connection`.

    A ledger that is up to date costs two short queries: alembic is not even imported.

    Raises:
        StateError: the ledger is of a newer version than this code.
    """
    if connection.dialect.name == "postgresql":
        # SQLite's transactions exclude each other as they are.
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    version = _version_of(connection)
    if version is not None and version > VERSION:
        raise StateError(
            f"the ledger {name} is of a newer version ({version}) than this program knows"
            f" ({VERSION}): use the version of lumos-ingest that wrote it, or a newer one"
        )
    if version != VERSION:
        _upgrade(connection)


def _version_of(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    table = sa.table(VERSION_TABLE, sa.column("version_num", sa.String))
    return connection.execute(sa.select(table.c.version_num)).scalar()


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command  # noqa: PLC0415 - slow to import, and needed once a version
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, VERSION)
