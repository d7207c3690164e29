"""The command `sync`."""

import os
from functools import partial
from pathlib import Path
from typing import cast

from flows.cli.each_source import Ended, each_source
from flows.cli.output import Output
from flows.cli.plan.view import show_outcome
from flows.monitoring.traces import span, tell_run, traced_step
from flows.run.context import RunContext
from flows.run.summary import run_summary
from flows.sync.held import held_error
from flows.sync.order import Outcome, sync_source
from flows.sync.origin import THE_SOURCE, SyncOptions
from schemas.errors import ConfigError, GuardError
from schemas.source_file.file import Source


def sync_command(
    workspace: Path,
    names: list[str],
    options: SyncOptions,
    *,
    every: bool,
    jobs: int,
    as_json: bool,
) -> int:
    """Syncs the sources; the worst of their exit codes, a failure before a held plan.

    Raises:
        IngestError: nothing could begin.
    """
    check_origin_alone(names, options, every=every)
    run_one = partial(sync_one, options)
    return each_source(workspace, names, run_one, every=every, jobs=jobs, as_json=as_json)


def check_origin_alone(names: list[str], options: SyncOptions, *, every: bool) -> None:
    """Raises where a past day, or an accepted run, is asked for of more than one source.

    Raises:
        ConfigError: it is.
    """
    if options.origin != THE_SOURCE and (every or len(names) != 1):
        raise ConfigError("--as-of and --from-archive go with one source: name it")


def sync_one(options: SyncOptions, source: Source, context: RunContext, output: Output) -> Ended:
    """Syncs one source, and shows what came of it.

    Raises:
        IngestError: the run failed.
    """
    with span("sync", source=source.name, kind="sync") as told:
        outcome = _run(source, context, options)
        tell_run(told, outcome.run)
    show_outcome(source, outcome, output)
    is_held = outcome.run.state == "held"
    if is_held:
        held = held_error(source.name, outcome.run.run_id, outcome.planned, outcome.origin.option)
        output.error(f"{source.name}: {held}")
    document = {
        **run_summary(outcome.run, waits="undecided" if is_held else None),
        "warnings": list(outcome.planned.normalized.warnings),
        "recovered": list(outcome.recovered),
    }
    return GuardError.exit_code if is_held else 0, document


def _run(source: Source, context: RunContext, options: SyncOptions) -> Outcome:
    """At once, in this process; as a flow run where a Prefect API is named."""
    if not os.environ.get("PREFECT_API_URL"):
        return sync_source(
            source,
            context,
            allow_removals=options.allow_removals,
            step=traced_step,
            origin=options.origin,
        )
    from flows.orchestration.sync_flow import sync

    day = options.origin.as_of.isoformat() if options.origin.as_of else None
    workspace = str(context.settings.workspace)
    ended = sync(source.name, workspace, options.allow_removals, day, options.origin.from_archive)
    return cast("Outcome", ended)  # only a deployment's run may find nothing to do
