"""Users as rows: the fields of an account, attributes that the file names, what a user holds."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import polars as pl

from extractors.scim.documents import (
    TWICE,
    NotJsonError,
    decode,
    id_of,
    items_of,
    text_of,
)
from extractors.scim.paths import AttributePath, Cell
from extractors.text_rows import rows_frame, text_frame
from schemas.source_file.columns import Named
from schemas.source_file.kinds.scim_source import ScimSource
from schemas.tables import ACCOUNT_FIELDS

ID, EMAIL = "\0id", "\0email"
"""The id and the address of every user, whatever the source file names."""

HELD = {"user": pl.String(), "type": pl.String(), "id": pl.String(), "label": pl.String()}
"""A row for each of a user's roles and entitlements."""

CLAIMS = {"user": pl.String(), "group": pl.String()}
"""A row for each group that a user's own `groups` names."""

_KINDS = {"roles": "Role", "entitlements": "Entitlement"}
_STATUS = "user_status"
_FIELDS = {
    "integration_specific_id": "id",
    "email": "emails",
    "given_name": "name.givenName",
    "family_name": "name.familyName",
    "username": "userName",
}
"""By field of an account: the attribute that fills it."""


@dataclass(frozen=True, slots=True)
class UserColumns:
    """What is made of each user.

    Attributes:
        cells: the text of each column, by its name, in order.
        stated: columns that the file names; they are there even where nobody has a value.
        managers: columns that name the manager by id, for whose address they stand.
        kinds: by folded attribute: the entitlement type of what is in it.
    """

    cells: dict[str, Cell]
    stated: frozenset[str]
    managers: frozenset[str]
    kinds: dict[str, str]


@dataclass(frozen=True, slots=True)
class UserRows:
    """What a page of users became.

    Attributes:
        frame: `ID`, `EMAIL` and the columns, all text; a row a user.
        held: `HELD`.
        claims: `CLAIMS`.
        twice: ids of users in whom one name stands twice, each with its JSON; they have no row.
    """

    frame: pl.DataFrame
    held: pl.DataFrame
    claims: pl.DataFrame
    twice: list[tuple[str, str]]


def to_user_columns(source: ScimSource, named: Named) -> UserColumns:
    """Returns the columns of the accounts: fields that the file leaves alone, and what it names.

    Raises:
        ConfigError: a column is no attribute's path, or a password's.
    """
    cells: dict[str, Cell] = {}
    for field in ACCOUNT_FIELDS:
        is_wanted = field in named.columns or field not in named.fields
        if is_wanted and field == _STATUS:
            cells[field] = status_cell(source.active_absent)
        elif is_wanted and field in _FIELDS:
            cells[field] = AttributePath(_FIELDS[field]).to_cell(source.separator)
    managers = set()
    paths = {name: AttributePath(name) for name in sorted(named.columns - set(ACCOUNT_FIELDS))}
    for name, path in paths.items():
        cells[name] = _named_cell(path, source.separator)
        if path.is_manager:
            managers.add(name)
    taken = {path.names[0] for path in paths.values()}
    kinds = {name: kind for name, kind in _KINDS.items() if name not in taken}
    stated = named.columns | {"integration_specific_id", _STATUS}
    return UserColumns(cells, frozenset(stated & set(cells)), frozenset(managers), kinds)


def _named_cell(path: AttributePath, separator: str) -> Cell:
    if path.is_manager:
        return lambda resource: reference_of(path.value(resource))
    cell = path.to_cell(separator)
    if path.names != ("active",):
        return cell

    def active(resource: dict[str, Any]) -> str | None:
        text = cell(resource)
        folded = (text or "").lower()
        return folded if folded in {"true", "false"} else text

    return active


def reference_of(value: Any) -> str | None:  # noqa: ANN401 - JSON holds anything
    """Returns the id by which one resource names another."""
    item = next(iter(items_of(value)), None)
    return id_of(item.get("value") if isinstance(item, dict) else item) or None


def status_cell(if_absent: str) -> Cell:
    """Returns what makes a status of `active`: true and false, as such or as text, nothing else.

    Whatever else it is has no mapping to a status, and its row is a reject; so is one without
    `active`, unless the file says what that means (django-scim2, scim2-server and scimmy show none
    after a PUT without it).
    """
    absent = None if if_absent == "refuse" else if_absent

    def cell(resource: dict[str, Any]) -> str | None:
        active = resource.get("active")
        if active is True:
            return "ACTIVE"
        if active is False:
            return "INACTIVE"
        if active is None:
            return absent
        word = active.lower() if isinstance(active, str) else ""
        known = {"true": "ACTIVE", "false": "INACTIVE"}.get(word)
        return known or f"active: {text_of(active)}"

    return cell


def users_to_rows(columns: UserColumns) -> Callable[[Sequence[dict[str, Any]]], UserRows]:
    """Returns what makes rows of a page of users."""
    address = AttributePath("emails").to_cell(" ")

    def to_rows(resources: Sequence[dict[str, Any]]) -> UserRows:
        twice = [user for user in resources if TWICE in user]
        users = [user for user in resources if TWICE not in user] if twice else resources
        cells = {name: [cell(user) for user in users] for name, cell in columns.cells.items()}
        ids = [id_of(user["id"]) for user in users]
        held = [row for user in users for row in _held(user, columns.kinds)]
        claims = [
            (id_of(user["id"]), group)
            for user in users
            for group in map(reference_of, items_of(user.get("groups")))
            if group
        ]
        emails = cells.get("email") or [address(user) for user in users]
        return UserRows(
            text_frame({ID: ids, EMAIL: emails, **cells}),
            rows_frame(HELD, held),
            rows_frame(CLAIMS, claims),
            [(id_of(user["id"]), json.dumps(user)) for user in twice],
        )

    return to_rows


def _held(user: dict[str, Any], kinds: dict[str, str]) -> Iterator[tuple[str, str, str, str]]:
    """Yields a row (`HELD`) for each role and entitlement that names one."""
    for name, kind in kinds.items():
        for item in items_of(user.get(name)):
            entitlement_id, label = _role(item)
            if entitlement_id:
                yield id_of(user["id"]), kind, entitlement_id, label or entitlement_id


def _role(item: Any) -> tuple[str | None, str | None]:  # noqa: ANN401 - JSON holds anything
    """Returns (id, label) of a role; some services put a whole object into `value`, as text."""
    display = item.get("display") if isinstance(item, dict) else None
    label = text_of(display) or None
    value = item.get("value") if isinstance(item, dict) else item
    if isinstance(value, str) and value.lstrip().startswith("{"):
        with suppress(NotJsonError):
            value = decode(value.encode(errors="replace"))
    if not isinstance(value, dict):
        return text_of(value) or label, label
    named = text_of(value.get("displayname")) or text_of(value.get("display")) or label
    own = text_of(value.get("value")) or text_of(value.get("id"))
    return own or named, named or own
