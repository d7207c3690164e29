"""Waits for Lumos's jobs: of an upload of accounts, of a batch of activity records."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from loaders.lumos.client import LumosApi
from loaders.lumos.responses import not_lumos
from schemas.errors import (
    JobFailedError,
    JobTimeoutError,
    LumosRefusedError,
    LumosUnavailableError,
    raise_as,
)
from schemas.source_file.blocks import Poll
from schemas.source_file.quantities import duration_text

_log = logging.getLogger(__name__)

_NOT_YET = ("NOT_STARTED", "RUNNING", None)
_GROWTH = 1.5
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class JobKind:
    """What is asked about a job, and what its states mean.

    Attributes:
        path: where its state is told.
        done: the state of a job that ended well.
        failed: the state of one that did not; None where Lumos knows none.
        limit: the key of the deadline in a source file.
    """

    path: str
    done: str
    failed: str | None
    limit: str


UPLOAD = JobKind("/accounts/upload", "SUCCESS", "FAILURE", "upload.poll.give_up_after")
ACTIVITY = JobKind("/activity_records/job", "DONE", None, "activity.poll.give_up_after")


class _NotYetKnownError(LumosRefusedError):
    """Lumos does not know a job that it may have taken a moment ago."""


def wait_for_job(
    api: LumosApi,
    job_id: str,
    poll: Poll,
    *,
    kind: JobKind = UPLOAD,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    on_state: Callable[[str], None] = lambda _: None,
) -> None:
    """Returns when the job has ended well. An outage of the API is borne until the deadline.

    Args:
        api: the Lumos API.
        job_id: the job.
        poll: the first pause, the longest pause, the deadline.
        kind: what the job is of.
        clock: seconds, only ever growing.
        sleep: waits for so many seconds.
        on_state: told each state that differs from the one before.

    Raises:
        JobFailedError: the job ended in FAILURE.
        JobTimeoutError: it had not ended at the deadline.
        LumosRefusedError: Lumos does not know the job, or refuses to tell.
    """
    ends_at = clock() + poll.give_up_after.total_seconds()
    longest_s = poll.at_most_every.total_seconds()
    pause_s = min(poll.every.total_seconds(), longest_s)
    last: str | None = None
    # Right after the POST, another server of Lumos's may not know the job yet.
    may_be_new = True
    while True:
        state = _state_now(api, kind, job_id, may_be_new=may_be_new)
        may_be_new = False
        if state is not None and state != last:
            _warn_of_unknown(job_id, kind, state)
            on_state(state)
            last = state
        if state == kind.done:
            return
        if state is not None and state == kind.failed:
            raise JobFailedError(_failure_text(job_id))
        left_s = ends_at - clock()
        if left_s <= 0:
            raise JobTimeoutError(_timeout_text(job_id, kind, last, poll.give_up_after))
        sleep(min(pause_s, left_s))
        pause_s = min(pause_s * _GROWTH, longest_s)


def _state_now(api: LumosApi, kind: JobKind, job_id: str, *, may_be_new: bool) -> str | None:
    """The job's state; None where Lumos does not tell, cannot be reached, or may know it soon."""
    path = f"{kind.path}/{quote(job_id, safe='')}"

    def refusal(error: LumosRefusedError) -> LumosRefusedError:
        if error.status != _NOT_FOUND:
            return error
        if may_be_new:
            return _NotYetKnownError(str(error), error.status)
        text = f"job {job_id}: Lumos does not know the job (404)"
        return LumosRefusedError(f"{text}: look at the app in Lumos and run again", error.status)

    try:
        answer = raise_as(lambda: api.get(path), {LumosRefusedError: refusal})
    except LumosUnavailableError as outage:
        _log.warning("job %s goes on; its state cannot be read: %s", job_id, outage)
        return None
    except _NotYetKnownError:
        _log.info("job %s: Lumos does not know it yet; asking once more", job_id)
        return None
    state = answer.get("state") if isinstance(answer, dict) else answer
    if not isinstance(answer, dict) or not isinstance(state, str | None):
        raise not_lumos(f"GET {path}")
    return state


def _warn_of_unknown(job_id: str, kind: JobKind, state: str) -> None:
    if state not in (*_NOT_YET, kind.done, kind.failed):
        _log.warning("job %s: Lumos tells a state this version does not know; waiting on", job_id)


def _failure_text(job_id: str) -> str:
    return (
        f"job {job_id}: Lumos took the upload, then its job failed; Lumos gives no reason. Nothing"
        " of this run is recorded as accepted. Look at the app in Lumos, run again, and ask Lumos"
        " support with the job's id if it fails again"
    )


def _timeout_text(job_id: str, kind: JobKind, state: str | None, given_up_after: timedelta) -> str:
    seen = f"is still {state}" if state in _NOT_YET and state else "has not ended"
    return (
        f"job {job_id}: {seen} after {duration_text(given_up_after)} ({kind.limit}):"
        " run again: it goes on waiting, until lumos-ingest abandon gives up on the run"
    )
