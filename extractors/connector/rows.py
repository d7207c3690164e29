"""The rows of a connector's pages, looked at again: the SDK lets out whatever a connector says.

`dispatch` does not validate a response: an id that is a number goes out as one. A row without its
id as text is a reject; it is never made text of.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from extractors.text_rows import REJECTED, rows_frame, text_frame
from schemas.errors import SourceFormatError
from schemas.source_file.columns import is_pattern
from schemas.tables import ACCOUNTS, ASSOCIATIONS, ENTITLEMENTS, RESOURCES

ACCOUNT_ID = "integration_specific_id"
_TIMES = frozenset({"last_login", "last_activity"})


@dataclass(frozen=True, slots=True)
class RowShape:
    """What a table's rows are made of.

    Attributes:
        table: its name.
        columns: text, or null where there is none.
        needed: those of them that are text in every row.
    """

    table: str
    columns: tuple[str, ...]
    needed: tuple[str, ...]


SHAPES = {
    "accounts": RowShape(
        "accounts", tuple(name for name in ACCOUNTS if name not in _TIMES), (ACCOUNT_ID,)
    ),
    "resources": RowShape("resources", tuple(RESOURCES), ("resource_type", ACCOUNT_ID, "label")),
    "entitlements": RowShape(
        "entitlements",
        tuple(ENTITLEMENTS),
        ("entitlement_type", ACCOUNT_ID, "integration_specific_resource_id", "label"),
    ),
    "associations": RowShape("associations", tuple(ASSOCIATIONS), tuple(ASSOCIATIONS)),
}


@dataclass(frozen=True, slots=True)
class PageRows:
    """What a page became: its rows, and `REJECTED`."""

    rows: pl.DataFrame
    rejected: pl.DataFrame


def to_page_rows(shape: RowShape, response: Any, more: Sequence[str] | None = ()) -> PageRows:  # noqa: ANN401
    """Returns the rows of a page; `more` names custom attributes, or keys of extra_data.

    None takes the custom attributes that are there.

    Raises:
        SourceFormatError: the response is no list of objects.
    """
    if not isinstance(response, list) or not all(isinstance(row, dict) for row in response):
        raise SourceFormatError(f"{shape.table}: the response is no list of rows")
    problems = [_problem_of(shape, row) for row in response]
    sound = [row for row, problem in zip(response, problems, strict=True) if problem is None]
    columns = {name: [_text(row.get(name)) for row in sound] for name in shape.columns}
    if more is None:
        more = usable_labels(_labels_of(sound))
    columns |= {name: [_text(_further(row, name)) for row in sound] for name in more}
    rejected = [
        (_key_of(shape, row), json.dumps(row), problem)
        for row, problem in zip(response, problems, strict=True)
        if problem is not None
    ]
    return PageRows(text_frame(columns), rows_frame(REJECTED, rejected))


def usable_labels(names: Iterable[str]) -> list[str]:
    """Returns the names of custom attributes that can be labels, each once."""
    return [
        name
        for name in dict.fromkeys(names)
        if name.strip() and name not in ACCOUNTS and not is_pattern(name)
    ]


def _labels_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    given = [row.get("custom_attributes") for row in rows]
    return sorted({name for one in given if isinstance(one, dict) for name in one})


def keys_of(shape: RowShape, response: Any) -> list[Any]:  # noqa: ANN401 - JSON holds anything
    """Returns what tells the rows of a page from those of another."""
    rows = response if isinstance(response, list) else []
    return [
        tuple(str(row.get(name)) for name in shape.needed) for row in rows if isinstance(row, dict)
    ]


def _problem_of(shape: RowShape, row: Mapping[str, Any]) -> str | None:
    for name in shape.needed:
        if not isinstance(row.get(name), str):
            return f"{name} is no text"
    for name in shape.columns:
        value = row.get(name)
        is_flag = name == "is_assignable" and isinstance(value, bool)
        if not (value is None or isinstance(value, str) or is_flag):
            return f"{name} is no text"
    return None


def _key_of(shape: RowShape, row: Mapping[str, Any]) -> str | None:
    """Returns the id of a rejected row, as rejects carry it; null where it cannot be told."""
    parts = [row.get(name) for name in shape.needed if name.endswith("id")]
    if not all(isinstance(part, str) and part.strip() for part in parts[:1]):
        return None
    if shape.table in {"accounts", "resources"}:
        return str(parts[0])
    names = {"associations": ASSOCIATIONS}.get(
        shape.table, {ACCOUNT_ID: 0, "integration_specific_resource_id": 0}
    )
    known = {name: row.get(name) if isinstance(row.get(name), str) else None for name in names}
    return json.dumps(known, ensure_ascii=False, separators=(",", ":"))


def _further(row: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - JSON holds anything
    for part in ("custom_attributes", "extra_data"):
        inside = row.get(part)
        if isinstance(inside, dict) and inside.get(name) is not None:
            return inside[name]
    return None


def _text(value: Any) -> str | None:  # noqa: ANN401 - JSON holds anything
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
