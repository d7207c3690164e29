"""Upload bodies: a snapshot as the bytes of POST /accounts/upload, in parts, never held whole."""

import io
import json
from collections.abc import Iterator

import polars as pl

from schemas.snapshot import Snapshot
from transforms.permissions import to_permissions
from transforms.threads import two_at_once

SLICE = 20_000
"""Accounts encoded at a time; two slices go at once, outside the interpreter's lock.
"""

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

    def encoded(at: int) -> memoryview:
        return _encode(snapshot, permissions, at, min(SLICE, end - at))

    for number, part in enumerate(two_at_once(encoded, range(start, end, SLICE))):
        if number:
            yield b","
        yield part


def to_head(app_id: str) -> bytes:
    """What stands before the accounts in a body; `TAIL` stands after them."""
    return b'{"app_id":' + json.dumps(app_id).encode() + b',"accounts":['


TAIL = b"]}"


def _encode(snapshot: Snapshot, permissions: pl.Series, start: int, count: int) -> memoryview:
    accounts = snapshot.accounts.slice(start, count)
    uploads = accounts.select(
        pl.col("integration_specific_id").alias("unique_identifier"),
        "email",
        pl.col("given_name").alias("first_name"),
        pl.col("family_name").alias("last_name"),
        pl.col("user_status").alias("status"),
        pl.col("last_login", "last_activity").dt.to_string(_TIME),
        _permissions(snapshot, permissions, start, accounts.height).alias("permissions"),
        _attributes(snapshot.attribute_labels).alias("attributes"),
    )
    buffer = io.BytesIO()
    uploads.write_json(buffer)
    # Without its brackets, and without copying it: a body is hundreds of megabytes.
    return buffer.getbuffer()[1:-1]


def _permissions(snapshot: Snapshot, permissions: pl.Series, start: int, count: int) -> pl.Series:
    """The permissions of each account of a slice, as lists of structs."""
    number = pl.int_range(start, start + count + 1, dtype=pl.UInt32, eager=True)
    offsets = snapshot.held["account"].search_sorted(number).cast(pl.Int64)
    first = int(offsets[0])
    codes = snapshot.held["entitlement"].slice(first, int(offsets[-1]) - first)
    held = pl.lit(permissions.gather(codes)).implode()
    at = pl.int_ranges(pl.lit(offsets.head(count)) - first, pl.lit(offsets.tail(count)) - first)
    return pl.select(held.list.gather(at)).to_series()


def _attributes(labels: list[str]) -> pl.Expr:
    """An account's attributes: `type` is the label and `name` the value, as in Lumos's docs."""
    if not labels:
        return pl.lit([], dtype=pl.List(pl.Struct({"type": pl.String(), "name": pl.String()})))
    each = (
        pl.when(pl.col(label).is_not_null()).then(pl.struct(type=pl.lit(label), name=pl.col(label)))
        for label in labels
    )
    return pl.concat_arr(*each).arr.to_list().list.eval(pl.element().drop_nulls())
