"""The endpoint that reads accounts back, page by page."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

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


def to_account(row: sqlite3.Row) -> Account:
    """Return an account as it is answered."""
    return {
        "id": row["id"],
        "app_id": row["app_id"],
        "account_type": "USER",
        "status": row["status"],
        "unique_identifier": row["unique_identifier"],
        "email": row["email"],
        "user_id": None,
        "discovered_at": row["discovered_at"],
        "last_login": row["last_login"],
        "last_activity": row["last_activity"],
        "sources": ["MANUAL"],
    }


@dataclass(frozen=True, slots=True)
class AccountFilters:
    """Which accounts are asked for."""

    app_id: str | None = None
    discovered_before: Instant | None = None
    discovered_after: Instant | None = None
    sources: Annotated[list[DiscoverySource] | None, Query()] = None
    status: Annotated[list[AccountStatus] | None, Query()] = None
    expand: Annotated[list[str] | None, Query()] = None

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


@router.get("/accounts", operation_id="getAccounts", responses=INVALID_IS_422)
def list_accounts(
    request: Request,
    store: StoreIn,
    faults: FaultsIn,
    asked: PageIn,
    filters: Annotated[AccountFilters, Depends()],
) -> Page[Account]:
    """List accounts in the order they were first seen; what a fault leaves untold is null."""
    untold = {fault for fault in UNTOLD_FAULTS if faults.take("/accounts", {fault})}
    condition, values = filters.to_condition()
    found = f"FROM account WHERE {condition}"
    with store.current() as moment:
        total = moment.connection.execute(f"SELECT count(*) {found}", values).fetchone()[0]
        rows = asked.rows(moment.connection, f"SELECT * {found} ORDER BY seq", values)
        items = [to_account(row) for row in rows]
        if filters.expand and "app" in filters.expand:
            base_url = str(request.base_url)
            apps: dict[str, App] = {
                app_id: to_app(saved_app(moment.connection, app_id), base_url)
                for app_id in {item["app_id"] for item in items}
            }
            items = [{**item, "app": apps[item["app_id"]]} for item in items]
    for item in items:
        if "status_missing" in untold:
            item["status"] = None
        if "email_missing" in untold:
            item["email"] = None
    return {
        "items": items,
        "total": None if "total_missing" in untold else total,
        "page": asked.page,
        "size": asked.size,
        "pages": asked.page_count(total),
    }
