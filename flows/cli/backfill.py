"""The command `backfill`: activity over a past time, window by window."""

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from flows.activity.backfill import Window, send_windows, to_spans
from flows.activity.job import ActivityJob
from flows.activity.order import Sending, run_job
from flows.cli.activity import sending_document
from flows.cli.each_source import check_prefect
from flows.cli.output import Output, log_to_stderr
from flows.monitoring.traces import span, tell_run, traced_step
from flows.run.context import RunContext, open_context, utc_now
from flows.run.crash_report import BugError
from flows.run.settings import read_settings
from flows.run.workspace import choose_sources
from schemas.errors import IngestError
from schemas.source_file.quantities import duration_text

STOPPED = 1


def backfill_command(
    workspace: Path,
    name: str,
    borders: tuple[str, str, str],
    *,
    again: bool,
    is_dry: bool,
    as_json: bool,
) -> int:
    """Sends the activity from the first to the second of `borders`, in windows of the third.

    Raises:
        IngestError: nothing could begin.
    """
    output = Output(as_json=as_json)
    log_to_stderr(verbose=False)
    settings = read_settings(workspace)
    source = choose_sources(settings.workspace, [name], every=False)[0]
    name = source.name
    spans = to_spans(source, *borders, utc_now())
    send = _sender()
    ended: list[Window] = []
    problem: IngestError | BugError | None = None
    is_stopped = False
    with output.progress() as progress, open_context(settings, progress=progress) as context:
        try:
            sent = send_windows(source, spans, context, again=again, is_dry=is_dry, send=send)
            for window in sent:
                ended.append(window)
                _show(name, window, f"{len(ended)} of {len(spans)}", output)
        except (IngestError, BugError) as error:
            problem = error
        except KeyboardInterrupt:
            is_stopped = True
    if problem or is_stopped:
        output.error(f"{name}: {problem or 'stopped'}")
        output.note(
            f"lumos-ingest: {len(ended)} of {len(spans)} windows are done; the same command goes on"
        )
    else:
        _show_sum(name, ended, output)
    left = len(spans) - len(ended)
    windows = [_document(window) for window in ended]
    reason = str(problem) if problem else None
    output.document({"source": name, "windows": windows, "left": left, "error": reason})
    return problem.exit_code if problem else STOPPED if is_stopped else 0


def _sender() -> Callable[[ActivityJob, RunContext], Sending]:
    """What does a window's job: at once; as a flow run where a Prefect API is named."""
    url = os.environ.get("PREFECT_API_URL")
    if not url:
        return _traced
    check_prefect(url)
    from flows.orchestration.activity_flow import backfill_window

    return backfill_window


def _traced(job: ActivityJob, context: RunContext) -> Sending:
    with span("backfill", source=job.scope.source, kind="backfill") as told:
        sending = run_job(job, context, step=traced_step)
        tell_run(told, sending.run)
    return sending


def _show(name: str, window: Window, which: str, output: Output) -> None:
    span = f"{window.span.since:%Y-%m-%d %H:%M} to {window.span.until:%Y-%m-%d %H:%M} UTC"
    if window.count is not None:
        fate = f"{_sendable(window)} records would be sent, {window.count.rejected} rows rejected"
    elif window.sending is None:
        fate = "done before"
    else:
        counts = window.sending.run.counts
        fate = f"{counts['activity_sent']} records sent, {counts['activity_rejected']} rejected"
    left = f"; about {duration_text(window.left)} left" if window.left.total_seconds() >= 1 else ""
    output.line(f"{name}: window {which}, {span}: {fate}{left}")


def _show_sum(name: str, ended: list[Window], output: Output) -> None:
    if any(window.count for window in ended):
        would = sum(_sendable(window) for window in ended)
        output.line(f"{name}: {would} records would be sent; nothing was (--dry-run).")
        return
    sendings = [window.sending for window in ended if window.sending]
    sent = sum(sending.run.counts["activity_sent"] for sending in sendings)
    before = len(ended) - len(sendings)
    known = f", {before} were done before (--again sends them again)" if before else ""
    output.line(f"{name}: done: {sent} records sent in {len(sendings)} windows{known}.")


def _sendable(window: Window) -> int:
    count = window.count
    return count.accepted - count.reduced - count.outside - count.left_out if count else 0


def _document(window: Window) -> dict[str, object]:
    span = window.span
    return {
        "since": span.since.isoformat() if span.since else None,
        "until": span.until.isoformat() if span.until else None,
        "run": sending_document(window.sending) if window.sending else None,
        "counts": asdict(window.count) if window.count else None,
        "records": _sendable(window) if window.count else None,
    }
