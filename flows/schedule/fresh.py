"""Whether each source was accepted lately, by the ledger: no server is asked."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from loaders.ledger.ledger import Ledger
from schemas.source_file.file import Source


@dataclass(frozen=True, slots=True)
class Freshness:
    """When a source was accepted last.

    Attributes:
        source: its name.
        accepted_at: the beginning of the last run that was accepted, UTC; None where none was.
        is_fresh: whether that is not too long ago.
    """

    source: str
    accepted_at: datetime | None
    is_fresh: bool


def freshness(
    sources: list[Source], ledger: Ledger, now: datetime, longest: timedelta
) -> list[Freshness]:
    """How fresh each source is; one that says nothing new and was not sent is fresh, too.

    By the run's beginning: what it sent was read no earlier.
    """
    found = []
    for source in sources:
        run = ledger.newest_run(source.name, "sync", ("done", "unchanged"))
        at = run.started_at if run else None
        found.append(Freshness(source.name, at, at is not None and now - at <= longest))
    return found
