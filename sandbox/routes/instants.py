"""Moments as they are asked for: ISO 8601 with a zone, of the years 1 to 9999 in UTC."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

_DATE_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:?\d\d)", re.ASCII
)
"""RFC 3339, 5.6, with the blank and the zone without a colon that ISO 8601 also allows."""


def _to_instant(value: object) -> datetime:
    if not isinstance(value, str) or not _DATE_TIME.fullmatch(value):
        raise ValueError("is no date and time with a zone, such as 2026-01-02T03:04:05Z")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except OverflowError:
        raise ValueError("is outside the years 1 to 9999 in UTC") from None


Instant = Annotated[
    datetime,
    BeforeValidator(_to_instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
