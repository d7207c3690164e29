"""A run as commands show it."""

from datetime import datetime
from typing import Any

from schemas.run import Decision, Run


def run_summary(
    run: Run, decision: Decision | None = None, waits: str | None = None
) -> dict[str, Any]:
    """A run as `runs --json` lists it.

    Args:
        run: the run.
        decision: the newest decision on it.
        waits: what it waits for a person as; None where it does not.
    """
    return {
        "run_id": run.run_id,
        "source": run.source,
        "kind": run.kind,
        "state": run.state,
        "started_at": run.started_at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        "since": run.since.isoformat() if run.since else None,
        "until": run.until.isoformat() if run.until else None,
        "actor": run.actor,
        "app_id": run.app_id,
        "job_id": run.job_ids[-1] if run.job_ids else None,
        "job_ids": list(run.job_ids),
        "base_run_id": run.base_run_id,
        "content_hash": run.content_hash,
        "counts": run.counts,
        "plan": run.plan,
        "error": run.error,
        "approved_by": run.approved_by,
        "approved_at": run.approved_at.isoformat() if run.approved_at else None,
        "approves_run_id": run.approves_run_id,
        "decision": decision_summary(decision) if decision else None,
        "waits": waits,
    }


def decision_summary(decision: Decision) -> dict[str, Any]:
    """A decision as JSON shows it."""
    return {
        "decision": decision.decision,
        "actor": decision.actor,
        "decided_at": decision.decided_at.isoformat(),
        "reason": decision.reason,
        "lapses_at": decision.lapses_at.isoformat() if decision.lapses_at else None,
    }


def short_id(run_id: str) -> str:
    """The part of a run's id that a person types: `runs`, `approve` and the others take it too."""
    return run_id.rpartition("-")[2]


def time_text(moment: datetime | None) -> str:
    """A moment as a person reads it; a dash for none."""
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "-"
