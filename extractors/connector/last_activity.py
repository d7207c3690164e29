"""When accounts last logged in and were last active, as a connector tells it, batch by batch."""

from datetime import UTC, datetime
from typing import Any

import polars as pl

from extractors.connector.connector import Connector
from extractors.text_rows import rows_frame
from schemas.errors import SourceFormatError

EVENTS = {"account_id": pl.String(), "event_type": pl.String(), "timestamp": pl.String()}
"""A row for each event: the text of its time is as the connector wrote it."""

_LOGIN = "last_login"
_BATCH = 5000


def read_last_activity(connector: Connector, account_ids: pl.Series) -> pl.DataFrame:
    """Reads the last activity of the accounts (`EVENTS`).

    Raises:
        ConfigError, SourceError: as the connector's errors mean.
    """
    parts = [pl.DataFrame(schema=EVENTS)]
    for batch in account_ids.to_frame().iter_slices(_BATCH):
        request = {"account_ids": batch.to_series().to_list()}
        parts += connector.whole("get_last_activity", request, _keys, _to_events)
    return pl.concat(parts)


def with_last_activity(rows: pl.DataFrame, events: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Returns accounts with `last_login` and `last_activity`, and words for other events.

    Of several events of one kind the latest counts; those that are no login are activity.
    """
    kinds = events["event_type"]
    others = sorted(set(kinds.unique().to_list()) - {_LOGIN, "last_activity"})
    moments = [moment_of(text) for text in events["timestamp"]]
    sorted_events = events.with_columns(
        pl.Series("moment", moments, dtype=pl.Datetime("us", "UTC")),
        is_login=pl.col("event_type") == _LOGIN,
    ).sort("moment", "timestamp", descending=True, nulls_last=True)
    for column, is_login in ((_LOGIN, True), ("last_activity", False)):
        latest = sorted_events.filter(pl.col("is_login") == is_login).unique(
            "account_id", keep="first", maintain_order=True
        )
        told = latest.select(
            pl.col("account_id").alias("integration_specific_id"),
            pl.col("timestamp").alias(column),
        )
        rows = rows.join(told, on="integration_specific_id", how="left", maintain_order="left")
    return rows, others


def moment_of(text: str | None) -> datetime | None:
    """Returns a time in ISO 8601, for comparing; one without a zone is taken for UTC."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        return None


def _keys(response: Any) -> list[Any]:  # noqa: ANN401 - JSON holds anything
    return _to_events(response).rows()


def _to_events(response: Any) -> pl.DataFrame:  # noqa: ANN401 - JSON holds anything
    names = ("account_id", "event_type", "happened_at")
    if not isinstance(response, list) or not all(
        isinstance(row, dict) and all(isinstance(row.get(name), str) for name in names)
        for row in response
    ):
        raise SourceFormatError("get_last_activity: the response is no list of activity")
    return rows_frame(EVENTS, [tuple(row[name] for name in names) for row in response])
