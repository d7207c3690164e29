"""A command over sources: one after the other, whatever becomes of the others."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx

from flows.cli.output import Output, log_to_stderr
from flows.run.context import RunContext, open_context
from flows.run.crash_report import BugError, without_text
from flows.run.settings import read_settings
from flows.run.summary import run_summary
from flows.run.workspace import pick_sources
from schemas.errors import ConfigError, GuardError, IngestError, StateError, raise_as
from schemas.settings import Settings
from schemas.source_file.file import Source

Ended = tuple[int, dict[str, object]]
"""An exit code, and the source's part of the document."""

RunOne = Callable[[Source, RunContext, Output], Ended]
"""Does the command's work with one source, and shows what came of it."""

Choose = Callable[[list[Source], Mapping[str, ConfigError]], list[Source]]
"""Which of the good sources are meant, given the wrong ones too; raises ConfigError for none."""

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
    choose: Choose = _all_of_them,
) -> int:
    """Runs the command for each source; the worst exit code, a failure before a held plan.

    Args:
        workspace: the folder with `sources/`.
        names: the sources that are named.
        run_one: the command's work.
        every: whether all sources are meant.
        as_json: whether to print one JSON document.
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
        output.note(f"lumos-ingest: {line}")
    ended: list[Ended] = [
        (error.exit_code, _without_run(name, error)) for name, error in broken.items()
    ]
    if sources:
        ended += _in_turn(sources, settings, output, run_one)
    output.document({"sources": [document for _, document in ended]})
    codes = {code for code, _ in ended}
    return next((code for code in _WORST_FIRST if code in codes), 0)


def _in_turn(
    sources: list[Source], settings: Settings, output: Output, run_one: RunOne
) -> Iterator[Ended]:
    check_prefect(os.environ.get("PREFECT_API_URL"))
    with output.progress() as progress, open_context(settings, progress=progress) as context:
        for source in sources:
            yield _one(source, context, output, run_one)


def _one(source: Source, context: RunContext, output: Output, run_one: RunOne) -> Ended:
    """Runs the command for one source; a failure, or a bug of ours, is no other source's."""
    try:
        return without_text(lambda: run_one(source, context, output))
    except (IngestError, BugError) as error:
        failure = error
    output.note(f"lumos-ingest: {source.name}: {failure}")
    return failure.exit_code, _failed_run(source, failure, context)


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
