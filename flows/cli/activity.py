"""The command `activity`: each source in turn, whatever becomes of the others."""

import os
from collections.abc import Iterator
from pathlib import Path

from flows.activity.job import activity_of
from flows.activity.order import Sending, send_activity
from flows.cli.output import Output, log_to_stderr
from flows.cli.sync import Ended, check_prefect, failed_run, without_run
from flows.run.context import RunContext, open_context
from flows.run.settings import read_settings
from flows.run.summary import run_summary
from flows.run.workspace import pick_sources
from schemas.errors import ConfigError, IngestError
from schemas.settings import Settings
from schemas.source_file.file import Source


def activity_command(workspace: Path, names: list[str], *, every: bool, as_json: bool) -> int:
    """Sends the sources' activity; the worst of their exit codes.

    With `every`, those that have an activity block.

    Raises:
        IngestError: nothing could begin.
    """
    output = Output(as_json=as_json)
    log_to_stderr(verbose=as_json)
    settings = read_settings(workspace)
    sources, broken = pick_sources(settings.workspace, names, every=every)
    if every:
        sources = [source for source in sources if source.file.activity is not None]
    if not sources and not broken:
        raise ConfigError("no source file has a block activity: say there where its records are")
    for source in sources:
        activity_of(source)
    for line in dict.fromkeys(map(str, broken.values())):
        output.note(f"lumos-ingest: {line}")
    ended: list[Ended] = [
        (error.exit_code, without_run(name, error)) for name, error in broken.items()
    ]
    if sources:
        ended += _send_all(sources, settings, output)
    output.document({"sources": [document for _, document in ended]})
    codes = {code for code, _ in ended}
    return next((code for code in (2, 1) if code in codes), 0)


def _send_all(sources: list[Source], settings: Settings, output: Output) -> Iterator[Ended]:
    check_prefect(os.environ.get("PREFECT_API_URL"))
    with output.progress() as progress, open_context(settings, progress=progress) as context:
        for source in sources:
            yield _send_one(source, context, output)


def _send_one(source: Source, context: RunContext, output: Output) -> Ended:
    reason = None
    try:
        sending = _run(source, context)
    except IngestError as error:
        reason = error
    if reason is not None:
        output.note(f"lumos-ingest: {source.name}: {reason}")
        return reason.exit_code, failed_run(source, reason, context)
    show_sending(source.name, sending, output)
    return 0, sending_document(sending)


def _run(source: Source, context: RunContext) -> Sending:
    """At once, in this process; as a flow run where a Prefect API is named."""
    if not os.environ.get("PREFECT_API_URL"):
        return send_activity(source, context)
    from flows.orchestration.activity_flow import activity

    return activity(source.name, str(context.settings.workspace))


def show_sending(name: str, sending: Sending, output: Output) -> None:
    """What was sent, in a line or two."""
    run, counts = sending.run, sending.run.counts
    for settled in sending.settled:
        output.line(f"{name}: run {settled} had been cut off; it was settled first.")
    if run.state == "unchanged":
        output.line(f"{name}: no new activity (run {run.run_id}).")
    else:
        output.line(
            f"{name}: {counts.get('activity_sent', 0)} activity records sent as run {run.run_id}, "
            f"in {_batches(counts.get('activity_batches', 0))}."
        )
    told = {
        "read": "rows read",
        "merged": "said twice",
        "rejected": "rejected",
        "outside": "of another time",
        "reduced": "older than what was kept",
        "repeated": "sent before",
    }
    said = (f"{counts.get(f'activity_{key}', 0)} {text}" for key, text in told.items())
    output.line(f"  {', '.join(said)}")
    for warning in sending.warnings:
        output.line(f"  note: {warning}", "yellow")


def _batches(count: int) -> str:
    return "1 batch" if count == 1 else f"{count} batches"


def sending_document(sending: Sending) -> dict[str, object]:
    """The same as JSON holds it."""
    return {
        **run_summary(sending.run),
        "warnings": list(sending.warnings),
        "settled": list(sending.settled),
    }
