"""The order of sending activity, as plain functions: settle, extract, publish. No Prefect here."""

import logging
from dataclasses import dataclass
from functools import partial

from flows.activity.batches import plan_batches, send_batches
from flows.activity.collect import check_rejects, gather, warnings_of
from flows.activity.job import Errand, to_errand
from flows.activity.watermark import move_on, sent_before, span_since, without
from flows.run.context import Step, Tools, actor, at_once
from flows.run.locks import Turn, a_turn
from flows.run.retention import GIVE_UP_AFTER, prune
from loaders.ledger.activity import abandon_activity
from loaders.ledger.ledger import runs_where
from schemas.errors import (
    BusyError,
    IngestError,
    JobFailedError,
    JobTimeoutError,
    LumosUnavailableError,
)
from schemas.run import OPEN_STATES, Run
from schemas.source_file.file import Source
from schemas.source_file.quantities import duration_text
from transforms.activity.records import Gathered

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sending:
    """What came of one errand.

    Attributes:
        run: done, or `unchanged` where nothing was new.
        settled: the runs that were brought to their end before.
        warnings: what a person should know.
    """

    run: Run
    settled: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def send_activity(source: Source, tools: Tools, *, step: Step = at_once) -> Sending:
    """Sends the source's activity since its watermark, and moves the watermark on.

    Raises:
        IngestError: the run failed; where it had begun, the ledger has the same line.
    """
    return carry_out(to_errand(source, tools), tools, step=step)


def carry_out(errand: Errand, tools: Tools, *, step: Step = at_once) -> Sending:
    """Does the errand, under a lease.

    What a dead run left is brought to its end first, from the archive; of a window of a backfill
    that is all.

    Raises:
        IngestError: the run failed; where it had begun, the ledger has the same line.
    """
    with a_turn(tools) as turn:
        turn.take(errand.key)
        settled = _settle(errand, tools, turn)
        abandon_activity(tools.ledger, errand.runs, tools.now())
        ended = runs_where(tools.ledger, errand.runs.are("done", "unchanged"))
        if errand.kind == "backfill" and ended and (settled or not errand.is_again):
            return Sending(ended[-1], settled)
        run, gathered = _attempt(errand, tools, turn, step)
    warnings = warnings_of(errand, gathered)
    for warning in warnings:
        _log.warning("%s: %s", errand.source.name, warning)
    return Sending(run, settled, warnings)


def _attempt(errand: Errand, tools: Tools, turn: Turn, step: Step) -> tuple[Run, Gathered]:
    source, span = errand.source, span_since(errand, tools)
    run = tools.ledger.start_run(
        source.name,
        actor(),
        tools.now(),
        errand.app_id,
        kind=errand.kind,
        since=span.since,
        until=span.until,
    )
    try:
        gathered = step("extract", partial(gather, errand, span, tools))
        run = _plan(errand, run, gathered, tools)
        run = step("publish", partial(_publish, errand, run, tools, turn))
    except IngestError as error:
        _end_badly(tools, run.run_id, error)
        raise
    finally:
        prune(source, tools)
    return run, gathered


def _plan(errand: Errand, run: Run, gathered: Gathered, tools: Tools) -> Run:
    """Stores what is new, as batches; the run that is about to send them."""
    tools.archive.save_frame(run.source, run.run_id, "rejects", gathered.rejects)
    run = tools.ledger.update_run(run.run_id, counts=_counts(gathered))
    check_rejects(errand, gathered)
    new = without(gathered.records, sent_before(errand, run.since, tools))
    repeated = gathered.records.height - new.height
    run = tools.ledger.update_run(
        run.run_id,
        counts={**run.counts, "activity_repeated": repeated, "activity_sent": new.height},
        # A source's clock may be ahead, and rows may have come while others were read: neither must
        # be passed over.
        plan={"newest": min(gathered.newest, run.started_at).isoformat()}
        if gathered.newest
        else {},
    )
    return plan_batches(errand, run, new, tools)


def _counts(gathered: Gathered) -> dict[str, int]:
    names = gathered.count.__dataclass_fields__
    return {f"activity_{name}": getattr(gathered.count, name) for name in names}


def _publish(errand: Errand, run: Run, tools: Tools, turn: Turn) -> Run:
    """Sends what is left of the run, and moves the watermark on; the run as it ended."""
    run = send_batches(errand, run, tools, turn)
    if errand.kind == "activity":
        move_on(errand, run, tools)
    state = "done" if run.counts.get("activity_batches") else "unchanged"
    ended = tools.ledger.update_run(
        run.run_id, expect=("submitted",), state=state, ended_at=tools.now(), error=None
    )
    _log.info(
        "%s: %d activity records sent as run %s",
        run.source, run.counts.get("activity_sent", 0), run.run_id,
    )  # fmt: skip
    return ended


def _settle(errand: Errand, tools: Tools, turn: Turn) -> tuple[str, ...]:
    """Brings to their end the errand's runs that died with batches on their way; their ids.

    Raises:
        JobTimeoutError: a job still runs.
        LumosUnavailableError: Lumos could not be reached.
    """
    settled = []
    for run in runs_where(tools.ledger, errand.runs.are(*OPEN_STATES)):
        _log.warning("%s: run %s was cut off; settling it first", run.source, run.run_id)
        try:
            if tools.now() - run.started_at > GIVE_UP_AFTER:
                raise JobFailedError(
                    f"run {run.run_id}: no end after {duration_text(GIVE_UP_AFTER)}; given up, and "
                    "what it had not sent is read again"
                )
            _publish(errand, run, tools, turn)
        except IngestError as error:
            if not _end_badly(tools, run.run_id, error):
                raise
            # What it had sent is known, and what it had not is read again at once.
            _log.warning("%s: run %s ended badly: %s", run.source, run.run_id, error)
        settled.append(run.run_id)
    return tuple(settled)


def _end_badly(tools: Tools, run_id: str, error: IngestError) -> bool:
    """Writes down why a run stopped; whether that ends it, or the next one goes on with it."""
    run = tools.ledger.run(run_id)
    if run is None or run.state not in ("reading", *OPEN_STATES):
        return True
    passes = isinstance(error, LumosUnavailableError | JobTimeoutError | BusyError)
    if run.state in OPEN_STATES and passes:
        tools.ledger.update_run(run_id, error=str(error))
        return False
    tools.ledger.update_run(run_id, state="failed", ended_at=tools.now(), error=str(error))
    return True
