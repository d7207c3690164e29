"""The Prefect flow `decide`: a form in which a person approves or rejects a held plan.

The run is suspended until the form is filled in; then the decision is written into the ledger, as
the commands `approve` and `reject` write it. Nothing is uploaded: the source's next run carries
the plan out. A flow that may be suspended is never deployed with CANCEL_NEW.
"""

import logging
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Literal
from uuid import UUID

import flows

# A worker loads this file by its path, from a folder that may have another package `flows`.
if not Path(flows.__file__ or "").parent.samefile(Path(__file__).parents[1]):
    raise ImportError(
        f"the package flows is {flows.__file__}, not lumos-ingest's own: call that one something "
        "else, such as pipelines, or start where Python does not find it"
    )

from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.deployments import run_deployment
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput, delete_flow_run_input
from pydantic import Field

from flows.orchestration.shown import or_warn, show_logs, tag_run
from flows.run.context import RunContext, open_context
from flows.run.crash_report import without_text
from flows.run.decisions import named_run, to_reason
from flows.run.settings import read_settings
from flows.run.workspace import choose_sources
from flows.sync.held import approve, reject
from flows.sync.markdown import plain
from loaders.ledger.decisions import waiting_run
from schemas.errors import ConfigError
from schemas.run import Run
from schemas.source_file.file import Source

_log = logging.getLogger(__name__)


_LONGEST = timedelta(days=365)


class Form(RunInput):
    """What a person is shown, and fills in. Prefect lets all of it be changed: it is compared."""

    plan_hash: str
    verdict: str
    counts: str
    decision: Literal["approve", "reject"] = Field(description="What becomes of the plan.")
    reason: str = Field(min_length=1, description="Why; it is kept with the decision.")
    decided_by: str = Field(min_length=1, description="Who decides; Prefect does not know.")


@flow(name="decide", flow_run_name="decide-{source}", persist_result=False, retries=0)
def decide(source: str, run_id: str, workspace: str = ".") -> None:
    """Waits for a person's decision on a held run, and writes it into the ledger.

    Args:
        source: the source's name.
        run_id: the held run.
        workspace: the folder with `sources/`, on the machine that runs this.

    Raises:
        IngestError: the run waits for no decision, or the form was changed: the flow run fails too.
    """
    without_text(partial(_decide, source, run_id, Path(workspace)))


def ask_for_decision(source: str, run_id: str, workspace: Path) -> None:
    """Starts the form of a held run, once, where the flow `decide` is deployed."""

    def ask() -> None:
        deployment_id = _deployed_for(str(workspace))
        if deployment_id is None:
            return
        run_deployment(
            deployment_id,
            parameters={"source": source, "run_id": run_id, "workspace": str(workspace)},
            timeout=0,
            as_subflow=False,
            idempotency_key=f"decide {run_id}",
        )

    or_warn(source, ask)


def _deployed_for(workspace: str) -> UUID | None:
    """The flow's deployment for the workspace, else one for any; None where there is none."""
    of_decide = FlowFilter(name=FlowFilterName(any_=[decide.name]))
    with get_client(sync_client=True) as client:
        deployments = client.read_deployments(flow_filter=of_decide)
    by_workspace = {one.parameters.get("workspace"): one.id for one in deployments}
    return by_workspace.get(workspace) or by_workspace.get(None)


def _decide(name: str, run_id: str, workspace: Path) -> None:
    show_logs()
    settings = read_settings(workspace)
    source = choose_sources(settings.workspace, [name], every=False)[0]
    or_warn(name, partial(tag_run, source))
    with open_context(settings, with_lumos=False) as context:
        run = _held(source, run_id, context)
    patience = min(source.file.guards.approval_lapses, _LONGEST)
    # Here the run ends, and begins again from the top of the flow once the form is filled in.
    answer = suspend_flow_run(wait_for_input=to_form(run), timeout=int(patience.total_seconds()))
    try:
        with open_context(settings, with_lumos=False) as context:
            keep_decision(source, run, answer, context)
    finally:
        # What a person wrote is the ledger's alone.
        or_warn(name, partial(delete_flow_run_input, answer.metadata.key))
    _log.info("%s: run %s: %s, by the form", name, run.run_id, answer.decision)


def _held(source: Source, run_id: str, context: RunContext) -> Run:
    """The run, as long as it waits for a decision.

    Raises:
        ConfigError: it does not.
    """
    run = named_run(context.ledger, run_id, source.name)
    waiting = waiting_run(context.ledger, source.name)
    if waiting is None or waiting.run.run_id != run.run_id or waiting.decision is not None:
        raise _too_late(run)
    return run


def _too_late(run: Run) -> ConfigError:
    return ConfigError(
        f"run {run.run_id} waits for no decision any more: this form changes nothing; "
        f"lumos-ingest runs {run.source} {run.run_id} says what became of it"
    )


def to_form(run: Run) -> type[Form]:
    """The form, filled in with what the plan is."""
    description = (
        f"{plain(run.source)}: a plan is held as run {run.run_id}; nothing was uploaded. "
        f"`lumos-ingest preview {run.source}` shows which accounts. Approved, it is carried out by "
        "the source's next run, if the source still gives that plan. Leave hash, verdict and "
        "counts as they are."
    )
    return Form.with_initial_data(description=description, **shown_in_form(run))


def shown_in_form(run: Run) -> dict[str, str]:
    """What the form names of the plan: its hash, the verdict, and counts."""
    counts = [
        f"{table}: "
        + ", ".join(f"{run.counts.get(f'{table}_{kind}', 0)} {kind}" for kind in _KINDS)
        for table in ("accounts", "entitlements", "associations")
    ]
    return {
        "plan_hash": run.content_hash or "",
        "verdict": run.error or "",
        "counts": "; ".join(counts),
    }


_KINDS = ("added", "changed", "removed")


def keep_decision(source: Source, run: Run, answer: Form, context: RunContext) -> None:
    """Writes the decision into the ledger.

    Raises:
        ConfigError: what the form showed was changed, something is blank, or the run waits for no
            decision any more.
    """
    if not answer.reason.strip() or not answer.decided_by.strip():
        raise ConfigError(
            f"run {run.run_id}: the form lacks a reason, or who decides: nothing was decided"
        )
    if answer.model_dump(include=set(shown_in_form(run))) != shown_in_form(run):
        raise ConfigError(
            f"run {run.run_id}: the form says another plan, verdict or counts than this run has: "
            "nothing was decided; fill in a new one, or type lumos-ingest approve or reject"
        )
    by = f"{to_reason(answer.decided_by)} (Prefect's form)"
    reason = to_reason(answer.reason)
    try:
        if answer.decision == "approve":
            approve(run, reason, source.file.guards.approval_lapses, context, by=by)
        else:
            reject(run, reason, context, by=by)
    except ConfigError:
        _held(source, run.run_id, context)
        raise
