"""The command `runs`: what happened, newest first."""

from pathlib import Path

from flows.cli.output import Output, log_to_stderr
from flows.run.context import open_context
from flows.run.settings import read_settings
from flows.run.summary import run_summary
from flows.run.workspace import source_paths
from schemas.run import Run

SHOWN = 20
"""Runs that a terminal shows where no limit is given; `--json` has all."""


def runs_command(workspace: Path, source: str | None, limit: int | None, *, as_json: bool) -> int:
    """Lists the runs; 0 also where there are none.

    Raises:
        ConfigError: the workspace is none: nothing is made in it.
        StateError: the ledger cannot be read.
    """
    output = Output(as_json=as_json)
    log_to_stderr(verbose=False)
    settings = read_settings(workspace)
    source_paths(settings.workspace)
    most = limit or (None if as_json else SHOWN)
    with open_context(settings, with_lumos=False) as context:
        # One more than is shown tells whether there are more.
        newest = context.ledger.runs(source, most and most + 1)
    runs = newest[:most]
    if runs:
        cut = f": {most} are shown, --limit N shows more" if len(newest) > len(runs) else ""
        columns = (
            "run",
            "source",
            "kind",
            "state",
            "started",
            "seconds",
            "accounts",
            "records",
            "rejected",
            "job",
            "error",
        )
        output.table(f"runs, newest first{cut}", columns, [_row(run) for run in runs])
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
        run.kind,
        run.state,
        run.started_at.strftime("%Y-%m-%d %H:%M:%S"),
        seconds,
        counts.get("accounts_total"),
        counts.get("activity_sent"),
        counts.get("accounts_rejected", counts.get("activity_rejected")),
        run.job_ids[-1] if run.job_ids else None,
        run.error,
    )
