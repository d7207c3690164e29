"""A command over sources: side by side, whatever becomes of the others."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

import httpx

from flows.cli.output import Output, log_to_stderr
from flows.notices.notify import tell_broken
from flows.run.context import RunContext, open_context
from flows.run.crash_report import BugError, without_text
from flows.run.settings import read_settings
from flows.run.side_by_side import Slots, side_by_side, stopped_by_signals
from flows.run.summary import run_summary
from flows.run.workspace import pick_sources
from schemas.errors import ConfigError, GuardError, IngestError, StateError, raise_as
from schemas.source_file.file import Source

Ended = tuple[int, dict[str, object]]
"""An exit code, and the source's part of the document."""

RunOne = Callable[[Source, RunContext, Output], Ended]
"""Does the command's work with one source, and shows what came of it."""

Choose = Callable[[list[Source], Mapping[str, ConfigError]], list[Source]]
"""Which of the good sources are meant, given the wrong ones too; raises ConfigError for none."""

SIGNALLED = 128
"""A process that a signal ended exits with this and the signal's number, as in a shell."""

_HEALTH_S = 10
_SERVER_ERROR = 500
_WORST_FIRST = (ConfigError.exit_code, IngestError.exit_code, GuardError.exit_code)


def _all_of_them(sources: list[Source], _broken: Mapping[str, ConfigError]) -> list[Source]:
    return sources


def each_source(
    workspace: Path,
    names: list[str],
    run_one: RunOne,
    *,
    every: bool,
    as_json: bool,
    jobs: int = 1,
    choose: Choose = _all_of_them,
) -> int:
    """Runs the command for each source; the worst exit code, a failure before a held plan.

    SIGINT and SIGTERM stop the runs between two steps; a line says for each what was sent, and
    128 and the signal's number is the exit code.

    Args:
        workspace: the folder with `sources/`.
        names: the sources that are named.
        run_one: the command's work.
        every: whether all sources are meant.
        as_json: whether to print one JSON document.
        jobs: how many sources are at work at once; those that wait for their job do not count.
        choose: see `Choose`.

    Raises:
        IngestError: nothing could begin.
    """
    output = Output(as_json=as_json)
    log_to_stderr(verbose=as_json)
    settings = read_settings(workspace)
    sources, broken = pick_sources(settings.workspace, names, every=every)
    sources = choose(sources, broken)
    for line in dict.fromkeys(map(str, broken.values())):
        output.error(line)
    if broken and settings.notify:
        with open_context(settings, with_lumos=False) as context:
            for name, error in broken.items():
                tell_broken(name, error, context)
    ended: list[Ended] = [
        (error.exit_code, _without_run(name, error)) for name, error in broken.items()
    ]
    came: list[int] = []

    def told() -> int:
        """Prints the document; the exit code."""
        output.document({"sources": [document for _, document in ended]})
        codes = {code for code, _ in ended}
        worst = next((code for code in _WORST_FIRST if code in codes), 0)
        return SIGNALLED + came[0] if came else worst

    if sources:
        check_prefect(os.environ.get("PREFECT_API_URL"))
        slots = Slots(jobs)
        with (
            stopped_by_signals(slots) as came,
            open_context(settings, sleep=slots.sleep) as context,
        ):
            ends, has_stuck = _side_by_side(sources, context, output, run_one, slots)
            ended += ends
            if has_stuck:
                # A thread within a library notices nothing; the next run finds its process gone.
                code = told()
                sys.stdout.flush()
                os._exit(code)
    return told()


def _side_by_side(
    sources: list[Source], context: RunContext, output: Output, run_one: RunOne, slots: Slots
) -> tuple[list[Ended], bool]:
    """The ends in the sources' order, a stopped one's as the ledger has it; whether one hangs."""
    begun_at = context.now()
    with output.progress_lines() as line_of:

        def work(source: Source) -> Ended:
            with output.together(), line_of(source.name) as moved:

                def progress(stage: str, done: int, total: int) -> None:
                    slots.check()
                    moved(stage, done, total)

                return run_alone(source, replace(context, progress=progress), output, run_one)

        ends, has_stuck = side_by_side([partial(work, source) for source in sources], slots)
        return [
            end or stopped(source, begun_at, context, output)
            for source, end in zip(sources, ends, strict=True)
        ], has_stuck


def run_alone(source: Source, context: RunContext, output: Output, run_one: RunOne) -> Ended:
    """Runs the command for one source; a failure, or a bug of ours, is no other source's."""
    try:
        return without_text(lambda: run_one(source, context, output))
    except (IngestError, BugError) as error:
        failure = error
    output.error(f"{source.name}: {failure}")
    return failure.exit_code, _failed_run(source, failure, context)


def stopped(source: Source, begun_at: datetime, context: RunContext, output: Output) -> Ended:
    """Says what a run that was stopped had sent, and what the next one will do."""
    run = next(iter(context.ledger.runs(source.name, 1)), None)
    if run is None or run.started_at < begun_at:
        run, text = None, "stopped before it began"
    elif run.state == "submitted":
        text = f"stopped while job {run.job_ids[-1]} was under way: the next run waits for it first"
    elif run.state == "planned":
        text = "stopped while it was sending: the next run sends the same bytes again first"
    elif run.state in {"reading", "failed"}:
        text = "stopped; nothing was sent: the next run begins anew"
    else:
        text = f"stopped; its run had ended ({run.state})"
    output.note(f"lumos-ingest: {source.name}: {text}")
    document: dict[str, object] = run_summary(run) if run else {"source": source.name}
    return IngestError.exit_code, {**document, "state": "stopped", "error": text}


def _failed_run(
    source: Source, error: IngestError | BugError, context: RunContext
) -> dict[str, object]:
    """The run that the error ended or held, as the ledger has it; else the line alone."""
    try:
        run = context.ledger.run(error.run_id) if error.run_id else None
    except StateError:
        run = None
    if run is None:
        return _without_run(source.name, error)
    waits = "undecided" if run.state == "held" else None
    return {**run_summary(run, waits=waits), "error": str(error)}


def _without_run(name: str, error: IngestError | BugError) -> dict[str, object]:
    """A source's part of the document where no run had begun."""
    state = "held" if isinstance(error, GuardError) else "failed"
    return {"source": name, "state": state, "error": str(error)}


def check_prefect(url: str | None) -> None:
    """Raises unless the Prefect API that is named, if any, is there; Prefect itself would wait.

    Raises:
        ConfigError: it does not answer.
    """
    if not url:
        return

    def problem(reason: str) -> ConfigError:
        return ConfigError(
            f"PREFECT_API_URL: the Prefect server {reason}: start it, or unset PREFECT_API_URL to "
            "sync in this process"
        )

    def silent(error: Exception) -> ConfigError:
        return problem(f"does not answer ({type(error).__name__})")

    status = raise_as(
        lambda: httpx.get(f"{url.rstrip('/')}/health", timeout=_HEALTH_S).status_code,
        {httpx.HTTPError: silent, httpx.InvalidURL: silent, UnicodeError: silent},
    )
    if status >= _SERVER_ERROR:
        raise problem(f"answers {status}")
