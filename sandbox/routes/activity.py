"""The endpoints of activity records: take a batch, and say how its job goes."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError

from sandbox.access import NEEDS_TOKEN, FaultsIn, StoreIn
from sandbox.models import ActivityRecordOutput, SyncTaskOutput
from sandbox.routes.bodies import ActivityRecord, ActivityRecordInput
from sandbox.routes.paging import INVALID_IS_422
from sandbox.state.jobs import add_job, saved_state, to_job_answer
from sandbox.state.moment import to_text

_PATH = "/activity_records"
_ADD = (
    "INSERT INTO activity (job_id, app_id, external_id, email, event_type, at, instance_identifier)"
    " VALUES (?,?,?,?,?,?,?)"
)
# An activity job has no state for a failure, so that job_fails waits for an upload.
_JOB_FAULTS = frozenset({"job_stuck", "job_forgotten"})

router = APIRouter(dependencies=[NEEDS_TOKEN])


def _rows(job_id: str, records: Iterable[ActivityRecord]) -> Iterator[tuple[object, ...]]:
    for record in records:
        app = record.get("app")
        yield (
            job_id,
            record["source_app_id"],
            record["account"].get("external_id"),
            record["account"].get("email"),
            record["event"]["type"],
            to_text(record["timestamp"]),
            app["instance_identifier"] if app else None,
        )


def _check_apps(connection: sqlite3.Connection, records: Sequence[ActivityRecord]) -> None:
    """Refuse, with a 422, records of an app that there is not."""
    known = {app_id for (app_id,) in connection.execute("SELECT id FROM app")}
    unknown = [
        {
            "loc": ("body", "records", number, "source_app_id"),
            "msg": "Value error, there is no such app",
            "type": "value_error",
        }
        for number, record in enumerate(records)
        if record["source_app_id"] not in known
    ]
    if unknown:
        raise RequestValidationError(unknown)


@router.post(
    _PATH,
    operation_id="activityRecords",
    response_model=ActivityRecordOutput,
    responses=INVALID_IS_422,
)
def take_activity(store: StoreIn, faults: FaultsIn, body: ActivityRecordInput) -> dict[str, Any]:
    """Take activity records; the job's end moves last_login and last_activity of who is known."""
    with store.current() as moment:
        _check_apps(moment.connection, body.records)
        fault = faults.take(_PATH, _JOB_FAULTS)
        job_id = add_job(
            moment,
            "activity",
            seconds=store.job_seconds,
            row_count=len(body.records),
            faults={fault.name} if fault else (),
        )
        moment.connection.executemany(_ADD, _rows(job_id, body.records))
    return {"job": to_job_answer(faults, _PATH, job_id, "RUNNING")}


@router.get(
    f"{_PATH}/job/{{job_id}}",
    operation_id="getActivityRecordsJobState",
    response_model=SyncTaskOutput,
    responses=INVALID_IS_422,
)
def read_activity_job(store: StoreIn, faults: FaultsIn, job_id: str) -> dict[str, Any]:
    """Say how an activity job goes."""
    with store.current() as moment:
        state = saved_state(moment, "activity", job_id)
    return to_job_answer(faults, f"{_PATH}/job/{job_id}", job_id, state)
