"""Queries that are no snapshot: one account, activity within a window of time."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import polars as pl

from extractors.sql_bindings import times
from extractors.sql_connection import open_session
from extractors.sql_reader import NO_NAMES, Reader
from schemas.errors import ConfigError
from schemas.raw import RawTable
from schemas.secrets import Resolve
from schemas.sql_source import SqlSource
from schemas.tables import ROW


def read_account(
    source: SqlSource,
    workspace: Path,
    account_id: str,
    *,
    resolve: Resolve,
    named: frozenset[str] = NO_NAMES,
) -> RawTable:
    """What `get_account` returns for `account_id`: one row, or none where it does not exist.

    Raises:
        ConfigError: the source has no such query, or as `read_sql_source`.
        SourceError: as `read_sql_source`.
    """
    with open_session(source, workspace, resolve) as session:
        reader = Reader(source, workspace, session, resolve, {"account_id": account_id})
        return reader.needed_table("accounts", "get_account", named)


def read_activity_rows(
    source: SqlSource, workspace: Path, *, since: datetime, until: datetime, resolve: Resolve
) -> RawTable:
    """Activity from `since` to `until`, both UTC, bound where the query names them.

    Returns:
        The rows of `list_activity_records`, else of `get_last_activity`, under `account_id`,
        `event_type`, `timestamp`, `email` where there is one, and the query's further columns; as
        text, a time in ISO 8601. A query that does not bind the window may return rows outside it.

    Raises:
        ConfigError: the source has neither query, or as `read_sql_source`.
        SourceError: as `read_sql_source`.
    """
    [found] = read_activity_parts(source, workspace, [(since, until)], resolve=resolve)
    return found


def read_activity_parts(
    source: SqlSource,
    workspace: Path,
    parts: Sequence[tuple[datetime, datetime]],
    *,
    resolve: Resolve,
) -> Iterator[RawTable]:
    """The same for each (since, until) in turn, all within one session, the rows numbered on.

    Raises:
        ConfigError, SourceError: as `read_activity_rows`.
    """
    has_records = source.queries.list_activity_records is not None
    capability = "list_activity_records" if has_records else "get_last_activity"
    if getattr(source.queries, capability) is None:
        raise ConfigError("source.queries: list_activity_records or get_last_activity is missing")
    above = 0
    with open_session(source, workspace, resolve) as session:
        for since, until in parts:
            reader = Reader(source, workspace, session, resolve, times(since, until))
            found = reader.needed_table("activity", capability)
            yield _under_our_names(found, above)
            above += found.read_count


def _under_our_names(found: RawTable, above: int) -> RawTable:
    rows = found.rows.with_columns(pl.col(ROW) + above)
    for name, also in (("event_type", "activity_type"), ("timestamp", "happened_at")):
        if also in rows.columns and name not in rows.columns:
            rows = rows.rename({also: name})
    if "event_type" not in rows.columns:
        rows = rows.with_columns(event_type=pl.lit(None, dtype=pl.String))
    return replace(found, rows=rows)
