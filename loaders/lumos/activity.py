"""Sends batches of activity records."""

from loaders.lumos.client import Check, LumosApi
from loaders.lumos.responses import not_lumos

_PATH = "/activity_records"


def submit_activity(api: LumosApi, body: bytes, *, check: Check) -> str:
    """The id of the job that takes the batch in `body`, a whole request.

    `check` is called before each attempt; it raises where nothing more may be sent.

    Raises:
        BusyError: as `check` raises it.
        LumosUnavailableError: Lumos could not be reached; the batch may have been taken.
        LumosRefusedError: Lumos refused the batch.
    """
    answer = api.post_bytes(_PATH, body, check=check)
    job = answer.get("job") if isinstance(answer, dict) else None
    job_id = job.get("job_id") if isinstance(job, dict) else None
    if not isinstance(job_id, str) or not job_id:
        raise not_lumos(f"POST {_PATH}")
    return job_id
