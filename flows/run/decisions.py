"""Which run a person names, and giving one up: for runs of every kind."""

from functools import partial

from flows.run.context import RunContext, actor
from flows.run.locks import app_locks
from loaders.ledger.decisions import add_decision, runs_called
from loaders.ledger.ledger import Ledger
from schemas.errors import ConfigError
from schemas.run import OPEN_STATES, Decision, Run, RunState

_NAMED = 4
"""How many runs an ambiguous name is told to mean."""


def named_run(ledger: Ledger, text: str, source: str | None = None) -> Run:
    """The run, of the source if one is given, whose id begins with `text`, or after its time does.

    Raises:
        ConfigError: none does, or several do.
    """
    listed = f"lumos-ingest runs{f' {source}' if source else ''} lists them"
    if not text.strip():
        raise ConfigError(f"name a run: {listed}")
    whole = ledger.run(text)
    called = [whole] if whole else runs_called(ledger, text)
    called = [run for run in called if source in {None, run.source}]
    if not called:
        raise ConfigError(f"there is no run {text!r}: {listed}")
    if len(called) > 1:
        names = ", ".join(run.run_id for run in called[:_NAMED])
        more = ", …" if len(called) > _NAMED else ""
        raise ConfigError(f"{text!r} may mean {names}{more}: write more of it")
    return called[0]


def to_reason(text: str) -> str:
    """The reason as it is kept: one line, without anything that is not printed.

    Raises:
        ConfigError: it is blank.
    """
    printed = "".join(letter if letter.isprintable() else " " for letter in text)
    reason = " ".join(printed.split())
    if not reason:
        raise ConfigError("--reason: say why; it is kept with the decision")
    return reason


_NOT_OPEN: dict[RunState, str] = {
    "reading": "has sent nothing: if its process is gone, the next run ends it",
    "held": "is held: lumos-ingest reject refuses its plan",
    "failed": "has failed already",
    "done": "is done",
    "unchanged": "is done: nothing had changed",
}


def abandon(run: Run, reason: str, context: RunContext) -> Run:
    """Gives up on a run whose job never ends; the run as it ended.

    What it sent may still take effect, so what its app holds is in doubt until the next accepted
    run, which does not wait for the job.

    Raises:
        ConfigError: it is not under way.
        BusyError: a process is at work on it.
    """
    if run.state not in OPEN_STATES:
        raise ConfigError(f"run {run.run_id} {_NOT_OPEN[run.state]}: it cannot be abandoned")
    with app_locks(context) as locks:
        locks.take(run.scope.lease_key)
        now = context.now()
        decision = Decision(run.run_id, "abandon", actor(), now, reason)
        return context.ledger.update_run(
            run.run_id,
            expect=OPEN_STATES,
            along=partial(add_decision, decision=decision),
            state="failed",
            ended_at=now,
            error=f"abandoned by {decision.actor}",
        )
