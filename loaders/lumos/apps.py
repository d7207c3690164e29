"""Finds the Lumos app that receives a source, and makes it where the source file says so."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from loaders.lumos.client import Check, LumosApi, Params
from loaders.lumos.responses import not_lumos
from schemas.errors import ConfigError, LumosRefusedError, LumosUnavailableError, raise_as
from schemas.source_file.blocks import App

_PATH = "/apps"
_PAGE_SIZE = 100
_NOT_FOUND = 404


def find_app(api: LumosApi, app: App) -> str | None:
    """The id of the app that the source file names; None where none has that name.

    Raises:
        LumosUnavailableError: Lumos could not be reached.
        LumosRefusedError: no app has that id, several have that name, or Lumos refused the request.
    """
    if app.id is not None:
        return _app_with_id(api, app.id)
    candidates = _apps_like(api, str(app.name))
    ids = [_id_of(candidate, _PATH) for candidate in candidates if _has_name(candidate, app)]
    if len(ids) > 1:
        raise LumosRefusedError(
            f"{len(ids)} apps in Lumos are called {app.name!r}: write one of their ids as app.id"
            f" instead of the name: {', '.join(ids)}"
        )
    return ids[0] if ids else None


@dataclass(frozen=True, slots=True)
class SavedApp:
    """An app as Lumos has it: what it is called now, and whether it is disconnected."""

    name: str | None
    is_disconnected: bool


def saved_app(api: LumosApi, app_id: str) -> SavedApp | None:
    """The app with that id; None where Lumos has none.

    Raises:
        LumosUnavailableError: Lumos could not be reached.
        LumosRefusedError: Lumos refused the request.
    """
    path = f"{_PATH}/{quote(app_id, safe='')}"
    try:
        answer = api.get(path)
    except LumosRefusedError as error:
        if error.status == _NOT_FOUND:
            return None
        raise
    _id_of(answer, path)
    name = answer.get("user_friendly_label")
    return SavedApp(name if isinstance(name, str) else None, bool(answer.get("disconnected")))


def create_app(api: LumosApi, app: App, *, check: Check) -> str:
    """The id of a new app, made as the source file says.

    `check` is called before each attempt; it raises where nothing more may be sent.

    Raises:
        BusyError: as `check` raises it.
        ConfigError: the file does not say so, or names a category that Lumos does not have.
        LumosUnavailableError: Lumos could not be reached.
        LumosRefusedError: Lumos refused the request.
    """
    if app.create is None or app.name is None:
        raise ConfigError("app.create is not given: the app may not be made")
    check_category(api, app.create.category)
    body = {
        "name": app.name,
        "category": app.create.category,
        "description": app.create.description,
    }
    try:
        return _id_of(api.post(_PATH, body, check=check, repeat_unknown=False), _PATH)
    except LumosUnavailableError as error:
        outage = error
    # Unlike an upload, this POST sent twice would make two apps: so look whether it took effect.
    app_id = find_app(api, app)
    if app_id is None:
        raise outage
    return app_id


def _app_with_id(api: LumosApi, app_id: str) -> str:
    path = f"{_PATH}/{quote(app_id, safe='')}"

    def refusal(error: LumosRefusedError) -> LumosRefusedError:
        if error.status != _NOT_FOUND:
            return error
        text = f"app.id: Lumos has no app {app_id!r} (404): check the id"
        return LumosRefusedError(text, error.status)

    return raise_as(lambda: _id_of(api.get(path), path), {LumosRefusedError: refusal})


def _apps_like(api: LumosApi, name: str) -> Iterator[dict[str, Any]]:
    """The connected apps whose name holds `name`: more than asked for, never fewer."""
    page = 1
    while True:
        params: Params = {
            "name_search": name,
            "disconnected": False,
            "page": page,
            "size": _PAGE_SIZE,
        }
        answer = api.get(_PATH, params)
        items = answer.get("items") if isinstance(answer, dict) else None
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise not_lumos(f"GET {_PATH}")
        yield from items
        if len(items) < _PAGE_SIZE:
            return
        page += 1


def _has_name(item: dict[str, Any], app: App) -> bool:
    return item.get("user_friendly_label") == app.name and not item.get("disconnected")


def _id_of(answer: object, path: str) -> str:
    app_id = answer.get("id") if isinstance(answer, dict) else None
    if not isinstance(app_id, str) or not app_id:
        raise not_lumos(path)
    return app_id


def check_category(api: LumosApi, category: str) -> None:
    """Raises unless an app may be made in that category.

    Raises:
        ConfigError: Lumos does not have it; with the one that was meant, or all of them.
        LumosUnavailableError: Lumos could not be reached.
        LumosRefusedError: Lumos refused the request.
    """
    path = f"{_PATH}/categories"
    categories = api.get(path)
    if not isinstance(categories, list) or not all(isinstance(name, str) for name in categories):
        raise not_lumos(f"GET {path}")
    if category in categories:
        return
    close = _like(category, categories)
    hint = f"did you mean {close!r}?" if close else f"it has {', '.join(categories)}"
    raise ConfigError(f"app.create.category: Lumos has no category {category!r}; {hint}")


def _like(category: str, categories: list[str]) -> str | None:
    """The category that was meant, as far as can be told; Lumos's guides write HR_AND_LEARNING."""
    folded = {name.casefold(): name for name in categories}
    written = category.casefold().replace("_and_", " & ").replace("_", " ")
    close = [name for name in folded if written in name]
    close += difflib.get_close_matches(written, folded, n=1)
    return folded[close[0]] if close else None
