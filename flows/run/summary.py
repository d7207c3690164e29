"""A run as commands show it."""

from typing import Any

from schemas.run import Run


def run_summary(run: Run) -> dict[str, Any]:
    """A run as `runs --json` lists it."""
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
    }
