"""The command `runs`: what happened, newest first; or one run in full."""

from datetime import timedelta
from pathlib import Path

from flows.cli.output import Output, log_to_stderr
from flows.cli.runs.waits import Waiting, waiting_plans
from flows.run.context import RunContext, open_context
from flows.run.decisions import named_run
from flows.run.settings import read_settings
from flows.run.summary import decision_summary, run_summary, short_id, time_text
from flows.run.workspace import meant_source, source_names
from loaders.ledger.decisions import decisions_on, newest_decisions, runs_called
from schemas.run import Decision, Run

_COLUMNS = ("run", "source", "kind", "state", "started (UTC)", "took", "what")
_LONGEST_NAME = 14
_LONG_S = 600

SHOWN = 20
"""Runs that a terminal shows where no limit is given; `--json` has all."""


def runs_command(
    workspace: Path, source: str | None, run: str | None, limit: int | None, *, as_json: bool
) -> int:
    """Lists the runs, or shows the one that is named; 0 also where there are none.

    Raises:
        ConfigError: the workspace is none: nothing is made in it; or there is no such run.
        StateError: the ledger cannot be read.
    """
    output = Output(as_json=as_json)
    log_to_stderr(verbose=False)
    settings = read_settings(workspace)
    known = source_names(settings.workspace)
    with open_context(settings, with_lumos=False) as context:
        ledger = context.ledger
        if source is not None and not ledger.runs(source, 1):
            if run is None and runs_called(ledger, source):
                source, run = None, source
            else:
                source = meant_source(source, known, settings.workspace)
        plans = waiting_plans(ledger, context.now(), source)
        if run is not None:
            _show_one(named_run(ledger, run, source), plans, context, output)
        else:
            _list(source, limit, plans, context, output)
    return 0


def _list(
    source: str | None,
    limit: int | None,
    plans: dict[str, Waiting],
    context: RunContext,
    output: Output,
) -> None:
    most = limit or (None if output.as_json else SHOWN)
    # One more than is shown tells whether there are more.
    newest = context.ledger.runs(source, most and most + 1)
    runs = newest[:most]
    if runs:
        cut = f": {most} are shown, --limit N shows more" if len(newest) > len(runs) else ""
        rows = _cut([_row(run) for run in runs], output.width)
        output.table(f"runs, newest first{cut}", _COLUMNS, rows)
    else:
        output.line("no runs yet; lumos-ingest sync starts one")
    for name, plan in plans.items():
        output.line(f"{name}: {plan.text}", "yellow")
    decisions = newest_decisions(context.ledger)
    output.document(
        [run_summary(run, decisions.get(run.run_id), _waits(run, plans)) for run in runs]
    )


def _waits(run: Run, plans: dict[str, Waiting]) -> str | None:
    plan = plans.get(run.source)
    return plan.waits if plan is not None and plan.run.run_id == run.run_id else None


def _show_one(run: Run, plans: dict[str, Waiting], context: RunContext, output: Output) -> None:
    """Shows one run in full, with every decision on it; a reason only to a person."""
    decisions = decisions_on(context.ledger, run.run_id)
    breaches = [
        f"{seen.guard}: {seen.count} of {seen.of} {seen.table}".rstrip() + f" ({seen.limit})"
        for seen in run.breaches
    ]
    rows = [
        ("run", run.run_id),
        ("source", run.source),
        ("kind", run.kind),
        ("state", run.state),
        ("started", f"{time_text(run.started_at)}, by {run.actor}"),
        ("ended", time_text(run.ended_at) if run.ended_at else None),
        ("app", run.app_id),
        ("against", run.base_run_id),
        ("jobs", ", ".join(run.job_ids)),
        ("breaks", "\n".join(breaches)),
        ("carries out", run.approves_run_id),
        ("error", run.error),
        *(("decided", _text(decision, output)) for decision in decisions),
    ]
    output.table(f"run {run.run_id}", ("what", ""), [row for row in rows if row[1]])
    if _waits(run, plans):
        output.line(f"{run.source}: {plans[run.source].text}", "yellow")
    document = run_summary(run, decisions[0] if decisions else None, _waits(run, plans))
    output.document([{**document, "decisions": [decision_summary(one) for one in decisions]}])


def _text(decision: Decision, output: Output) -> str:
    until = f", until {time_text(decision.lapses_at)}" if decision.lapses_at else ""
    why = f": {decision.reason}" if output.is_terminal else ""
    when = time_text(decision.decided_at)
    return f"{decision.decision}, {when}, by {decision.actor}{until}{why}"


def _row(run: Run) -> tuple[str, ...]:
    spent = run.ended_at - run.started_at if run.ended_at else None
    return (
        short_id(run.run_id),
        run.source,
        run.kind,
        run.state,
        f"{run.started_at:%Y-%m-%d %H:%M}",
        _span(spent) if spent is not None else "",
        _what(run),
    )


def _span(spent: timedelta) -> str:
    seconds = round(spent.total_seconds())
    return f"{seconds} s" if seconds < _LONG_S else f"{seconds // 60} min"


def _what(run: Run) -> str:
    """What came of it, the most telling first: it may be cut at a terminal."""
    counts = run.counts
    rejected = counts.get("accounts_rejected", counts.get("activity_rejected", 0))
    if run.error:
        return run.error
    parts = [f"breaks {breach.guard}" for breach in run.breaches if run.state == "held"]
    if "accounts_total" in counts:
        parts.append(f"{counts['accounts_total']} accounts")
    if "activity_sent" in counts:
        parts.append(f"{counts['activity_sent']} records")
    return ", ".join([*parts, *([f"{rejected} rejected"] if rejected else [])])


def _cut(rows: list[tuple[str, ...]], width: int | None) -> list[tuple[str, ...]]:
    """The rows, each to be one line of that width: long names and what came of them are cut."""
    if width is None:
        return rows
    rows = [(row[0], _shortened(row[1], _LONGEST_NAME), *row[2:]) for row in rows]
    widths = [max(map(len, cells)) for cells in zip(_COLUMNS, *rows, strict=True)]
    left = width - sum(widths[:-1]) - 2 * (len(widths) - 1)
    return [(*row[:-1], _shortened(row[-1], max(left, len(_COLUMNS[-1])))) for row in rows]


def _shortened(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
