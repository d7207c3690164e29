"""The command `activity`."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from flows.activity.job import activity_of
from flows.activity.order import Sending, send_activity
from flows.cli.each_source import Choose, Ended, each_source
from flows.cli.output import Output
from flows.monitoring.traces import span, tell_run, traced_step
from flows.run.context import RunContext
from flows.run.summary import run_summary
from schemas.errors import ConfigError
from schemas.source_file.file import Source


def activity_command(
    workspace: Path, names: list[str], *, every: bool, jobs: int, as_json: bool
) -> int:
    """Sends the sources' activity; the worst of their exit codes.

    With `every`, those that have an activity block.

    Raises:
        IngestError: nothing could begin.
    """
    return each_source(
        workspace,
        names,
        send_one,
        every=every,
        jobs=jobs,
        as_json=as_json,
        choose=choose_with_activity(every=every),
    )


def choose_with_activity(*, every: bool) -> Choose:
    """Which sources are meant: with `every`, those that have a block `activity`."""
    return _with_activity if every else _all_with_activity


def _with_activity(sources: list[Source], broken: Mapping[str, ConfigError]) -> list[Source]:
    """Those that have a block `activity`.

    Raises:
        ConfigError: none has, and none can be told to be wrong instead.
    """
    chosen = [source for source in sources if source.file.activity is not None]
    if not chosen and not broken:
        raise ConfigError("no source file has a block activity: say there where its records are")
    return chosen


def _all_with_activity(sources: list[Source], _broken: Mapping[str, ConfigError]) -> list[Source]:
    """All of them.

    Raises:
        ConfigError: one has no block `activity`.
    """
    for source in sources:
        activity_of(source)
    return sources


def send_one(source: Source, context: RunContext, output: Output) -> Ended:
    """Sends one source's activity, and shows what came of it.

    Raises:
        IngestError: the run failed.
    """
    with span("activity", source=source.name, kind="activity") as told:
        sending = _run(source, context)
        tell_run(told, sending.run)
    show_sending(source.name, sending, output)
    return 0, sending_document(sending)


def _run(source: Source, context: RunContext) -> Sending:
    """At once, in this process; as a flow run where a Prefect API is named."""
    if not os.environ.get("PREFECT_API_URL"):
        return send_activity(source, context, step=traced_step)
    from flows.orchestration.activity_flow import activity

    ended = activity(source.name, str(context.settings.workspace))
    return cast("Sending", ended)  # only a deployment's run may find nothing to do


def show_sending(name: str, sending: Sending, output: Output) -> None:
    """What was sent, in a line or two."""
    run, counts = sending.run, sending.run.counts
    for run_id in sending.recovered:
        output.line(f"{name}: run {run_id} had been cut off; it was recovered first.")
    if run.state == "unchanged":
        output.line(f"{name}: no new activity (run {run.run_id}).")
    else:
        output.line(
            f"{name}: {counts.get('activity_sent', 0)} activity records sent as run {run.run_id}, "
            f"in {_batches(counts.get('activity_batches', 0))}."
        )
    fates = {
        "read": "rows read",
        "excluded": "not meant by where",
        "ignored": "ignored",
        "merged": "said twice",
        "rejected": "rejected",
        "outside": "of another time",
        "reduced": "older than what was kept",
        "repeated": "sent before",
    }
    numbers = {text: counts.get(f"activity_{key}", 0) for key, text in fates.items()}
    rare = {fates["excluded"], fates["ignored"]}
    told = (f"{count} {text}" for text, count in numbers.items() if count or text not in rare)
    output.line(f"  {', '.join(told)}")
    for warning in sending.warnings:
        output.line(f"  note: {warning}", "yellow")


def _batches(count: int) -> str:
    return "1 batch" if count == 1 else f"{count} batches"


def sending_document(sending: Sending) -> dict[str, object]:
    """The same as JSON holds it."""
    return {
        **run_summary(sending.run),
        "warnings": list(sending.warnings),
        "recovered": list(sending.recovered),
    }
