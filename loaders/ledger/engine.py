"""Opens the ledger's database: SQLite in a private file, or PostgreSQL through psycopg."""

import os
import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from loaders.ledger.tables import VERSION, VERSION_TABLE
from schemas.errors import ConfigError, StateError, raise_as

_WAIT_S = 30
_CONNECT_S = 10
_LONGEST_REASON = 200


def to_engine(url: str) -> sa.Engine:
    """An engine for the ledger at `url`. A SQLite file is made, 0600, where there is none.

    Raises:
        ConfigError: not a SQLAlchemy URL, or of another kind of database.
        StateError: the SQLite file cannot be made.
    """
    place = _to_url(url)
    if place.get_backend_name() == "sqlite":
        _make_private_file(place)
        return _sqlite_engine(place)
    return _postgresql_engine(place)


def ledger_name(url: URL) -> str:
    """The ledger as messages name it: its file, or its URL without user and password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    port = f":{url.port}" if url.port else ""
    return f"postgresql://{url.host or ''}{port}/{url.database or ''}"


def reason_of(error: SQLAlchemyError) -> str:
    """What the database says, one line; without what it may quote of a row."""
    if isinstance(error, PoolTimeoutError):
        return "no connection in time"
    if not isinstance(error, DBAPIError) or error.orig is None:
        return type(error).__name__
    if isinstance(error, sa.exc.DataError | sa.exc.IntegrityError | sa.exc.ProgrammingError):
        return type(error.orig).__name__
    lines = str(error.orig).strip().splitlines() or [type(error.orig).__name__]
    return lines[0][:_LONGEST_REASON]


def _to_url(text: str) -> URL:

    def no_url(_: Exception) -> ConfigError:
        return ConfigError("LUMOS_INGEST_LEDGER is not a SQLAlchemy URL such as sqlite:////path/to")

    url = raise_as(lambda: sa.make_url(text), {ArgumentError: no_url, ValueError: no_url})
    if url.drivername in {"postgresql", "postgres"}:
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"}:
        raise ConfigError("LUMOS_INGEST_LEDGER: the ledger is kept in sqlite:// or postgresql://")
    if url.get_backend_name() == "sqlite" and _is_no_file(url.database):
        raise ConfigError("LUMOS_INGEST_LEDGER: write sqlite:/// and the path of a file")
    return url


def _is_no_file(database: str | None) -> bool:
    return not database or database == ":memory:" or database.startswith("file:")


def _make_private_file(url: URL) -> None:
    """Makes the file, for its owner alone; SQLite gives its journal beside it the same mode."""
    path = Path(str(url.database))

    def make() -> None:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(handle, 0o600)
        finally:
            os.close(handle)

    raise_as(
        make,
        {
            OSError: lambda error: StateError(
                f"the ledger cannot be opened: {path}: {error.strerror}"
            )
        },
    )


def _sqlite_engine(url: URL) -> sa.Engine:
    if "timeout" not in url.query:
        url = url.update_query_dict({"timeout": str(_WAIT_S)})
    engine = sa.create_engine(url, hide_parameters=True)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:  # noqa: ANN401
    # The driver's own transactions begin late, at the first write: two that have both read would
    # then fail at once instead of waiting for each other.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _postgresql_engine(url: URL) -> sa.Engine:
    if "connect_timeout" not in url.query:
        url = url.update_query_dict({"connect_timeout": str(_CONNECT_S)})
    # Behind a pooler of transactions (PgBouncer), the next one may go to another connection of the
    # server: nothing is prepared there, and nothing is set for longer than a transaction.
    engine = sa.create_engine(
        url, hide_parameters=True, pool_pre_ping=True, connect_args={"prepare_threshold": None}
    )
    sa.event.listen(engine, "begin", _begin_postgresql)
    return engine


def _begin_postgresql(connection: sa.Connection) -> None:
    # psycopg reads times in ISO's style alone, and a role may have another.
    connection.exec_driver_sql(
        f"SET LOCAL statement_timeout = '{_WAIT_S}s'; SET LOCAL DateStyle = 'ISO, YMD'"
    )


# Brings a ledger's tables to the version of this code.

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 4_927_316_005


def migrate(connection: sa.Connection, name: str) -> None:
    """Applies the migrations that the ledger lacks, in the transaction of `connection`.

    A ledger that is up to date costs two short queries, and waits for nobody: alembic is not even
    imported.

    Raises:
        StateError: the ledger is of a newer version than this code.
    """
    version = _version_of(connection)
    if version == VERSION:
        return
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
