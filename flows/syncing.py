"""The command `sync`: each source in turn, one going wrong not keeping the next from its turn."""

import logging
import os
from pathlib import Path

from flows.console import Output, log_to_stderr
from flows.settings import read_settings
from flows.showing import show_outcome
from flows.stages import Outcome, sync_source
from flows.summary import run_summary
from flows.workspace import Tools, choose_sources, open_tools
from schemas.errors import GuardError, IngestError
from schemas.source_file import Source

_log = logging.getLogger(__name__)


def sync_command(
    workspace: Path, names: list[str], *, every: bool, allow_removals: bool, as_json: bool
) -> int:
    """Syncs the sources; the worst of their exit codes, a failure before a held plan.

    Raises:
        IngestError: nothing could begin.
    """
    output = Output(as_json=as_json)
    log_to_stderr(verbose=as_json)
    settings = read_settings(workspace)
    sources = choose_sources(settings.workspace, names, every=every)
    codes, documents = [0], []
    with output.progress() as progress, open_tools(settings, progress=progress) as tools:
        for source in sources:
            code, document = _sync_one(source, tools, output, allow_removals=allow_removals)
            codes.append(code)
            documents.append(document)
    output.document({"sources": documents})
    return next((code for code in (2, 1, 3) if code in codes), 0)


def _sync_one(
    source: Source, tools: Tools, output: Output, *, allow_removals: bool
) -> tuple[int, dict[str, object]]:
    reason = None
    try:
        outcome = _run(source, tools, allow_removals=allow_removals)
    except IngestError as error:
        reason = error
    if reason is not None:
        output.note(f"lumos-ingest: {source.name}: {reason}")
        return reason.exit_code, {
            "source": source.name,
            "state": _state_of(reason),
            "error": str(reason),
        }
    show_outcome(source, outcome, output)
    document = {
        **run_summary(outcome.run),
        "warnings": list(outcome.planned.normalized.warnings),
        "settled": list(outcome.settled),
    }
    return GuardError.exit_code if outcome.run.state == "held" else 0, document


def _state_of(error: IngestError) -> str:
    return "held" if isinstance(error, GuardError) else "failed"


def _run(source: Source, tools: Tools, *, allow_removals: bool) -> Outcome:
    """At once, in this process; as a flow run where a Prefect API is named."""
    if not os.environ.get("PREFECT_API_URL"):
        return sync_source(source, tools, allow_removals=allow_removals)
    from flows.sync import sync

    return sync(source.name, str(tools.settings.workspace), allow_removals)
