"""Sending the activity of a past time, window by window; a run cut off goes on where it stopped."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from extractors.activity import Span
from flows.activity.collect import check_rejects, gather
from flows.activity.job import ActivityJob, activity_of, to_job
from flows.activity.order import Sending, run_job
from flows.run.context import RunContext
from loaders.ledger.activity import done_windows
from schemas.errors import ConfigError, raise_as
from schemas.source_file.file import Source
from schemas.source_file.quantities import duration_text, to_duration, to_moment
from transforms.activity.records import ActivityCount
from transforms.activity.windows import windows

MOST_WINDOWS = 10_000


@dataclass(frozen=True, slots=True)
class Window:
    """One window of a backfill, once it was dealt with.

    Attributes:
        span: its time.
        sending: what was sent; None where nothing was to be.
        count: what became of the rows of a dry run.
        left: an estimate of the time that the windows after it take.
    """

    span: Span
    sending: Sending | None
    count: ActivityCount | None
    left: timedelta


def to_spans(source: Source, since: str, until: str, window: str, now: datetime) -> list[Span]:
    """The windows that a person asks for.

    Raises:
        ConfigError: a date, a duration or their order is wrong; or the source sends no activity.
    """
    zone = activity_of(source).timezone
    began_at, ends_at = _moment("--since", since, zone), _moment("--until", until, zone)
    each = raise_as(
        lambda: to_duration(window),
        {ValueError: lambda error: ConfigError(f"--window: {error}")},
    )
    problem = None
    if each < timedelta(minutes=1):
        problem = "--window: the shortest is 1m"
    if problem is None and ends_at <= began_at:
        problem = "--until: must be after --since"
    if problem is None and ends_at > now:
        problem = "--until: lies in the future, where records are still to come: name a past time"
    if problem is None and (ends_at - began_at) / each > MOST_WINDOWS:
        problem = f"--window: makes more than {MOST_WINDOWS} windows: name a longer one"
    if problem:
        raise ConfigError(problem)
    return [Span(*borders) for borders in windows(began_at, ends_at, each, zone)]


def _moment(option: str, text: str, zone: str) -> datetime:
    return raise_as(
        lambda: to_moment(text, zone),
        {ValueError: lambda error: ConfigError(f"{option}: {error}")},
    )


def send_windows(
    source: Source,
    spans: list[Span],
    context: RunContext,
    *,
    again: bool = False,
    is_dry: bool = False,
    send: Callable[[ActivityJob, RunContext], Sending] = run_job,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Window]:
    """Sends each window that is not done yet, or counts what it would send.

    `send` does a window's job: at once, or as a flow run.

    Raises:
        IngestError: a window's run failed; those after it are left for the next time.
    """
    job = replace(to_job(source, context), kind="backfill", is_again=again)
    done = set() if again else done_windows(context.ledger, source.name, job.app_id)
    began_at, worked = clock(), 0
    for number, span in enumerate(spans, 1):
        window_job = replace(job, span=span)
        left = (clock() - began_at) / worked * (len(spans) - number + 1) if worked else 0.0
        noted = _noting(context, number, len(spans), timedelta(seconds=left))
        is_done = (span.since, span.until) in done
        sending, count = None, None
        if is_dry:
            count = _counted(window_job, noted)
        elif not is_done:
            sending = send(window_job, noted)
        worked += not is_done
        pace = (clock() - began_at) / max(worked, 1)
        ahead = [later for later in spans[number:] if (later.since, later.until) not in done]
        yield Window(span, sending, count, timedelta(seconds=pace * len(ahead)))


def _counted(job: ActivityJob, context: RunContext) -> ActivityCount:
    gathered = gather(job, job.span, context)
    check_rejects(job, gathered)
    return gathered.count


def _noting(context: RunContext, number: int, total: int, left: timedelta) -> RunContext:
    """The context with a progress of windows: which of how many, and how long the others take."""
    about = f", about {duration_text(left)} left" if left else ""

    def noted(stage: str, _done: int, _total: int) -> None:
        context.progress(f"window {number} of {total}{about}: {stage}", number - 1, total)

    return replace(context, progress=noted)
