"""The endpoint that reads accounts back, page by page."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from sandbox.access import NEEDS_TOKEN, FaultsIn, StoreIn
from sandbox.faults import UNTOLD_FAULTS
from sandbox.models import Account, AccountStatus, App, DiscoverySource, Page
from sandbox.routes.apps import saved_app, to_app
from sandbox.routes.instants import Instant
from sandbox.routes.paging import INVALID_IS_422, PageIn
from sandbox.state.moment import to_text

_TERMS = {
    "app_id": "app_id = :app_id",
    "before": "discovered_at < :before",
    "after": "discovered_at > :after",
    "status": "status IN (SELECT value FROM json_each(:status))",
    # Every account comes from an upload.
    "sources": "'MANUAL' IN (SELECT value FROM json_each(:sources))",
}

router = APIRouter(dependencies=[NEEDS_TOKEN])


@dataclass(frozen=True, slots=True)
class AccountFilters:
    """Which accounts are asked for."""

    app_id: str | None
    discovered_before: Instant | None
    discovered_after: Instant | None
    sources: list[DiscoverySource] | None
    status: list[AccountStatus] | None
    expand: list[str] | None

    def to_condition(self) -> tuple[str, dict[str, object]]:
        """Return the filters that are set as a condition of SQL, and its values."""
        values: dict[str, object] = {
            "app_id": self.app_id,
            "before": self.discovered_before and to_text(self.discovered_before),
            "after": self.discovered_after and to_text(self.discovered_after),
            "status": self.status and json.dumps(self.status),
            "sources": self.sources and json.dumps(self.sources),
        }
        terms = [_TERMS[name] for name, value in values.items() if value]
        return " AND ".join(terms) or "1", values


async def _filters_asked(
    app_id: str | None = None,
    discovered_before: Instant | None = None,
    discovered_after: Instant | None = None,
    sources: Annotated[list[DiscoverySource] | None, Query()] = None,
    status: Annotated[list[AccountStatus] | None, Query()] = None,
    expand: Annotated[list[str] | None, Query()] = None,
) -> AccountFilters:
    return AccountFilters(app_id, discovered_before, discovered_after, sources, status, expand)


_ITEMS = """
    SELECT json_group_array(json_object(
        'id', id,
        'app_id', app_id,
        'account_type', 'USER',
        'status', iif(:tells_status, status, NULL),
        'unique_identifier', unique_identifier,
        'email', iif(:tells_email, email, NULL),
        'user_id', NULL,
        'discovered_at', discovered_at,
        'last_login', last_login,
        'last_activity', last_activity,
        'sources', json('["MANUAL"]')))
    FROM (SELECT * FROM account WHERE seq IN (SELECT value FROM json_each(:numbers)) ORDER BY seq)
"""


@router.get(
    "/accounts",
    operation_id="getAccounts",
    response_model=Page[Account],
    responses=INVALID_IS_422,
)
def list_accounts(
    request: Request,
    store: StoreIn,
    faults: FaultsIn,
    asked: PageIn,
    filters: Annotated[AccountFilters, Depends(_filters_asked)],
) -> Response:
    """List accounts in the order they were first seen; what a fault leaves untold is null.

    The database itself writes the page, as JSON: to read an app back is what takes a sync longest.
    """
    untold = {fault for fault in UNTOLD_FAULTS if faults.take("/accounts", {fault})}
    condition, values = filters.to_condition()
    with store.current() as moment:
        select = f"SELECT seq FROM account WHERE {condition} ORDER BY seq"  # noqa: S608 - ours
        every = moment.index.numbers(moment, select, values)
        page: dict[str, object] = {
            "numbers": json.dumps(list(asked.of(every))),
            "tells_status": "status_missing" not in untold,
            "tells_email": "email_missing" not in untold,
        }
        items = moment.connection.execute(_ITEMS, page).fetchone()[0]
        if filters.expand and "app" in filters.expand:
            items = _with_apps(items, moment.connection, str(request.base_url))
        total = len(every)
    told = "null" if "total_missing" in untold else total
    text = (
        f'{{"items":{items},"total":{told},"page":{asked.page},"size":{asked.size},'
        f'"pages":{asked.page_count(total)}}}'
    )
    return Response(text, media_type="application/json")


def _with_apps(items: str, connection: sqlite3.Connection, base_url: str) -> str:
    """Return the accounts, as JSON, each with its app."""
    accounts: list[Account] = json.loads(items)
    apps: dict[str, App] = {
        app_id: to_app(saved_app(connection, app_id), base_url)
        for app_id in {account["app_id"] for account in accounts}
    }
    return json.dumps([{**account, "app": apps[account["app_id"]]} for account in accounts])
