"""The page at `/`, what it shows as JSON, and faults and figures: no token asked, none shown."""

import base64
import hashlib
import json
import re
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from fastapi.responses import HTMLResponse

from sandbox.access import FaultsIn, StoreIn
from sandbox.errors import RefusedError
from sandbox.routes.paging import PageIn
from sandbox.state.jobs import state_of

_PAGE = (Path(__file__).parent / "page.html").read_text(encoding="utf-8")
_SHOWN_JOBS = 100
_SEARCH = """
    FROM account WHERE (:app_id IS NULL OR app_id = :app_id)
        AND (:status IS NULL OR status = :status)
        AND (:q = '' OR instr(lower(unique_identifier || ' ' || coalesce(email, '') || ' '
            || coalesce(first_name, '') || ' ' || coalesce(last_name, '') || ' '
            || permissions || ' ' || attributes), lower(:q)))
"""
_FOUND_ACTIVITY = "FROM activity WHERE :app_id IS NULL OR app_id = :app_id"
_OWNER = ", (SELECT unique_identifier FROM account WHERE account.id = account_id) AS account"

router = APIRouter(include_in_schema=False)


def _policy_of(page: str) -> str:
    """Return the content policy under which nothing but the page's own script runs."""
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()) for text in scripts]
    allowed = " ".join(f"'sha256-{digest.decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline';"
        " connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    )


_HEADERS = {"Content-Security-Policy": _policy_of(_PAGE), "Cache-Control": "no-store"}


@router.get("/", response_class=HTMLResponse)
def show_page() -> HTMLResponse:
    """Show the page that lists apps, accounts, jobs and activity."""
    return HTMLResponse(_PAGE, headers=_HEADERS)


@router.get("/sandbox/state")
def read_state(store: StoreIn, faults: FaultsIn) -> dict[str, Any]:
    """Return all apps with their counts, the newest jobs, and what is armed.

    `version` moves when there is something new to read elsewhere.
    """
    with store.current() as moment:
        counts: dict[str, dict[str, int]] = {}
        for app_id, status, count in moment.connection.execute(
            "SELECT app_id, status, count(*) FROM account GROUP BY app_id, status"
        ):
            counts.setdefault(app_id, {})[status] = count
        apps = [
            {
                "id": row["id"],
                **{key: json.loads(row["fields"]).get(key) for key in ("name", "category")},
                "statuses": counts.get(row["id"], {}),
            }
            for row in moment.connection.execute("SELECT * FROM current_app ORDER BY seq")
        ]
        jobs = moment.connection.execute(
            "SELECT * FROM job ORDER BY seq DESC LIMIT ?", (_SHOWN_JOBS,)
        )
        return {
            "version": moment.version,
            "uploads": store.uploads,
            "job_seconds": store.job_seconds,
            "apps": apps,
            "jobs": [_to_shown_job(job, moment.now) for job in jobs],
            "faults": faults.armed(),
        }


def _to_shown_job(job: sqlite3.Row, now: float) -> dict[str, Any]:
    """Return a job as the page shows it: with what Lumos does not tell."""
    shown = ("id", "kind", "app_id", "row_count", "created_at", "ends_at", "is_forgotten")
    counts = ("is_overlapping", "added_count", "updated_count", "removed_count", "reason")
    return {"state": state_of(job, now), **{key: job[key] for key in (*shown, *counts)}}


@router.get("/sandbox/accounts")
def search_accounts(
    store: StoreIn,
    asked: PageIn,
    app_id: str | None = None,
    status: str | None = None,
    q: str = "",
) -> dict[str, Any]:
    """Return accounts with their names, permissions and attributes, which Lumos never reads back.

    `q` is looked for in identifiers, emails, names, permissions and attributes.
    """
    values = {"app_id": app_id or None, "status": status or None, "q": q.strip()}
    with store.current() as moment:
        total = moment.connection.execute(f"SELECT count(*) {_SEARCH}", values).fetchone()[0]
        rows = asked.rows(moment.connection, f"SELECT * {_SEARCH} ORDER BY seq", values)
    kept = {"permissions", "attributes"}
    items = [
        {key: json.loads(row[key]) if key in kept else row[key] for key in row.keys()}  # noqa: SIM118
        for row in rows
    ]
    return {"items": items, "total": total, "pages": asked.page_count(total)}


@router.get("/sandbox/activity")
def read_activity(store: StoreIn, asked: PageIn, app_id: str | None = None) -> dict[str, Any]:
    """Return activity records, newest upload first; `account` is whose it was, once applied."""
    values = {"app_id": app_id or None}
    with store.current() as moment:
        total = moment.connection.execute(f"SELECT count(*) {_FOUND_ACTIVITY}", values).fetchone()[
            0
        ]
        rows = asked.rows(
            moment.connection, f"SELECT *{_OWNER} {_FOUND_ACTIVITY} ORDER BY seq DESC", values
        )
    return {
        "items": [dict(row) for row in rows],
        "total": total,
        "pages": asked.page_count(total),
    }


@router.get("/sandbox/stats")
def read_stats(request: Request, store: StoreIn) -> dict[str, Any]:
    """Return what has come in: uploads, how many overlapped, jobs by state, requests by path.

    An upload overlaps when one of the same app has not ended at the moment it is accepted.
    """
    with store.current() as moment:
        jobs = moment.connection.execute("SELECT * FROM job").fetchall()
    states = Counter(state_of(job, moment.now) for job in jobs)
    return {
        "uploads": sum(job["kind"] == "upload" for job in jobs),
        "overlapping_uploads": sum(job["is_overlapping"] for job in jobs),
        "jobs": dict(states),
        "requests": dict(request.app.state.traffic.requests),
    }


@router.get("/sandbox/faults")
def read_faults(faults: FaultsIn) -> list[dict[str, object]]:
    """Return the faults that are armed."""
    return faults.armed()


@router.post("/sandbox/faults")
def arm_faults(
    faults: FaultsIn, specs: Annotated[list[str | dict[str, Any]], Body()]
) -> list[dict[str, object]]:
    """Arm faults, all of the list or none, and return what is armed."""
    try:
        faults.arm(specs)
    except ValueError as error:
        raise RefusedError(422, "validation", "wrong_fault", str(error)) from None
    return faults.armed()


@router.delete("/sandbox/faults")
def clear_faults(faults: FaultsIn) -> list[dict[str, object]]:
    """Disarm all faults."""
    faults.clear()
    return faults.armed()
