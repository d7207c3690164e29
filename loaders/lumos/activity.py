"""Sends batches of activity records."""

from loaders.lumos.client import LumosApi
from loaders.lumos.responses import not_lumos

_PATH = "/activity_records"


def submit_activity(api: LumosApi, body: bytes) -> str:
    """The id of the job that takes the batch in `body`, a whole request.

    Raises:
        LumosUnavailableError: Lumos could not be reached; the batch may have been taken.
        LumosRefusedError: Lumos refused the batch.
    """
    answer = api.post_bytes(_PATH, body)
    job = answer.get("job") if isinstance(answer, dict) else None
    job_id = job.get("job_id") if isinstance(job, dict) else None
    if not isinstance(job_id, str) or not job_id:
        raise not_lumos(f"POST {_PATH}")
    return job_id
