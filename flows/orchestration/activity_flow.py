"""The Prefect flows `activity` and `backfill`: the same order of stages, each of them a task.

See `flows.orchestration.sync_flow`.
"""

from functools import partial
from pathlib import Path

import flows

# A worker loads this file by its path, from a folder that may have another package `flows`.
if not Path(flows.__file__ or "").parent.samefile(Path(__file__).parents[1]):
    raise ImportError(
        f"the package flows is {flows.__file__}, not lumos-ingest's own: call that one something "
        "else, such as pipelines, or start where Python does not find it"
    )

from flows.orchestration.cancelled import cancelled_state, stopped_when_cancelled
from flows.orchestration.shown import count_lines, show_run, warning_lines
from flows.orchestration.sync_flow import as_task

from prefect import State, flow  # isort: skip - flows.sync sets what Prefect reads at its import
from prefect.states import Completed  # isort: skip
from flows.activity.backfill import send_windows, to_spans
from flows.activity.job import ActivityJob
from flows.activity.order import Sending, run_job, send_activity
from flows.orchestration.run_leases import run_lease
from flows.orchestration.run_times import nothing_to_do, run_name, this_run
from flows.run.context import RunContext, open_context
from flows.run.crash_report import without_text
from flows.run.settings import read_settings
from flows.run.workspace import choose_sources
from flows.schedule.timetable import Duty
from schemas.errors import CancelledError


@flow(name="activity", flow_run_name=run_name("activity"), persist_result=False, retries=0)
def activity(
    source: str,
    workspace: str = ".",
    since: str | None = None,
    until: str | None = None,
    window: str = "1d",
    again: bool = False,
) -> Sending | State[None]:
    """Sends one source's activity since its watermark; with `since` and `until`, that of a past.

    A deployment's run does nothing where another has done it since this one was due.

    Args:
        source: the source's name.
        workspace: the folder with `sources/`, on the machine that runs this.
        since: a backfill's first date or time.
        until: the date or time before which a backfill ends.
        window: how much of a backfill goes in one run of the ledger.
        again: whether a backfill sends the windows that are done, too.

    Returns:
        What came of it, to a caller in this process; Prefect keeps no result. Or that there was
        nothing to do.

    Raises:
        IngestError: the run failed: the flow run fails too.
    """
    if since is not None or until is not None:
        borders = (since or "", until or "", window)
        return without_text(partial(_backfill, source, workspace, borders, again=again))
    return without_text(partial(_activity, source, workspace))


def _activity(source: str, workspace: str) -> Sending | State[None]:
    settings = read_settings(Path(workspace))
    chosen = choose_sources(settings.workspace, [source], every=False)[0]

    def work(context: RunContext) -> Sending:
        return send_activity(chosen, context, step=as_task)

    with (
        open_context(settings) as opened,
        run_lease(opened.ledger, opened.now),
        stopped_when_cancelled(opened) as context,
    ):
        done = nothing_to_do(Duty(source, "activity"), context, this_run())
        if done is not None:
            return done
        try:
            return show_run(chosen, "activity", context, work, _section)
        except CancelledError as error:
            return cancelled_state(error)


def _backfill(
    source: str, workspace: str, borders: tuple[str, str, str], *, again: bool
) -> State[None]:
    settings = read_settings(Path(workspace))
    chosen = choose_sources(settings.workspace, [source], every=False)[0]

    def send(job: ActivityJob, context: RunContext) -> Sending:
        return show_run(job.source, "backfill", context, partial(_run_job, job), _section)

    with (
        open_context(settings) as opened,
        run_lease(opened.ledger, opened.now),
        stopped_when_cancelled(opened) as context,
    ):
        spans = to_spans(chosen, *borders, context.now())
        try:
            windows = list(send_windows(chosen, spans, context, again=again, send=send))
        except CancelledError as error:
            return cancelled_state(error)
    sent = sum(1 for window in windows if window.sending is not None)
    return Completed(message=f"{sent} of {len(windows)} windows were sent; the others were before")


def _section(sending: Sending) -> list[str]:
    recovered = (f"run {one} had been cut off: recovered first" for one in sending.recovered)
    return [*warning_lines((*sending.warnings, *recovered)), *count_lines(sending.run)]


def _run_job(job: ActivityJob, context: RunContext) -> Sending:
    return run_job(job, context, step=as_task)


def backfill_window(job: ActivityJob, context: RunContext) -> Sending:
    """Does the job of one window as a flow run that is named for it.

    The flow takes no argument, so that nothing of a source file is stored.
    """

    @flow(
        name="backfill",
        flow_run_name=f"backfill-{job.source.name}-{job.span.since:%Y-%m-%dT%H:%M}",
        persist_result=False,
        retries=0,
    )
    def backfill() -> Sending:
        with run_lease(context.ledger, context.now), stopped_when_cancelled(context) as watched:
            return show_run(job.source, "backfill", watched, partial(_run_job, job), _section)

    sent: Sending = backfill()
    return sent
