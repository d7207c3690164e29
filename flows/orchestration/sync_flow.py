"""The Prefect flow `sync`: the same order of stages, each of them a task.

Prefect orchestrates, it does not remember: nothing is cached, no result is kept, no POST is retried
by it, and the parameters name things, never hold them. Wiping its database loses and repeats
nothing.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from prefect import State, flow, task
from prefect.cache_policies import NO_CACHE

import flows

# A worker loads this file by its path, from a folder that may have another package `flows`.
if not Path(flows.__file__ or "").parent.samefile(Path(__file__).parents[1]):
    raise ImportError(
        f"the package flows is {flows.__file__}, not lumos-ingest's own: call that one something "
        "else, such as pipelines, or start where Python does not find it"
    )

from flows.orchestration.cancelled import cancelled_state, stopped_when_cancelled
from flows.orchestration.decide_flow import ask_for_decision, end_forms
from flows.orchestration.run_leases import run_lease
from flows.orchestration.run_times import nothing_to_do, run_name, this_run
from flows.orchestration.shown import planned_lines, show_run
from flows.run.context import RunContext, open_context
from flows.run.crash_report import without_text
from flows.run.settings import read_settings
from flows.run.workspace import choose_sources
from flows.schedule.timetable import Duty
from flows.sync.held import held_error
from flows.sync.order import Outcome, sync_source
from flows.sync.origin import THE_SOURCE, SyncOptions, to_origin
from schemas.errors import CancelledError


def as_task(name: str, stage: Callable[[], Any]) -> Any:  # noqa: ANN401 - a stage's own type
    """Runs a stage as a Prefect task.

    It takes no argument, so that no frame is searched, hashed or stored. Prefect keeps the text of
    what a task raises: of a bug, it is told where the traceback is.
    """
    safe = partial(without_text, stage)
    return task(name=name, cache_policy=NO_CACHE, persist_result=False, retries=0)(safe)()


@flow(name="sync", flow_run_name=run_name("sync"), persist_result=False, retries=0)
def sync(
    source: str,
    workspace: str = ".",
    allow_removals: bool = False,
    as_of: str | None = None,
    from_archive: str | None = None,
) -> Outcome | State[None]:
    """Syncs one source of a workspace.

    A deployment's run does nothing where another has done it since this one was due.

    Args:
        source: the source's name.
        workspace: the folder with `sources/`, on the machine that runs this.
        allow_removals: approve the plan that is held, and carry it out if it is still the same.
        as_of: read the exports of this day.
        from_archive: upload the snapshot of this accepted run again.

    Returns:
        What came of it, to a caller in this process; Prefect keeps no result. Or that there was
        nothing to do.

    Raises:
        IngestError: the run failed, or a guard holds it (GuardError): the flow run fails too.
    """
    options = SyncOptions(allow_removals, to_origin(as_of, from_archive))
    return without_text(partial(_sync, source, workspace, options))


def _sync(source: str, workspace: str, options: SyncOptions) -> Outcome | State[None]:
    settings = read_settings(Path(workspace))
    chosen = choose_sources(settings.workspace, [source], every=False)[0]

    def work(context: RunContext) -> Outcome:
        return sync_source(
            chosen,
            context,
            allow_removals=options.allow_removals,
            step=as_task,
            origin=options.origin,
        )

    with (
        open_context(settings) as opened,
        run_lease(opened.ledger, opened.now),
        stopped_when_cancelled(opened) as context,
    ):
        if options == SyncOptions(allow_removals=False, origin=THE_SOURCE):
            done = nothing_to_do(Duty(source, "sync"), context, this_run())
            if done is not None:
                return done
        try:
            outcome = show_run(chosen, "sync", context, work, _section)
        except CancelledError as error:
            return cancelled_state(error)
    if outcome.run.state == "held":
        ask_for_decision(source, outcome.run.run_id, settings.workspace)
        raise held_error(source, outcome.run.run_id, outcome.planned)
    end_forms(source, settings.workspace)
    return outcome


def _section(outcome: Outcome) -> list[str]:
    recovered = (f"run {one} had been cut off: recovered first" for one in outcome.recovered)
    return planned_lines(outcome.planned, recovered)
