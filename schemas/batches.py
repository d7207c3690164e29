"""What the ledger keeps of activity: the batches of a run, and how far a source has come."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that go in one request.

    Attributes:
        position: its place among the run's batches, from 0.
        start: its first record's row among the run's records.
        record_count: how many records.
        content_hash: SHA-256 of the request's body, hex.
        job_id: Lumos's job; None before it was taken.
        done_at: when the job had ended, UTC; None before that.
    """

    position: int
    start: int
    record_count: int
    content_hash: str
    job_id: str | None = None
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Watermark:
    """Up to when a source's activity has been accepted.

    Attributes:
        until: the moment, UTC.
        run_id: the run that brought it there; its frame `sent` holds what was sent lately.
    """

    until: datetime
    run_id: str
