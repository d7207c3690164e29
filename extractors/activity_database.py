"""Activity in a database: its queries, a part of the time asked for after the other."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from extractors.sql_database import probe_sql_source
from extractors.sql_single import read_activity_parts
from schemas.activity import ActivityDatabase
from schemas.raw import RawTable
from schemas.secrets import Resolve
from schemas.sql_source import Queries, SqlSource

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
    """What the query returns of the time asked for; a query that does not bind it may return more.

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


def _parts(since: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The time cut into days; into longer parts where it has very many days."""
    length = max(_PART, (end - since) / _MOST_PARTS)
    count = max(1, -(-(end - since) // length))
    borders = [*(since + length * number for number in range(count)), end]
    return list(pairwise(borders))


def probe_activity_database(
    source: SqlSource | ActivityDatabase, workspace: Path, *, now: datetime, resolve: Resolve
) -> None:
    """Nothing: the database takes the queries, and their labels are Lumos's.

    Raises:
        ConfigError, SourceUnavailableError, SourceFormatError: as `read_activity_database`.
    """
    probe_sql_source(_as_source(source), workspace, now=now, resolve=resolve)


def _as_source(source: SqlSource | ActivityDatabase) -> SqlSource:
    """The database as a source that lists no accounts."""
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
