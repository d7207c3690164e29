"""A held plan: what a person is told of it, and may decide."""

from collections.abc import Sequence
from datetime import timedelta

from flows.run.context import RunContext, actor
from flows.run.summary import time_text
from flows.sync.plan import Planned
from flows.sync.verdict import Verdict
from loaders.ledger.decisions import Standing, save_decision, waiting_run
from schemas.errors import ConfigError, GuardError
from schemas.guards import is_approvable
from schemas.run import Decision, Run
from schemas.source_file.file import Source

AT_ONCE = "--allow-removals"
"""The option of `sync` that approves what waits and carries it out; the reason that is kept."""

_LONGEST = timedelta(days=36500)
"""What an approval is good for at most: a calendar has an end."""

# What a person may decide.


def approve(
    run: Run, reason: str, good_for: timedelta, context: RunContext, by: str | None = None
) -> Decision:
    """Lets the held run's plan through, if the source still gives it within that time.

    It is the decision of `by`; of whoever runs this where nobody is given.

    Raises:
        ConfigError: it does not wait for that, nobody may approve it, or somebody has decided.
    """
    now = context.now()
    lapses_at = now + min(good_for, _LONGEST)
    decision = Decision(run.run_id, "approve", by or actor(), now, reason, lapses_at)

    def check(standing: Standing) -> None:
        _check_waits(standing)
        _check_approvable(standing.run)
        before = standing.decision
        if before is None:
            return
        run, by = f"run {before.run_id}", _by(before)
        again = (
            f"lumos-ingest sync {standing.run.source} holds what the source says now: decide on "
            "that"
        )
        if before.decision == "reject":
            raise ConfigError(f"{run} was rejected {by}: {again}")
        if before.has_lapsed(now):
            raise ConfigError(f"{run} was approved {by}, and that has lapsed: {again}")
        raise ConfigError(
            f"{run} is approved already, {by}, until {time_text(before.lapses_at)}: the next sync "
            f"of {standing.run.source} carries it out"
        )

    save_decision(context.ledger, decision, check)
    return decision


def reject(
    run: Run, reason: str, context: RunContext, by: str | None = None
) -> tuple[Decision, Decision | None]:
    """Refuses the held run's plan; the decision, and the approval that it takes back, if any.

    It is the decision of `by`; of whoever runs this where nobody is given.

    Raises:
        ConfigError: it does not wait for that, or is rejected already.
    """
    decision = Decision(run.run_id, "reject", by or actor(), context.now(), reason)

    def check(standing: Standing) -> None:
        _check_waits(standing)
        before = standing.decision
        if before is not None and before.decision == "reject":
            raise ConfigError(f"run {before.run_id} is rejected already, {_by(before)}")

    return decision, save_decision(context.ledger, decision, check).decision


def approve_waiting(source: Source, context: RunContext) -> None:
    """Approves the source's held run where one waits and nobody has decided, as `AT_ONCE` says.

    Where nothing may be approved, nothing is: the verdict on the new plan says why.
    """
    waiting = waiting_run(context.ledger, source.name)
    if waiting is None or waiting.decision is not None or _never(waiting.run):
        return
    approve(waiting.run, AT_ONCE, source.file.guards.approval_lapses, context)


def _check_waits(standing: Standing) -> None:
    run, furthest = standing.run, standing.furthest
    if standing.carried_out_by is not None:
        other = standing.carried_out_by
        raise ConfigError(
            f"run {run.run_id} was approved and is carried out already, as run {other.run_id} "
            f"({other.state})"
        )
    if run.kind != "sync" or run.state != "held":
        raise ConfigError(
            f"run {run.run_id} is not held, but {run.state}: only a held plan can be approved or "
            "rejected"
        )
    if furthest is not None and furthest.run_id != run.run_id:
        advice = ": decide on that one" if furthest.state == "held" else ""
        raise ConfigError(
            f"run {run.run_id} waits no more: run {furthest.run_id} ({furthest.state}) came after "
            f"it{advice}"
        )


def _check_approvable(run: Run) -> None:
    never = _never(run)
    if never:
        raise ConfigError(f"run {run.run_id} cannot be approved: {_mend(never)}")
    if not run.breaches:
        raise ConfigError(
            f"run {run.run_id} does not say what holds it: lumos-ingest sync {run.source}, and "
            "decide on what that holds"
        )


def _never(run: Run) -> list[str]:
    """The guards that hold the run and that nobody may lift, by name."""
    return sorted({seen.guard for seen in run.breaches if not is_approvable(seen.guard)})


# What a person is told.


def held_error(name: str, run_id: str, planned: Planned, origin: str = "") -> GuardError:
    """Returns the error of a held plan: which guards it breaks, and what a person may type."""
    breaches = "; ".join(map(str, planned.verdict.breaches))
    lines = [bearing_text(planned.verdict), *what_to_do(name, run_id, planned.verdict, origin)]
    advice = "; ".join(" ".join(line.rstrip(".").split()) for line in lines if line)
    return GuardError(
        f"held as run {run_id}, nothing was uploaded: {breaches}; {advice}", run_id=run_id
    )


def what_to_do(name: str, run_id: str, verdict: Verdict, origin: str = "") -> list[str]:
    """What a person may type about a held plan; `origin` as it was typed after the name."""
    lines = [] if origin else [f"Look at it: lumos-ingest preview {name}"]
    never = sorted({b.guard for b in verdict.breaches if not is_approvable(b.guard)})
    if never:
        return [*lines, f"No one may approve it: {_mend(never)}"]
    at_once = f"lumos-ingest sync {name}{origin} {AT_ONCE}"
    if origin:
        lines.append(f"Approve it: {at_once}")
    else:
        lines.append(f'Approve it: lumos-ingest approve {run_id} --reason "…"')
        lines.append(f"or at once: {at_once}")
    lines.append(f'Reject it:  lumos-ingest reject {run_id} --reason "…"')
    return lines


def bearing_text(verdict: Verdict) -> str:
    """What a person decided before has to do with the plan; "" for nothing."""
    decision = verdict.decision
    if decision is None:
        return ""
    run_id, by = decision.run_id, _by(decision)
    match verdict.bearing:
        case "approves":
            return f"Approved {by}, as run {run_id}."
        case "lapsed":
            return f"The approval of run {run_id}, {by}, lapsed on {time_text(decision.lapses_at)}."
        case "other_plan":
            return (
                f"The source has moved since run {run_id} was held: its approval, {by}, was of "
                "another plan."
            )
        case "rejects":
            return f"This very plan was rejected {by}, as run {run_id}."
        case None:
            return ""


def _mend(guards: Sequence[str]) -> str:
    return (
        f"{', '.join(guards)} cannot be lifted: mend the source, or change that key under guards: "
        "in its file, and sync again"
    )


def _by(decision: Decision) -> str:
    return f"by {decision.actor} on {time_text(decision.decided_at)}"
