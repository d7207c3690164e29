"""The commands `approve`, `reject` and `abandon`: what a person decides of a run."""

from pathlib import Path

from flows.cli.output import Output, log_to_stderr
from flows.run.context import RunContext, open_context
from flows.run.decisions import abandon, named_run, to_reason
from flows.run.settings import read_settings
from flows.run.summary import run_summary, time_text
from flows.run.workspace import source_paths
from flows.sync.held import approve, reject
from loaders.ledger.decisions import decisions_on
from schemas.run import Decision, DecisionKind, Run


def decide_command(
    workspace: Path, decision: DecisionKind, run: str, reason: str, *, as_json: bool
) -> int:
    """Keeps the decision on the run, and says what follows from it.

    Raises:
        ConfigError: no reason, no such run, or one that this cannot be decided of.
        BusyError: a process is at work on the run that is given up.
        StateError: the ledger cannot be used.
    """
    output = Output(as_json=as_json)
    log_to_stderr(verbose=False)
    why = to_reason(reason)
    settings = read_settings(workspace)
    source_paths(settings.workspace)
    with open_context(settings, with_lumos=False) as context:
        meant = named_run(context.ledger, run)
        for line in _decided(decision, meant, why, context):
            output.line(f"{meant.source}: {line}")
        ended = context.ledger.run(meant.run_id) or meant
        newest = decisions_on(context.ledger, meant.run_id)[0]
    output.document(run_summary(ended, newest, _waits(newest)))
    return 0


def _waits(decision: Decision) -> str | None:
    return "approved" if decision.decision == "approve" else None


def _decided(decision: DecisionKind, run: Run, reason: str, context: RunContext) -> list[str]:
    """Decides; what follows, a line each."""
    match decision:
        case "approve":
            good_for = context.source(run.source).file.guards.approval_lapses
            until = time_text(approve(run, reason, good_for, context).lapses_at)
            return [
                f"run {run.run_id} is approved until {until}.",
                "The next sync carries it out, if the source still gives that plan.",
            ]
        case "reject":
            before = reject(run, reason, context)[1]
            taken_back = "; its approval is taken back" if before else ""
            return [f"run {run.run_id} is rejected{taken_back}. Mend the source, and sync again."]
        case "abandon":
            return _given_up(run, abandon(run, reason, context))


def _given_up(run: Run, ended: Run) -> list[str]:
    job = f"; job {run.job_ids[-1]} is waited for no more" if run.job_ids else ""
    first = f"run {ended.run_id} is given up{job}."
    if run.kind != "sync":
        return [first, "What was not done is sent by the next one."]
    return [
        first,
        "What the app holds is in doubt: until a run is accepted, the guards go by Lumos too.",
        "Should the job end after all, the app may hold what it sent: then sync again.",
    ]
