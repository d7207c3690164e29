"""Jobs: they move by the clock alone, and take effect one by one, in the order of their ends."""

import sqlite3
from collections.abc import Collection
from typing import Any, Literal
from uuid import uuid4

from sandbox.errors import not_found
from sandbox.faults import Faults
from sandbox.state.apply import apply_activity, apply_upload
from sandbox.state.moment import Moment, to_instant

JobKind = Literal["upload", "activity"]

NOT_STARTED_SHARE = 0.25  # of a job's seconds, before it is RUNNING


def add_job(
    moment: Moment,
    kind: JobKind,
    *,
    seconds: float,
    row_count: int,
    app_id: str | None = None,
    reason: str | None = None,
    faults: Collection[str] = (),
) -> str:
    """Write down an accepted job and return its id.

    An upload job with a `reason` ends in FAILURE. `faults` may hold `job_stuck`, `job_fails` and
    `job_forgotten`.
    """
    job_id = str(uuid4())
    if kind == "upload" and reason is None and "job_fails" in faults:
        reason = "a fault was armed: job_fails"
    outcome = "DONE" if kind == "activity" else "SUCCESS" if reason is None else "FAILURE"
    moment.connection.execute(
        "INSERT INTO job (id, kind, app_id, row_count, created_at, starts_at, ends_at, outcome,"
        " reason, is_forgotten, is_overlapping) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        (
            job_id,
            kind,
            app_id,
            row_count,
            moment.now,
            moment.now + seconds * NOT_STARTED_SHARE,
            None if "job_stuck" in faults else moment.now + seconds,
            outcome,
            reason,
            "job_forgotten" in faults,
            kind == "upload" and _is_under_way(moment.connection, app_id),
        ),
    )
    return job_id


def _is_under_way(connection: sqlite3.Connection, app_id: str | None) -> bool:
    """Say whether an upload of `app_id` has not ended yet."""
    row = connection.execute(
        "SELECT 1 FROM job WHERE kind = 'upload' AND is_settled = 0 AND app_id = ?", (app_id,)
    )
    return row.fetchone() is not None


def saved_state(moment: Moment, kind: JobKind, job_id: str) -> str:
    """Return the state of a job, or refuse with a 404: there is none, or it is forgotten."""
    job = moment.connection.execute(
        "SELECT * FROM job WHERE id = ? AND kind = ? AND is_forgotten = 0", (job_id, kind)
    ).fetchone()
    if job is None:
        raise not_found("Job")
    return state_of(job, moment.now)


def to_job_answer(faults: Faults, path: str, job_id: str, state: str) -> dict[str, Any]:
    """Return the answer about a job, without its state where that fault strikes."""
    if faults.take(path, {"state_missing"}):
        return {"job_id": job_id}
    return {"job_id": job_id, "state": state}


def state_of(job: sqlite3.Row, now: float) -> str:
    """Return a job's state at `now`."""
    if job["is_settled"]:
        return str(job["outcome"])
    if job["kind"] == "activity" or job["starts_at"] <= now:
        return "RUNNING"
    return "NOT_STARTED"


def settle_jobs(connection: sqlite3.Connection, now: float, *, snapshot: bool) -> None:
    """Apply every job that has ended by `now`, and mark it settled."""
    ended = connection.execute(
        "SELECT * FROM job WHERE is_settled = 0 AND ends_at <= ? ORDER BY ends_at, seq", (now,)
    ).fetchall()
    for job in ended:
        if job["kind"] == "activity":
            apply_activity(connection, job["id"])
        elif job["outcome"] == "SUCCESS":
            at = to_instant(job["ends_at"])
            apply_upload(connection, job["id"], job["app_id"], at=at, snapshot=snapshot)
        connection.execute("DELETE FROM staged WHERE job_id = ?", (job["id"],))
        connection.execute("UPDATE job SET is_settled = 1 WHERE id = ?", (job["id"],))
