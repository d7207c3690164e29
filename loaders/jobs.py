"""Waits for Lumos's job on an upload."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

from loaders.answers import not_lumos
from loaders.lumos_api import LumosApi
from schemas.errors import (
    JobFailedError,
    JobTimeoutError,
    LumosRefusedError,
    LumosUnavailableError,
)
from schemas.quantities import duration_text
from schemas.source_parts import Poll

_log = logging.getLogger(__name__)

_PATH = "/accounts/upload"
_NOT_YET = ("NOT_STARTED", "RUNNING", None)
_GROWTH = 1.5
_NOT_FOUND = 404


def wait_for_job(
    api: LumosApi,
    job_id: str,
    poll: Poll,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    on_state: Callable[[str], None] = lambda _: None,
) -> None:
    """Return when the job has ended well. An outage of the API is borne until the deadline.

    Args:
        api: the Lumos API.
        job_id: the job.
        poll: the first pause, the longest pause, the deadline.
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
    told: str | None = None
    while True:
        state = _state_now(api, job_id)
        if state is not None and state != told:
            _warn_of_unknown(job_id, state)
            on_state(state)
            told = state
        if state == "SUCCESS":
            return
        if state == "FAILURE":
            raise JobFailedError(_failure_text(job_id))
        left_s = ends_at - clock()
        if left_s <= 0:
            raise JobTimeoutError(_timeout_text(job_id, told, poll.give_up_after))
        sleep(min(pause_s, left_s))
        pause_s = min(pause_s * _GROWTH, longest_s)


def _state_now(api: LumosApi, job_id: str) -> str | None:
    """The job's state; None where Lumos does not tell one or cannot be reached."""
    path = f"{_PATH}/{quote(job_id, safe='')}"
    try:
        answer = api.get(path)
    except LumosUnavailableError as outage:
        _log.warning("job %s goes on; its state cannot be read: %s", job_id, outage)
        return None
    except LumosRefusedError as error:
        status, refusal = error.status, error
    else:
        state = answer.get("state") if isinstance(answer, dict) else answer
        if not isinstance(answer, dict) or not isinstance(state, str | None):
            raise not_lumos(f"GET {path}")
        return state
    if status != _NOT_FOUND:
        raise refusal
    raise LumosRefusedError(
        f"job {job_id}: Lumos does not know the job (404): look at the app in Lumos and run again",
        status,
    )


def _warn_of_unknown(job_id: str, state: str) -> None:
    if state not in (*_NOT_YET, "SUCCESS", "FAILURE"):
        _log.warning("job %s: Lumos tells a state this version does not know; waiting on", job_id)


def _failure_text(job_id: str) -> str:
    return (
        f"job {job_id}: Lumos took the upload, then its job failed; Lumos gives no reason. Nothing"
        " of this run is recorded as accepted. Look at the app in Lumos, run again, and ask Lumos"
        " support with the job's id if it fails again"
    )


def _timeout_text(job_id: str, state: str | None, given_up_after: timedelta) -> str:
    seen = f"is still {state}" if state in _NOT_YET and state else "has not ended"
    return (
        f"job {job_id}: {seen} after {duration_text(given_up_after)} (upload.poll.give_up_after):"
        " run again: it goes on waiting"
    )
