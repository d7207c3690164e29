"""Batches of activity records: cut by count and by bytes, and as the bytes of a request."""

import json
from collections.abc import Iterator

import polars as pl

_TIME = "%Y-%m-%dT%H:%M:%S%.fZ"
_HEAD, _TAIL = b'{"records":[', b"]}"
_SLICE = 100
"""Batches encoded at a time."""


def to_bodies(
    records: pl.DataFrame, most_records: int, most_bytes: int
) -> Iterator[tuple[int, int, bytes]]:
    """The batches of `records` (`ACTIVITY`) in order: first row, number of records, body.

    The same records give the same bytes. No batch holds more than `most_records`, or is larger than
    `most_bytes`, but for a single record that is.
    """
    height = most_records * _SLICE
    for first in range(0, records.height, height):
        lines = _to_lines(records.slice(first, height))
        sizes = lines.str.len_bytes().cast(pl.Int64) + 1
        ends, at = sizes.cum_sum(), 0
        while at < lines.len():
            before = int(ends[at - 1]) if at else 0
            most = before + most_bytes - len(_HEAD) - len(_TAIL) + 1
            fitting = int(ends.search_sorted(most, side="right")) - at
            count = min(max(fitting, 1), most_records, lines.len() - at)
            yield first + at, count, _body(lines.slice(at, count))
            at += count


def to_body(records: pl.DataFrame) -> bytes:
    """The body of one batch."""
    return _body(_to_lines(records))


def _body(lines: pl.Series) -> bytes:
    return _HEAD + ",".join(lines.to_list()).encode() + _TAIL


def _to_lines(records: pl.DataFrame) -> pl.Series:
    """Each record as JSON. An absent field is left out: Lumos's `external_id` is never null."""
    app_ids = {text: json.dumps(text) for text in records["source_app_id"].unique().to_list()}
    line = pl.concat_str(
        pl.lit('{"account":'),
        _account(),
        pl.lit(',"event":{"type":"'),
        "event_type",
        pl.lit('"},"timestamp":"'),
        pl.col("timestamp").dt.to_string(_TIME),
        pl.lit('","source_app_id":'),
        pl.col("source_app_id").replace(app_ids),
        _app(),
        pl.lit("}"),
    )
    return records.select(line.alias("line")).to_series()


def _account() -> pl.Expr:
    external_id, email = pl.col("account_id"), pl.col("email")
    return (
        pl.when(email.is_null())
        .then(pl.struct(external_id=external_id).struct.json_encode())
        .when(external_id.is_null())
        .then(pl.struct(email=email).struct.json_encode())
        .otherwise(pl.struct(external_id=external_id, email=email).struct.json_encode())
    )


def _app() -> pl.Expr:
    """The app inside the source, where the source speaks of another one."""
    name = pl.col("app_instance_identifier")
    app = pl.struct(instance_identifier=name).struct.json_encode()
    return pl.when(name.is_null()).then(pl.lit("")).otherwise(pl.lit(',"app":') + app)
