"""Paths into JSON records, `actor.alternateId` or `target[0].id`, and cells from their values."""

import json
import re
from collections.abc import Callable
from typing import Any

Record = dict[str, Any]
_PART = re.compile(r"[^.\[\]]+")


def getter(path: str) -> Callable[[Record], Any]:
    """Returns what gets the value at a path; null where nothing is there.

    A key that is written just so comes first: some exports have dots in their keys. A list is gone
    into by number, and one of a single item also without.
    """
    keys = _PART.findall(path)
    if len(keys) <= 1:
        return lambda record: record.get(path)

    def get(record: Record) -> Any:  # noqa: ANN401 - whatever stands there
        if path in record:
            return record[path]
        value: Any = record
        for key in keys:
            value = _inside(value, key)
            if value is None:
                return None
        return value

    return get


def _inside(value: Any, key: str) -> Any:  # noqa: ANN401 - whatever stands there
    if isinstance(value, dict):
        return value.get(key)
    if not isinstance(value, list):
        return None
    if key.isdecimal():
        return value[int(key)] if int(key) < len(value) else None
    return _inside(value[0], key) if len(value) == 1 else None


def has_path(record: Record, path: str) -> bool:
    """Whether a record has the first key of a path, or the path as a key."""
    keys = _PART.findall(path)
    return path in record or (bool(keys) and keys[0] in record)


def cell_of(value: Any) -> str | None:  # noqa: ANN401 - whatever stands there
    """Returns a value as the text of a cell: `true`, `12`, an object as JSON; null as null."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def is_inexact(value: Any) -> bool:  # noqa: ANN401 - whatever stands there
    """Whether a value is, or may hold, a number that is no longer as it was written."""
    return isinstance(value, float | dict | list)
