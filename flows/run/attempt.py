"""One life of a run, of whatever it is a run: begun and ended, or cut off and recovered."""

import logging
import os
import resource
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

from flows.run.context import RunContext, Step, actor
from flows.run.crash_report import BugError, without_text
from schemas.errors import BusyError, IngestError, JobFailedError, StateError
from schemas.run import OPEN_STATES, Run, RunScope, StageUse
from schemas.source_file.quantities import duration_text

_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")

GIVE_UP_AFTER = timedelta(days=1)
"""How long after its start a run is gone on with: a job that never ends must not block the app."""

GoesOn = Callable[[Run, IngestError], bool]
"""Whether an open run that failed so is not over, so that the next one goes on with it."""


_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_KIB = 1024


@dataclass(frozen=True, slots=True)
class Memory:
    """What this process holds of the machine's memory, bytes: now, and at most so far."""

    now: int
    most: int


def memory_held() -> Memory:
    """What this process holds, by the kernel; where that tells no more, the most for both."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return Memory(most, most)
    now = pages * _PAGE_BYTES
    return Memory(now, max(now, most))  # the kernel brings the one up to date before the other


@dataclass(slots=True)
class Stages:
    """A step that notes what each stage takes, and has another step do it.

    Attributes:
        step: the other step.
        clock: seconds, from whenever.
        memory: what the process holds.
        uses: what was noted, in the order in which stages ended.
    """

    step: Step
    clock: Callable[[], float] = perf_counter
    memory: Callable[[], Memory] = memory_held
    uses: list[StageUse] = field(default_factory=list)
    _open: list[tuple[float, Memory]] = field(default_factory=list)
    """Of each stage at work: the seconds of stages within it, and the memory since the last."""

    def __call__(self, name: str, stage: Callable[[], Any]) -> Any:  # noqa: ANN401 - as a `Step`
        """What the stage returns; what it took is noted also where it fails."""
        begun = self.clock()
        self._open.append((0.0, self.memory()))
        try:
            return self.step(name, stage)
        finally:
            took, held = self.clock() - begun, self.memory()
            within, before = self._open.pop()
            peak = held.most if held.most > before.most else max(held.now, before.now)
            self.uses.append(StageUse(name, round(took - within, 3), peak))
            if self._open:
                self._open[-1] = (self._open[-1][0] + took, held)


def attempt(
    scope: RunScope,
    context: RunContext,
    work: Callable[[Run], _Result],
    goes_on: GoesOn,
    keep_for: timedelta = timedelta(0),
    stages: Stages | None = None,
) -> _Result:
    """What `work` makes of a new run; where it fails, the ledger has the same line.

    What the `stages` took is kept with the run. The archive then forgets what no later run needs;
    what was accepted within `keep_for`, and last before, is needed.

    Raises:
        IngestError: as `work` raised it, with the run's id.
        BugError: `work` failed for a reason of our own; the run is over.
    """
    run = context.ledger.start_run(
        scope.source,
        actor(),
        context.now(),
        scope.app_id,
        kind=scope.kind,
        since=scope.since,
        until=scope.until,
        api_url=context.settings.api_url,
    )
    try:
        result = without_text(partial(work, run))
    except (IngestError, BugError) as error:
        record_failure(run.run_id, error, context, goes_on)
        _note(run.run_id, stages, context)
        raise
    else:
        _note(run.run_id, stages, context)
        return result
    finally:
        _prune(scope.source, context, keep_for)


def _note(run_id: str, stages: Stages | None, context: RunContext) -> None:
    """Keeps what the stages took; what cannot be kept is a warning, the run stands."""
    if stages is None or not stages.uses:
        return
    try:
        context.ledger.update_run(run_id, stages=tuple(stages.uses))
    except StateError as error:
        _log.warning("run %s: what its stages took was not kept: %s", run_id, error)


def recover(
    scope: RunScope,
    open_runs: Iterable[Run],
    context: RunContext,
    finish: Callable[[Run], object],
    goes_on: GoesOn,
) -> tuple[str, ...]:
    """Brings to their end the runs that died with something under way; their ids.

    Those of the scope that died while reading are ended too: they have sent nothing.

    Raises:
        JobTimeoutError: a job still runs; nothing else may be sent meanwhile.
        LumosUnavailableError: Lumos could not be reached.
        BugError: `finish` failed for a reason of our own; that run is over.
    """
    recovered = []
    for run in open_runs:
        _log.warning("%s: run %s was cut off; it is recovered first", scope.source, run.run_id)
        context.progress(f"recovering run {run.run_id}", 0, 0)
        try:
            without_text(partial(_finish, run, context, finish))
        except (IngestError, BugError) as error:
            is_over = record_failure(run.run_id, error, context, goes_on)
            if not is_over or isinstance(error, BugError):
                raise
            # What follows starts afresh, and goes by what is certain then.
            _log.warning("%s: run %s ended badly: %s", scope.source, run.run_id, error)
        recovered.append(run.run_id)
    context.ledger.abandon_reading(scope, context.now())
    return tuple(recovered)


def _finish(run: Run, context: RunContext, finish: Callable[[Run], object]) -> None:
    if context.now() - run.started_at > GIVE_UP_AFTER:
        job = f", job {run.job_ids[-1]}" if run.job_ids else ""
        raise JobFailedError(
            f"run {run.run_id}{job}: no end after {duration_text(GIVE_UP_AFTER)}; given up"
        )
    finish(run)


def record_failure(
    run_id: str, error: IngestError | BugError, context: RunContext, goes_on: GoesOn
) -> bool:
    """Writes down why a run stopped; whether that ends it.

    What may still be under way is not over: the next run waits for its job, or sends the same bytes
    again. A bug ends its run, since it would come again. What another process has ended meanwhile
    is left as it is.
    """
    error.run_id = run_id
    run = context.ledger.run(run_id)
    if run is None or run.state not in ("reading", *OPEN_STATES):
        return True
    is_open = run.state in OPEN_STATES and isinstance(error, IngestError) and goes_on(run, error)
    end: dict[str, Any] = {} if is_open else {"state": "failed", "ended_at": context.now()}
    try:
        context.ledger.update_run(run_id, expect=(run.state,), error=str(error), **end)
    except BusyError:
        return True
    return not is_open


def _prune(source: str, context: RunContext, keep_for: timedelta) -> None:
    """Lets the archive forget what no later run needs and is older than the retention."""
    try:
        keep = context.ledger.needed_runs(source, context.now() - keep_for)
        context.archive.forget(source, keep, context.now() - context.settings.retention)
    except StateError as error:
        _log.warning("%s: the archive was not pruned: %s", source, error)
