"""Queries that are no snapshot: one account, activity within a window of time."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import polars as pl

from extractors.sql.connect.connect import open_session
from extractors.sql.queries.reader import NO_NAMES, Reader, times
from extractors.sql.source import probe_sql_source
from schemas.errors import ConfigError
from schemas.raw import RawTable
from schemas.source_file.activity import ActivityDatabase
from schemas.source_file.kinds.sql_source import Queries, SqlSource
from schemas.source_file.secrets import Resolve
from schemas.tables import ROW

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)
"""How far the database's clock may be ahead of ours."""

_PART = timedelta(days=1)
_MOST_PARTS = 400


def read_activity_database(
    source: SqlSource | ActivityDatabase,
    workspace: Path,
    since: datetime | None,
    until: datetime | None,
    *,
    now: datetime,
    resolve: Resolve,
) -> Iterator[RawTable]:
    """Reads the activity of a time; a query that does not bind it may return more.

    Where `since` is known and the query binds both `{since}` and `{until}`, it is asked for a day
    at a time, so that memory holds a day's rows and not a year's.

    Raises:
        ConfigError: the source has no such query, it is no read, or the url or a secret is wrong.
        SourceUnavailableError: the server cannot be reached, or refuses the login.
        SourceIncompleteError: the connection was lost, or a statement was cancelled.
        SourceFormatError: the server refuses a query, or a label is missing.
    """
    database, end = _as_source(source), until or now + _AHEAD
    parts = [(since or _BEGINNING, end)]
    if since is not None and _binds_both(database, workspace):
        parts = _parts(since, end)
    yield from read_activity_parts(database, workspace, parts, resolve=resolve)


def read_activity_parts(
    source: SqlSource,
    workspace: Path,
    parts: Sequence[tuple[datetime, datetime]],
    *,
    resolve: Resolve,
) -> Iterator[RawTable]:
    """Reads the activity of each (since, until) in turn, both UTC, all within one session.

    Yields:
        The rows of `list_activity_records`, else of `get_last_activity`, numbered on: `account_id`,
        `event_type`, `timestamp`, `email` where there is one, and the query's further columns; as
        text, a time in ISO 8601. A query that does not bind the window may return rows outside it.

    Raises:
        ConfigError: the source has neither query, or as `read_sql_source`.
        SourceError: as `read_sql_source`.
    """
    has_records = source.queries.list_activity_records is not None
    capability = "list_activity_records" if has_records else "get_last_activity"
    if getattr(source.queries, capability) is None:
        raise ConfigError(
            "list_activity_records or get_last_activity is missing", key="source.queries"
        )
    above = 0
    with open_session(source, workspace, resolve) as session:
        for since, until in parts:
            reader = Reader(source, workspace, session, times(since, until))
            table = reader.needed_table("activity", capability)
            yield _under_our_names(table, above)
            above += table.read_count


def _under_our_names(table: RawTable, above: int) -> RawTable:
    rows = table.rows.with_columns(pl.col(ROW) + above)
    for name, also in (("event_type", "activity_type"), ("timestamp", "happened_at")):
        if also in rows.columns and name not in rows.columns:
            rows = rows.rename({also: name})
    if "event_type" not in rows.columns:
        rows = rows.with_columns(event_type=pl.lit(None, dtype=pl.String))
    return replace(table, rows=rows)


def _parts(since: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Cuts the time into days; into longer parts where it has very many days."""
    length = max(_PART, (end - since) / _MOST_PARTS)
    count = max(1, -(-(end - since) // length))
    borders = [*(since + length * number for number in range(count)), end]
    return list(pairwise(borders))


def probe_activity_database(
    source: SqlSource | ActivityDatabase, workspace: Path, *, now: datetime, resolve: Resolve
) -> None:
    """Raises unless the database takes the queries, and their labels are Lumos's.

    Raises:
        ConfigError, SourceUnavailableError, SourceFormatError: as `read_activity_database`.
    """
    probe_sql_source(_as_source(source), workspace, now=now, resolve=resolve)


def _as_source(source: SqlSource | ActivityDatabase) -> SqlSource:
    """Makes the database a source that lists no accounts."""
    if isinstance(source, SqlSource):
        return source
    queries = Queries(**{name: getattr(source.queries, name) for name in _named(source)})
    fields = {name: getattr(source, name) for name in type(source).model_fields}
    return SqlSource.model_construct(**{**fields, "queries": queries, "discover": None})


def _named(source: ActivityDatabase) -> list[str]:
    return list(type(source.queries).model_fields)


def _binds_both(source: SqlSource, workspace: Path) -> bool:
    query = source.queries.list_activity_records or source.queries.get_last_activity
    text = query.sql if query else None
    if query and query.file:
        with suppress(OSError, UnicodeDecodeError):
            text = (workspace / query.file).read_text("utf-8")
    return text is not None and "{since}" in text and "{until}" in text


def read_sql_account(
    source: SqlSource,
    workspace: Path,
    account_id: str,
    *,
    resolve: Resolve,
    named: frozenset[str] = NO_NAMES,
) -> RawTable:
    """Reads what `get_account` returns for `account_id`: one row, or none where there is none.

    Raises:
        ConfigError: the source has no such query, or as `read_sql_source`.
        SourceError: as `read_sql_source`.
    """
    with open_session(source, workspace, resolve) as session:
        reader = Reader(source, workspace, session, {"account_id": account_id})
        return reader.needed_table("accounts", "get_account", named)
