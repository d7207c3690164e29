"""Activity of a connector: its records since a moment, else each account's last activity."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from extractors.connector.connector import Connector
from extractors.connector.last_activity import EVENTS, read_last_activity
from extractors.connector.rows import ACCOUNT_ID, SHAPES, PageRows, keys_of, to_page_rows
from extractors.connector.source import opened_connector
from extractors.text_rows import REJECTED, raw_table, rows_frame
from schemas.errors import ConfigError, SourceFormatError
from schemas.raw import RawTable
from schemas.source_file.kinds.connector_source import ConnectorSource
from schemas.source_file.secrets import Resolve

_RECORDS, _LAST = "list_activity_records", "get_last_activity"
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def read_connector_activity(
    source: ConnectorSource,
    workspace: Path,
    since: datetime | None,
    *,
    resolve: Resolve,
    sleep: Callable[[float], None] = time.sleep,
) -> RawTable:
    """Reads the activity since a moment, UTC, or from the beginning; it may hold more.

    The rows have `account_id`, `event_type` and `timestamp`, as the connector writes them.

    Raises:
        ConfigError: it has no capability for activity; or as `read_connector_source`.
        SourceError: as `read_connector_source`.
    """
    with opened_connector(source, workspace, resolve, sleep) as connector:
        if connector.can(_RECORDS):
            at = (since or _BEGINNING).astimezone(UTC).isoformat().replace("+00:00", "Z")
            request = {"since_date": at, "actors": []}
            pages = connector.whole(_RECORDS, request, _keys, to_records)
            rows = pl.concat(page.rows for page in pages)
            rejected = pl.concat(page.rejected for page in pages)
            return raw_table("activity", rows, f"{connector.name}: {_RECORDS}", rejected)
        _check_can(connector)
        rows = read_last_activity(connector, _account_ids(connector))
        return raw_table(
            "activity", rows, f"{connector.name}: {_LAST}", pl.DataFrame(schema=REJECTED)
        )


def probe_connector_activity(
    source: ConnectorSource,
    workspace: Path,
    *,
    resolve: Resolve,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Raises unless the connector has a capability for activity.

    Raises:
        ConfigError, SourceError: as `read_connector_activity`.
    """
    with opened_connector(source, workspace, resolve, sleep) as connector:
        _check_can(connector)


def _check_can(connector: Connector) -> None:
    if not (connector.can(_RECORDS) or connector.can(_LAST)):
        raise ConfigError(f"{connector.name} has neither {_RECORDS} nor {_LAST}", key="source")


def _account_ids(connector: Connector) -> pl.Series:
    shape = SHAPES["accounts"]
    pages = connector.whole(
        "list_accounts", {}, partial(keys_of, shape), partial(to_page_rows, shape)
    )
    ids: pl.Series = pl.concat(page.rows[ACCOUNT_ID] for page in pages)
    return ids


def to_records(response: Any) -> PageRows:  # noqa: ANN401 - JSON holds anything
    """Returns the records of a page (`EVENTS`).

    Raises:
        SourceFormatError: the response is no list of objects.
    """
    if not isinstance(response, list) or not all(isinstance(row, dict) for row in response):
        raise SourceFormatError(f"{_RECORDS}: the response is no list of records")
    made = [(_record(row), row) for row in response]
    rejected = [
        (None, json.dumps(row), "actor, activity_type or timestamp is no text")
        for record, row in made
        if record is None
    ]
    records = [record for record, _ in made if record is not None]
    return PageRows(rows_frame(EVENTS, records), rows_frame(REJECTED, rejected))


def _record(row: dict[str, Any]) -> tuple[str, str, str] | None:
    """Returns (account, event, time); the event is a text, or the SDK's wrapping of one.

    connector-sdk-types 0.79 writes `activity_type` as the fields of its model, of which
    `actual_instance` is the text, and not as its specification has it.
    """
    actor, event, at = row.get("actor"), row.get("activity_type"), row.get("timestamp")
    account = actor.get("account_id") if isinstance(actor, dict) else None
    if isinstance(event, dict):
        event = event.get("actual_instance")
    if isinstance(account, str) and isinstance(event, str) and isinstance(at, str):
        return account, event, at
    return None


def _keys(response: Any) -> list[Any]:  # noqa: ANN401 - JSON holds anything
    return [str(row) for row in response] if isinstance(response, list) else []
