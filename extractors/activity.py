"""The one way to a source's activity: raw tables, one after the other, whole or an error."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from extractors.logs.source import probe_activity_files, read_activity_files
from schemas.raw import Probe, RawTable
from schemas.source_file.activity import ActivityDatabase
from schemas.source_file.kinds.connector_source import ConnectorSource
from schemas.source_file.kinds.csv_source import ActivitySource
from schemas.source_file.kinds.sql_source import SqlSource
from schemas.source_file.logs import ANY_LOG, LogShape
from schemas.source_file.secrets import Resolve, no_secrets

ActivityOrigin = ActivitySource | ActivityDatabase | SqlSource | ConnectorSource
"""Where activity is read."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time, UTC: from `since` on, before `until`; None leaves it open."""

    since: datetime | None = None
    until: datetime | None = None


def read_activity(
    source: ActivityOrigin,
    workspace: Path,
    span: Span,
    *,
    shape: LogShape = ANY_LOG,
    now: datetime,
    sleep: Callable[[float], None] = time.sleep,
    resolve: Resolve = no_secrets,
) -> Iterator[RawTable]:
    """Yields tables of raw activity that hold all of `span`, and may hold more.

    `shape` says what is asked of files. Nothing that was read counts before the last table has
    come: the proof that a source was read whole is known at its end.

    Raises:
        ConfigError: the source cannot be meant as it is written, or a secret is not in its place.
        SourceError: it could not be read whole.
    """
    match source:
        case ActivitySource():
            yield from read_activity_files(
                source,
                workspace,
                span.since,
                span.until,
                shape=shape,
                now=now,
                sleep=sleep,
                resolve=resolve,
            )
        case SqlSource() | ActivityDatabase():
            from extractors.sql.activity import read_activity_database

            yield from read_activity_database(
                source, workspace, span.since, span.until, now=now, resolve=resolve
            )
        case ConnectorSource():
            from extractors.connector.activity import read_connector_activity

            yield read_connector_activity(
                source, workspace, span.since, resolve=resolve, sleep=sleep
            )


def probe_activity(
    source: ActivityOrigin,
    workspace: Path,
    *,
    shape: LogShape = ANY_LOG,
    now: datetime,
    resolve: Resolve = no_secrets,
) -> tuple[Probe, ...]:
    """Returns what the activity looks like at first sight; reads little. Of a database: nothing.

    Raises:
        ConfigError: as `read_activity`.
        SourceError: as `read_activity`.
    """
    match source:
        case ActivitySource():
            return probe_activity_files(source, workspace, shape=shape, now=now, resolve=resolve)
        case SqlSource() | ActivityDatabase():
            from extractors.sql.activity import probe_activity_database

            probe_activity_database(source, workspace, now=now, resolve=resolve)
            return ()
        case ConnectorSource():
            from extractors.connector.activity import probe_connector_activity

            probe_connector_activity(source, workspace, resolve=resolve)
            return ()
