"""What a program of one's own calls does what the commands do, and raises what they would tell."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest
from terminal import SOURCE, Workspace, row, rows

from flows.run.crash_report import BugError
from lumos_ingest import (
    ConfigError,
    GuardError,
    RunContext,
    backfill,
    open_workspace,
    preview,
    send_activity,
    sync,
)

CANARY = "canary-4711"


@pytest.fixture
def context(workspace: Workspace) -> Iterator[RunContext]:
    """The workspace, open; its settings are in its `.env`."""
    lines = f"LUMOS_API_URL={workspace.sandbox.url}\nLUMOS_API_TOKEN={workspace.sandbox.token}\n"
    (workspace.path / ".env").write_text(lines, "utf-8")
    with open_workspace(workspace.path) as context:
        yield context


def without_ops(accounts: pl.DataFrame) -> pl.DataFrame:
    return accounts.filter(pl.col("team") != "Ops")


def test_a_sync_says_what_came_of_it(workspace: Workspace, context: RunContext):
    workspace.export(*rows(20))
    outcome = sync(context.source("hr"), context)
    assert (outcome.run.state, outcome.run.counts["accounts_total"]) == ("done", 20)
    assert len(workspace.accounts()) == 20
    [listed] = workspace.run("runs", "--json").document
    assert listed["run_id"] == outcome.run.run_id


def test_a_held_plan_is_an_error_that_names_its_run(workspace: Workspace, context: RunContext):
    source = context.source("hr")
    workspace.export(*rows(20))
    sync(source, context)
    workspace.export(*rows(5))
    looked = preview(source, context)
    assert looked.planned.verdict.is_held
    with pytest.raises(GuardError, match="nothing was uploaded: max_removed_accounts") as held:
        sync(source, context)
    assert len(workspace.accounts()) == 20
    newest = context.ledger.runs("hr", 1)[0]
    assert (newest.run_id, newest.state) == (held.value.run_id, "held")
    done = sync(source, context, allow_removals=True)
    assert (done.run.state, len(workspace.accounts())) == ("done", 5)


def test_an_accepted_run_is_uploaded_again(workspace: Workspace, context: RunContext):
    source = context.source("hr")
    workspace.export(*rows(3))
    first = sync(source, context)
    workspace.export(*rows(4))
    sync(source, context)
    sync(source, context, from_archive=first.run.run_id, allow_removals=True)
    assert len(workspace.accounts()) == 3
    with pytest.raises(ConfigError, match="is no accepted run of hr"):
        sync(source, context, from_archive="nothing")


def test_a_past_days_exports_go_through_the_transform_too(
    workspace: Workspace, context: RunContext
):
    workspace.source(SOURCE.replace("exports/hr.csv", "exports/hr-*.csv"))
    workspace.export(*rows(2), row(3, team="Sales"))
    (workspace.path / "exports" / "hr.csv").rename(workspace.path / "exports" / "hr-2026-08-31.csv")
    day = date(2026, 8, 31)
    done = sync(context.source("hr"), context, as_of=day, transform=without_ops)
    assert done.run.counts["accounts_dropped"] == 2
    assert list(workspace.accounts()) == ["a0003"]


def test_a_transform_of_a_program_is_for_that_call_alone(workspace: Workspace, context: RunContext):
    source = context.source("hr")
    workspace.export(*rows(2), row(3, team="Sales"))
    assert preview(source, context, transform=without_ops).planned.plan.accounts.after == 1
    done = sync(source, context, transform={"accounts": without_ops})
    assert done.run.counts["accounts_dropped"] == 2
    assert preview(source, context).planned.plan.accounts.after == 3


def test_each_stage_is_a_step(workspace: Workspace, context: RunContext):
    seen: list[str] = []

    def step(name: str, stage: Callable[[], Any]) -> Any:
        seen.append(name)
        return stage()

    workspace.export(*rows(2))
    sync(context.source("hr"), context, step=step)
    assert sorted(seen) == ["extract", "plan", "publish", "transform"]


def test_a_bug_reaches_a_step_without_its_text(workspace: Workspace, context: RunContext):
    seen: list[str] = []

    def broken(stage: str, _done: int, _total: int) -> None:
        if stage == "planning":
            raise ValueError(CANARY)

    def step(name: str, stage: Callable[[], Any]) -> Any:
        try:
            return stage()
        except Exception as error:
            seen.append(f"{name}: {error!r} {error.__cause__} {error.__context__}")
            raise

    workspace.export(*rows(2))
    with pytest.raises(BugError) as bug:
        sync(context.source("hr"), replace(context, progress=broken), step=step)
    [told] = seen
    assert told.startswith("plan: BugError('ValueError: a bug of this program")
    assert CANARY not in told + str(bug.value)
    [report] = (workspace.path / ".lumos-ingest" / "bugs").iterdir()
    assert CANARY in report.read_text("utf-8")


def test_activity_is_sent_and_a_past_time_of_it(workspace: Workspace, context: RunContext):
    workspace.source(SOURCE + "activity: {source: {kind: csv, activity: log.csv}}\n")
    workspace.export(*rows(2))
    times = ("2026-07-01T10:00:00Z", "2026-07-02T10:00:00Z")
    lines = [f"a0001,LOGIN,{time}\n" for time in times]
    log = "".join(["account_id,event_type,timestamp\n", *lines])
    (workspace.path / "log.csv").write_text(log, "utf-8")
    source = context.source("hr")
    sync(source, context)
    span = {"since": date(2026, 7, 1), "until": "2026-07-03"}
    sent = backfill(source, context, **span)
    assert [one.run.counts["activity_sent"] for one in sent] == [1, 1]
    assert backfill(source, context, **span) == []
    assert len(backfill(source, context, **span, window="2d", again=True)) == 1
    assert send_activity(source, context).run.counts["activity_sent"] == 1
    with pytest.raises(ConfigError, match="--until: must be after"):
        backfill(source, context, since="2026-07-03", until="2026-07-01")


def test_activity_of_the_accounts_passes_through_the_files_transform(
    workspace: Workspace, context: RunContext
):
    code = "def renamed(rows):\n    return rows.rename({'team': 'last_login'})\n"
    (workspace.path / "renaming.py").write_text(code, "utf-8")
    text = SOURCE.replace("attributes: {Team: team}\n", "")
    workspace.source(f"transform: renaming:renamed\n{text}activity: {{}}\n")
    workspace.export(row(1, team="2026-07-01T10:00:00Z"))
    source = context.source("hr")
    sync(source, context)
    assert send_activity(source, context).run.counts["activity_sent"] == 1


def test_without_a_token_a_source_can_be_looked_at(workspace: Workspace):
    workspace.export(*rows(2))
    with open_workspace(str(workspace.path)) as context:
        looked = preview(context.source("hr"), context)
        assert "Lumos was not asked" in looked.planned.normalized.warnings[-1]
        with pytest.raises(ConfigError, match="LUMOS_API_TOKEN"):
            sync(context.source("hr"), context)


def test_a_workspace_has_its_sources_by_name(context: RunContext):
    assert [source.name for source in context.sources()] == ["hr"]
    with pytest.raises(ConfigError, match="no source 'crm'; there are hr"):
        context.source("crm")


def test_what_the_stages_log_is_the_programs_to_show(
    workspace: Workspace, context: RunContext, caplog: pytest.LogCaptureFixture
):
    workspace.export(*rows(2))
    with caplog.at_level(logging.WARNING):
        sync(context.source("hr"), context, transform=lambda accounts: accounts.head(1))
    assert "dropped 1 of 2 rows" in caplog.text
