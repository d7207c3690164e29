"""The endpoints of apps: list, make, read, change, and the categories there are."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import uuid4

from fastapi import APIRouter, Depends, Query, Request

from sandbox.access import NEEDS_TOKEN, StoreIn
from sandbox.errors import RefusedError, not_found
from sandbox.models import App, AppWithCustomAttributes, Page
from sandbox.routes.bodies import CATEGORIES, AppInputCreate, AppInputUpdate
from sandbox.routes.paging import INVALID_IS_422, PageIn

CUSTOM_APP_INSTANCE = "custom_app_import"
_APP_FIELDS = {
    "name",
    "category",
    "description",
    "logo_url",
    "website_url",
    "request_instructions",
}

# A custom app's class id is its name, so that a search of the name covers both.
_FOUND = """
    FROM current_app WHERE NOT :is_none AND (:search IS NULL
        OR (:is_exact AND :search IN (name, :instance))
        OR (NOT :is_exact AND (
            instr(lower(name), lower(:search)) OR instr(:instance, lower(:search)))))
"""

router = APIRouter(dependencies=[NEEDS_TOKEN])


def to_app(row: sqlite3.Row, base_url: str) -> App:
    """Return an app as it is answered."""
    fields = json.loads(row["fields"])
    return {
        "id": row["id"],
        "app_class_id": fields["name"],
        "instance_id": CUSTOM_APP_INSTANCE,
        "user_friendly_label": fields["name"],
        "status": "APPROVED",
        "sources": ["MANUAL"],
        "allow_multiple_permission_selection": False,
        "logo_url": fields.get("logo_url"),
        "website_url": fields.get("website_url"),
        "request_instructions": fields.get("request_instructions"),
        "description": fields.get("description"),
        "category": fields.get("category"),
        "disconnected": False,
        "links": {"self": f"{base_url}apps/{row['id']}", "admin_url": f"{base_url}#{row['id']}"},
        "sync_status": None,
    }


def saved_app(connection: sqlite3.Connection, app_id: str) -> sqlite3.Row:
    """Return the row of an app, or refuse with a 404."""
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM current_app WHERE id = ?", (app_id,)
    ).fetchone()
    if row is None:
        raise not_found("App")
    return row


@dataclass(frozen=True, slots=True)
class AppFilters:
    """Which apps are asked for; there are no custom attributes to expand."""

    name_search: str | None = None
    exact_match: bool = False
    connection_source: Literal["API", "UI"] | None = None
    disconnected: bool | None = None
    expand: Annotated[list[str] | None, Query()] = None


@router.get("/apps", operation_id="listApps", responses=INVALID_IS_422)
def list_apps(
    request: Request, store: StoreIn, asked: PageIn, filters: Annotated[AppFilters, Depends()]
) -> Page[AppWithCustomAttributes]:
    """List the apps in the order they were made.

    All were made through the API, and none is ever disconnected.
    """
    values = {
        "search": filters.name_search,
        "is_exact": filters.exact_match,
        "instance": CUSTOM_APP_INSTANCE,
        "is_none": filters.connection_source == "UI" or filters.disconnected is True,
    }
    with store.current() as moment:
        total = moment.connection.execute(f"SELECT count(*) {_FOUND}", values).fetchone()[0]
        rows = asked.rows(moment.connection, f"SELECT * {_FOUND} ORDER BY seq", values)
    return {
        "items": [{**to_app(row, str(request.base_url)), "custom_attributes": {}} for row in rows],
        "total": total,
        "page": asked.page,
        "size": asked.size,
        "pages": asked.page_count(total),
    }


@router.post("/apps", operation_id="createApp", responses=INVALID_IS_422)
def make_app(request: Request, store: StoreIn, body: AppInputCreate) -> App:
    """Make a custom app; a name may be that of another app."""
    if body.app_class_id is not None:
        raise RefusedError(
            400, "validation", "unknown_app_class_id", "The sandbox knows no integrations"
        )
    fields: dict[str, Any] = body.model_dump(include=_APP_FIELDS)
    app_id = str(uuid4())
    with store.current() as moment:
        moment.connection.execute(
            "INSERT INTO app (id, created) VALUES (?, ?)", (app_id, json.dumps(fields))
        )
        return to_app(saved_app(moment.connection, app_id), str(request.base_url))


@router.get("/apps/categories", operation_id="getAppCategories")
def list_categories() -> list[str]:
    """List the display names that an app's category may have."""
    return list(CATEGORIES)


@router.get("/apps/{app_id}", operation_id="getApp", responses=INVALID_IS_422)
def read_app(
    request: Request,
    store: StoreIn,
    app_id: str,
    expand: Annotated[list[str] | None, Query()] = None,  # noqa: ARG001
) -> AppWithCustomAttributes:
    """Read an app."""
    with store.current() as moment:
        app = to_app(saved_app(moment.connection, app_id), str(request.base_url))
    return {**app, "custom_attributes": {}}


@router.patch("/apps/{app_id}", operation_id="updateApp", responses=INVALID_IS_422)
def change_app(request: Request, store: StoreIn, app_id: str, body: AppInputUpdate) -> App:
    """Change the fields that the body names; a null takes one back to what it was at first."""
    changes = json.dumps(body.model_dump(exclude_unset=True))
    with store.current() as moment:
        saved_app(moment.connection, app_id)
        moment.connection.execute(
            "UPDATE app SET overrides = json_patch(overrides, ?) WHERE id = ?", (changes, app_id)
        )
        return to_app(saved_app(moment.connection, app_id), str(request.base_url))
