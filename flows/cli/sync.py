"""The command `sync`: each source in turn, one going wrong not keeping the next from its turn."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx

from flows.cli.output import Output, log_to_stderr
from flows.cli.plan_view import show_outcome
from flows.run.context import RunContext, open_context
from flows.run.settings import read_settings
from flows.run.summary import run_summary
from flows.run.workspace import pick_sources
from flows.sync.order import Outcome, sync_source
from flows.sync.origin import THE_SOURCE, SyncOptions
from schemas.errors import ConfigError, GuardError, IngestError, StateError
from schemas.settings import Settings
from schemas.source_file.file import Source

_HEALTH_S = 10
_SERVER_ERROR = 500

Ended = tuple[int, dict[str, object]]
"""An exit code, and the source's part of the document."""


def sync_command(
    workspace: Path, names: list[str], options: SyncOptions, *, every: bool, as_json: bool
) -> int:
    """Syncs the sources; the worst of their exit codes, a failure before a held plan.

    Raises:
        IngestError: nothing could begin.
    """
    if options.origin != THE_SOURCE and (every or len(names) != 1):
        raise ConfigError("--as-of and --from-archive go with one source: name it")
    output = Output(as_json=as_json)
    log_to_stderr(verbose=as_json)
    settings = read_settings(workspace)
    sources, broken = pick_sources(settings.workspace, names, every=every)
    for line in dict.fromkeys(map(str, broken.values())):
        output.note(f"lumos-ingest: {line}")
    ended: list[Ended] = [
        (error.exit_code, without_run(name, error)) for name, error in broken.items()
    ]
    if sources:
        ended += _sync_all(sources, settings, output, options)
    output.document({"sources": [document for _, document in ended]})
    codes = {code for code, _ in ended}
    return next((code for code in (2, 1, 3) if code in codes), 0)


def _sync_all(
    sources: list[Source], settings: Settings, output: Output, options: SyncOptions
) -> Iterator[Ended]:
    check_prefect(os.environ.get("PREFECT_API_URL"))
    with output.progress() as progress, open_context(settings, progress=progress) as context:
        for source in sources:
            yield _sync_one(source, context, output, options)


def _sync_one(source: Source, context: RunContext, output: Output, options: SyncOptions) -> Ended:
    reason = None
    try:
        outcome = _run(source, context, options)
    except IngestError as error:
        reason = error
    if reason is not None:
        output.note(f"lumos-ingest: {source.name}: {reason}")
        return reason.exit_code, failed_run(source, reason, context)
    show_outcome(source, outcome, output)
    document = {
        **run_summary(outcome.run),
        "warnings": list(outcome.planned.normalized.warnings),
        "settled": list(outcome.settled),
    }
    return GuardError.exit_code if outcome.run.state == "held" else 0, document


def failed_run(source: Source, reason: IngestError, context: RunContext) -> dict[str, object]:
    """The run that ended with this line, as the ledger has it; else the line alone."""
    try:
        newest = context.ledger.runs(source.name, 1)
    except StateError:
        newest = []
    for run in newest:
        is_held = run.state == "held" and run.run_id in str(reason)
        if is_held or run.error == str(reason):
            return {**run_summary(run), "error": str(reason)}
    return without_run(source.name, reason)


def without_run(name: str, error: IngestError) -> dict[str, object]:
    """A source's part of the document where no run had begun."""
    state = "held" if isinstance(error, GuardError) else "failed"
    return {"source": name, "state": state, "error": str(error)}


def _run(source: Source, context: RunContext, options: SyncOptions) -> Outcome:
    """At once, in this process; as a flow run where a Prefect API is named."""
    if not os.environ.get("PREFECT_API_URL"):
        return sync_source(
            source, context, allow_removals=options.allow_removals, origin=options.origin
        )
    from flows.orchestration.sync_flow import sync

    day = options.origin.as_of.isoformat() if options.origin.as_of else None
    workspace = str(context.settings.workspace)
    return sync(source.name, workspace, options.allow_removals, day, options.origin.from_archive)


def check_prefect(url: str | None) -> None:
    """Asks the Prefect API that is named, if any, whether it is there, before Prefect waits for it.

    Raises:
        ConfigError: it does not answer.
    """
    if not url:
        return
    try:
        status = httpx.get(f"{url.rstrip('/')}/health", timeout=_HEALTH_S).status_code
        reason = f"answers {status}" if status >= _SERVER_ERROR else None
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        reason = f"does not answer ({type(error).__name__})"
    if reason:
        raise ConfigError(
            f"PREFECT_API_URL: the Prefect server {reason}: start it, or unset PREFECT_API_URL to "
            "sync in this process"
        )
