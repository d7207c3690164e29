"""The endpoints of account uploads: take one, and say how its job goes."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import orjson
from fastapi import APIRouter

from sandbox.access import NEEDS_TOKEN, FaultsIn, StoreIn
from sandbox.faults import JOB_FAULTS
from sandbox.models import JobStateOutput
from sandbox.routes.apps import saved_app
from sandbox.routes.bodies import AccountInput, AccountsUpload
from sandbox.routes.paging import INVALID_IS_422
from sandbox.state.jobs import add_job, saved_state, to_job_answer
from sandbox.state.moment import to_text

_PATH = "/accounts/upload"
_STAGE = "INSERT INTO staged VALUES (?,?,?,?,?,?,?,?,?,?)"

router = APIRouter(dependencies=[NEEDS_TOKEN])


def reason_to_fail(accounts: Iterable[AccountInput]) -> str | None:
    """Return why Lumos would fail a whole upload over one of its rows, or None.

    A row needs an email or both names (help centre, custom data formatting, read 2026-08), and an
    identifier of its own. Dates that cannot be read are refused too: what Lumos does with them
    is not known.
    """
    seen: set[str] = set()
    for number, account in enumerate(accounts, start=1):
        identifier = account["unique_identifier"]
        if not (identifier and identifier.strip()):
            return f"row {number}: no unique_identifier"
        if identifier in seen:
            return f"row {number}: unique_identifier is that of an earlier row"
        seen.add(identifier)
        if not (_has(account.get("email")) or _has_both_names(account)):
            return f"row {number}: neither an email nor both names"
        for field in (account.get("last_login"), account.get("last_activity")):
            if field and not _is_date(field):
                return f"row {number}: a date is not in ISO 8601"
    return None


def _has(text: str | None) -> bool:
    return bool(text and text.strip())


def _has_both_names(account: AccountInput) -> bool:
    return _has(account.get("first_name")) and _has(account.get("last_name"))


def _is_date(text: str) -> bool:
    try:
        to_text(datetime.fromisoformat(text))
    except (ValueError, OverflowError):  # the latter of what is before the year 1 in UTC
        return False
    return True


def _staged_rows(job_id: str, accounts: Iterable[AccountInput]) -> Iterator[tuple[object, ...]]:
    """Return the accounts as rows of `staged`; a missing status is ACTIVE."""
    for account in accounts:
        yield (
            job_id,
            account["unique_identifier"],
            account.get("status") or "ACTIVE",
            account.get("email"),
            account.get("first_name"),
            account.get("last_name"),
            _to_saved_date(account.get("last_login")),
            _to_saved_date(account.get("last_activity")),
            orjson.dumps(account.get("permissions", [])).decode(),
            orjson.dumps(account.get("attributes", [])).decode(),
        )


def _to_saved_date(text: str | None) -> str | None:
    return to_text(datetime.fromisoformat(text)) if text else None


@router.post(
    _PATH, operation_id="postAccounts", response_model=JobStateOutput, responses=INVALID_IS_422
)
def take_upload(store: StoreIn, faults: FaultsIn, body: AccountsUpload) -> dict[str, Any]:
    """Take the accounts of an app; the job's end makes them the app's own."""
    reason = reason_to_fail(body.accounts)
    with store.current() as moment:
        saved_app(moment.connection, body.app_id)
        fault = faults.take(_PATH, JOB_FAULTS)
        job_id = add_job(
            moment,
            "upload",
            seconds=store.job_seconds,
            row_count=len(body.accounts),
            app_id=body.app_id,
            reason=reason,
            faults={fault.name} if fault else (),
        )
        if reason is None:
            moment.connection.executemany(_STAGE, _staged_rows(job_id, body.accounts))
    return to_job_answer(faults, _PATH, job_id, "NOT_STARTED")


@router.get(
    f"{_PATH}/{{job_id}}",
    operation_id="getUploadJobState",
    response_model=JobStateOutput,
    responses=INVALID_IS_422,
)
def read_upload_job(store: StoreIn, faults: FaultsIn, job_id: str) -> dict[str, Any]:
    """Say how an upload job goes."""
    with store.current() as moment:
        state = saved_state(moment, "upload", job_id)
    return to_job_answer(faults, f"{_PATH}/{job_id}", job_id, state)
