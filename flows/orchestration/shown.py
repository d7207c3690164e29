"""What a person sees of a run in Prefect: its log lines, tags, and a page of counts and reasons.

None of it is needed for the run: what Prefect does not take is a warning, and the run goes on.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import TypeVar

import httpx
import polars as pl
from prefect.artifacts import create_markdown_artifact
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext, TaskRunContext
from prefect.exceptions import PrefectException
from prefect.logging.handlers import APILogHandler
from prefect.runtime import flow_run

from flows.notices.notify import Ended
from flows.run.context import RunContext
from flows.run.crash_report import BugError, without_text
from flows.sync.markdown import plain, plan_lines, reject_lines
from flows.sync.plan import Planned
from schemas.errors import IngestError, StateError
from schemas.run import Run, RunKind
from schemas.source_file.file import Source

_log = logging.getLogger(__name__)

_OURS = ("extractors", "transforms", "loaders", "flows")
_MOST_LETTERS = 100_000
"""Prefect takes a page of any length, and its browser page then shows none."""


_End = TypeVar("_End", bound=Ended)
_Section = Callable[[_End], list[str]]


class _ToPrefect(APILogHandler):
    """Sends what is logged within a flow run to the server; what is logged elsewhere, nowhere."""

    def emit(self, record: logging.LogRecord) -> None:
        if FlowRunContext.get() is not None or TaskRunContext.get() is not None:
            super().emit(record)


_HANDLER = _ToPrefect(logging.INFO)


def show_run(
    source: Source,
    kind: RunKind,
    context: RunContext,
    work: Callable[[RunContext], _End],
    section: _Section[_End],
) -> _End:
    """What `work` returns, with all of it that a person may see on the flow run's page.

    Args:
        source: whose run it is.
        kind: what it is a run of.
        context: what the run works with; `work` gets it with the address of the page.
        work: the run.
        section: what the page says beside the run's own numbers.

    Raises:
        IngestError: as `work` raised it.
        BugError: `work` failed for a reason of our own.
    """
    show_logs()
    or_warn(source.name, partial(tag_run, source))
    shown = replace(context, link=flow_run.ui_url or "")
    try:
        ended = without_text(partial(work, shown))
    except (IngestError, BugError) as error:
        or_warn(
            source.name, partial(_keep_page, source, kind, _failed_page(source, error, context))
        )
        raise
    page = [*run_lines(ended.run), *section(ended)]
    or_warn(source.name, partial(_keep_page, source, kind, page))
    return ended


def planned_lines(planned: Planned, warnings: Iterable[str] = ()) -> list[str]:
    """What the page says of a plan."""
    return [
        f"- Against: {plain(planned.against)}",
        f"- Verdict: {plain(str(planned.verdict))}",
        *warning_lines((*planned.normalized.warnings, *warnings)),
        *plan_lines(planned),
    ]


def warning_lines(warnings: Iterable[str]) -> list[str]:
    """What a person should know, a line each."""
    return [f"- Note: {plain(warning)}" for warning in warnings]


def run_lines(run: Run) -> list[str]:
    """What the page begins with: which run it is, and how it ended."""
    lines = [f"# {plain(run.source)}: {run.state}", "", f"- Run: `{run.run_id}` ({run.kind})"]
    lines += [f"- App: {plain(run.app_id)}"] if run.app_id else []
    lines += [f"- Job: `{run.job_ids[-1]}`"] if run.job_ids else []
    lines += [f"- Carries out: `{run.approves_run_id}`"] if run.approves_run_id else []
    lines += [f"- Why: {plain(run.error)}"] if run.error and run.state != "held" else []
    return lines


def count_lines(run: Run) -> list[str]:
    """The run's counts, one a line: of a run that has no plan."""
    if not run.counts:
        return []
    rows = [f"| {name.replace('_', ' ')} | {number} |" for name, number in run.counts.items()]
    return ["", "| counted | |", "| --- | ---: |", *rows]


def _failed_page(source: Source, error: IngestError | BugError, context: RunContext) -> list[str]:
    """The page of a run that failed: what the ledger and the archive have of it by now."""
    try:
        run = context.ledger.run(error.run_id) if error.run_id else None
    except StateError:
        run = None
    why = f"- Why: {plain(str(error))}"
    if run is None:
        return [f"# {plain(source.name)}: failed before its run began", "", why]
    already = [] if run.error else [why]
    return [*run_lines(run), *already, *count_lines(run), *reject_lines(_rejects(run, context))]


def _rejects(run: Run, context: RunContext) -> pl.DataFrame:
    """What the run rejected; nothing where it did not come that far."""
    try:
        return context.archive.saved_frame(run.source, run.run_id, "rejects")
    except StateError:
        return pl.DataFrame()


def _keep_page(source: Source, kind: RunKind, lines: list[str]) -> None:
    text = "\n".join(lines)
    if len(text) > _MOST_LETTERS:
        text = text[:_MOST_LETTERS].rpartition("\n")[0] + "\n\nThe rest is left out here."
    create_markdown_artifact(
        text, key=to_key(f"{kind}-{source.name}"), description=f"{kind} of {source.name}"
    )


def to_key(name: str) -> str:
    """The name as the key of an artifact: small letters, digits and dashes alone."""
    small = (letter if letter.isascii() and letter.isalnum() else "-" for letter in name.lower())
    return "".join(small)


def tag_run(source: Source) -> None:
    """Tags the flow run with source and app; its tasks get none, each would be asked about."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return
    app = source.file.app
    tags = {f"source:{source.name}", f"app:{app.name or app.id}"}
    with get_client(sync_client=True) as client:
        client.update_flow_run(context.flow_run.id, tags=sorted(tags | set(flow_run.tags)))


def show_logs() -> None:
    """Lets our own loggers' lines reach the server, whatever Prefect's settings name."""
    for name in _OURS:
        logger = logging.getLogger(name)
        if _HANDLER not in logger.handlers:
            logger.addHandler(_HANDLER)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.INFO)


def or_warn(name: str, show: Callable[[], object]) -> None:
    """Tells Prefect something of the source; where it does not take it, a warning says so."""
    try:
        show()
    except (httpx.HTTPError, PrefectException, OSError, RuntimeError) as error:
        _log.warning("%s: Prefect was not told all (%s)", name, type(error).__name__)
