"""Upload bodies: a snapshot as the bytes of POST /accounts/upload, in parts, never held whole."""

import io
import json
from collections.abc import Iterator
from itertools import chain

import polars as pl

from schemas.snapshot import Snapshot
from transforms.parallel import two_at_once
from transforms.upload.permissions import to_permissions

SLICE = 20_000
"""Accounts made ready at a time; two slices go at once, outside the interpreter's lock.
"""

PART = 1_000
"""Accounts encoded at a time: what a part needs stays in the processor's cache, and its memory is
used again. One of 20,000 takes half as long again, most of it in asking the system for pages."""

_TIME = "%Y-%m-%dT%H:%M:%S%.fZ"


def to_body_parts(
    snapshot: Snapshot, start: int = 0, count: int | None = None
) -> Iterator[bytes | memoryview]:
    """The accounts from `start`, `count` of them, as the inside of a JSON array, in parts.

    The same snapshot gives the same bytes: accounts by id, permissions by id, attributes by label,
    times in UTC; an absent field is null, an absent attribute is left out.
    """
    permissions = to_permissions(snapshot.entitlements, snapshot.resources).to_struct("permission")
    end = (
        snapshot.accounts.height if count is None else min(start + count, snapshot.accounts.height)
    )

    def encoded(at: int) -> list[memoryview]:
        uploads = _uploads(snapshot, permissions, at, min(SLICE, end - at))
        return [_encode(uploads.slice(first, PART)) for first in range(0, uploads.height, PART)]

    parts = chain.from_iterable(two_at_once(encoded, range(start, end, SLICE)))
    for number, part in enumerate(parts):
        if number:
            yield b","
        yield part


def to_head(app_id: str) -> bytes:
    """What stands before the accounts in a body; `TAIL` stands after them."""
    return b'{"app_id":' + json.dumps(app_id).encode() + b',"accounts":['


TAIL = b"]}"


def _uploads(snapshot: Snapshot, permissions: pl.Series, start: int, count: int) -> pl.DataFrame:
    """A slice of the accounts as the upload API names and nests them."""
    accounts = snapshot.accounts.slice(start, count)
    # Times are UTC; polars writes one that says so at a third of the speed.
    times = pl.col("last_login", "last_activity").dt.replace_time_zone(None)
    return accounts.select(
        pl.col("integration_specific_id").alias("unique_identifier"),
        "email",
        pl.col("given_name").alias("first_name"),
        pl.col("family_name").alias("last_name"),
        pl.col("user_status").alias("status"),
        times.dt.to_string(_TIME),
        _permissions(snapshot, permissions, start, accounts.height).alias("permissions"),
        _attributes(accounts.select(snapshot.attribute_labels)).alias("attributes"),
    )


def _encode(uploads: pl.DataFrame) -> memoryview:
    buffer = io.BytesIO()
    uploads.write_json(buffer)
    # Without its brackets, and without copying it: a body is hundreds of megabytes.
    return buffer.getbuffer()[1:-1]


def _permissions(snapshot: Snapshot, permissions: pl.Series, start: int, count: int) -> pl.Series:
    """The permissions of each account of a slice, as lists of structs."""
    number = pl.int_range(start, start + count + 1, dtype=pl.UInt32, eager=True)
    offsets = snapshot.grants["account"].search_sorted(number).cast(pl.Int64)
    first = int(offsets[0])
    codes = snapshot.grants["entitlement"].slice(first, int(offsets[-1]) - first)
    at = pl.int_ranges(pl.lit(offsets.head(count)) - first, pl.lit(offsets.tail(count)) - first)
    grants = pl.lit(codes).implode().list.gather(at)
    return pl.select(pl.lit(permissions).implode().list.gather(grants)).to_series()


def _attributes(values: pl.DataFrame) -> pl.Expr:
    """An account's attributes: `type` is the label and `name` the value, as in Lumos's docs."""
    if not values.width:
        return pl.lit([], dtype=pl.List(pl.Struct({"type": pl.String(), "name": pl.String()})))
    each = [pl.struct(type=pl.lit(label), name=pl.col(label)) for label in values.columns]
    if not any(value.null_count() for value in values):
        return pl.concat_arr(*each).arr.to_list()
    attributes = (
        pl.when(pl.col(label).is_not_null()).then(one)
        for label, one in zip(values.columns, each, strict=True)
    )
    return pl.concat_arr(*attributes).arr.to_list().list.eval(pl.element().drop_nulls())
