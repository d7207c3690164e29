"""What waits for a person: held plans without a decision, and approved ones not yet carried out."""

from dataclasses import dataclass
from datetime import datetime

from flows.run.summary import short_id, time_text
from loaders.ledger.decisions import sources_with_held_runs, waiting_run
from loaders.ledger.ledger import Ledger
from schemas.guards import is_approvable
from schemas.run import Decision, Run


@dataclass(frozen=True, slots=True)
class Waiting:
    """A held plan that waits.

    Attributes:
        run: the held run.
        decision: the approval that is not carried out yet; None where nobody has decided.
        waits: `undecided`, `approved`, or `lapsed`: it was approved for too short a time.
    """

    run: Run
    decision: Decision | None
    waits: str

    @property
    def text(self) -> str:
        """What waits, and what to type, in a line."""
        name, run_id = self.run.source, short_id(self.run.run_id)
        if self.decision is None:
            if all(is_approvable(seen.guard) for seen in self.run.breaches):
                return f"run {run_id} is held: lumos-ingest approve or reject {run_id}"
            return f"run {run_id} is held: mend the source; lumos-ingest report {run_id}"
        until = time_text(self.decision.lapses_at)
        if self.waits == "lapsed":
            return f"run {run_id} is held, its approval lapsed on {until}: lumos-ingest sync {name}"
        return f"run {run_id} is approved until {until}: lumos-ingest sync {name} carries it out"


def waiting_plans(ledger: Ledger, now: datetime, source: str | None = None) -> dict[str, Waiting]:
    """What waits of each source, or of the one given; a plan that was rejected does not."""
    plans = {}
    for name in sources_with_held_runs(ledger) if source is None else [source]:
        held = waiting_run(ledger, name)
        if held is None:
            continue
        decision = held.decision
        if decision is None:
            plans[name] = Waiting(held.run, None, "undecided")
        elif decision.decision == "approve":
            waits = "lapsed" if decision.has_lapsed(now) else "approved"
            plans[name] = Waiting(held.run, decision, waits)
    return plans
