"""The command `runs`: what happened, newest first."""

from pathlib import Path

from flows.console import Output, log_to_stderr
from flows.settings import read_settings
from flows.summary import run_summary
from flows.workspace import open_tools
from schemas.run import Run


def runs_command(workspace: Path, source: str | None, limit: int, *, as_json: bool) -> int:
    """Lists the runs; 0 also where there are none.

    Raises:
        StateError: the ledger cannot be read.
    """
    output = Output(as_json=as_json)
    log_to_stderr(verbose=False)
    with open_tools(read_settings(workspace), with_lumos=False) as tools:
        runs = tools.ledger.runs(source, limit)
    if runs:
        columns = (
            "run",
            "source",
            "state",
            "started",
            "seconds",
            "accounts",
            "rejected",
            "job",
            "error",
        )
        output.table("runs, newest first", columns, [_row(run) for run in runs])
    else:
        output.line("no runs yet; lumos-ingest sync starts one")
    output.document([run_summary(run) for run in runs])
    return 0


def _row(run: Run) -> tuple[object, ...]:
    seconds = round((run.ended_at - run.started_at).total_seconds()) if run.ended_at else None
    counts = run.counts
    return (
        run.run_id,
        run.source,
        run.state,
        run.started_at.strftime("%Y-%m-%d %H:%M:%S"),
        seconds,
        counts.get("accounts_total"),
        counts.get("accounts_rejected"),
        run.job_ids[-1] if run.job_ids else None,
        run.error,
    )
