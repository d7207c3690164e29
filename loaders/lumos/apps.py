"""Finds the Lumos app that receives a source, and makes it where the source file says so."""

import difflib
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from loaders.lumos.client import Check, LumosApi, Params
from loaders.lumos.responses import not_lumos
from schemas.errors import ConfigError, LumosRefusedError, LumosUnavailableError
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
    found = [_id_of(one, _PATH) for one in _apps_like(api, str(app.name)) if _has_name(one, app)]
    if len(found) > 1:
        raise LumosRefusedError(
            f"{len(found)} apps in Lumos are called {app.name!r}: write one of their ids as app.id"
            f" instead of the name: {', '.join(found)}"
        )
    return found[0] if found else None


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
    found = find_app(api, app)
    if found is None:
        raise outage
    return found


def _app_with_id(api: LumosApi, app_id: str) -> str:
    path = f"{_PATH}/{quote(app_id, safe='')}"
    status = None
    try:
        return _id_of(api.get(path), path)
    except LumosRefusedError as error:
        status, refusal = error.status, error
    if status != _NOT_FOUND:
        raise refusal
    raise LumosRefusedError(f"app.id: Lumos has no app {app_id!r} (404): check the id", status)


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
        if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
            raise not_lumos(f"GET {_PATH}")
        yield from items
        if len(items) < _PAGE_SIZE:
            return
        page += 1


def _has_name(found: dict[str, Any], app: App) -> bool:
    return found.get("user_friendly_label") == app.name and not found.get("disconnected")


def _id_of(answer: object, path: str) -> str:
    app_id = answer.get("id") if isinstance(answer, dict) else None
    if not isinstance(app_id, str) or not app_id:
        raise not_lumos(path)
    return app_id


def check_category(api: LumosApi, category: str) -> None:
    """Whether an app may be made in that category.

    Raises:
        ConfigError: Lumos does not have it; with the one that was meant, or all of them.
        LumosUnavailableError: Lumos could not be reached.
        LumosRefusedError: Lumos refused the request.
    """
    path = f"{_PATH}/categories"
    known = api.get(path)
    if not isinstance(known, list) or not all(isinstance(one, str) for one in known):
        raise not_lumos(f"GET {path}")
    if category in known:
        return
    close = _like(category, known)
    hint = f"did you mean {close!r}?" if close else f"it has {', '.join(known)}"
    raise ConfigError(f"app.create.category: Lumos has no category {category!r}; {hint}")


def _like(category: str, known: list[str]) -> str | None:
    """The category that was meant, as far as can be told; Lumos's guides write HR_AND_LEARNING."""
    folded = {one.casefold(): one for one in known}
    written = category.casefold().replace("_and_", " & ").replace("_", " ")
    close = [one for one in folded if written in one]
    close += difflib.get_close_matches(written, folded, n=1)
    return folded[close[0]] if close else None
