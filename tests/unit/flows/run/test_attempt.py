"""One life of a run: what it ends with, who goes on with it, and what a bug of ours makes of it."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from flows.run.attempt import (
    GIVE_UP_AFTER,
    Memory,
    Stages,
    attempt,
    memory_held,
    record_failure,
    recover,
)
from flows.run.context import RunContext, at_once
from flows.run.crash_report import BugError
from loaders.archive.archive import open_archive
from loaders.ledger.ledger import open_ledger
from schemas.errors import (
    IngestError,
    JobFailedError,
    LumosUnavailableError,
    SourceError,
)
from schemas.run import Run, RunScope, RunState, StageUse
from schemas.settings import Settings

CANARY = "jane.canary@example.com"
SCOPE = RunScope("hr", "app-1")
NOW = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunContext]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where the tracebacks of bugs go
    url, archive = f"sqlite:///{tmp_path / 'ledger.db'}", str(tmp_path / "archive")
    settings = Settings(
        "https://lumos.example", SecretStr("t"), tmp_path, url, archive, timedelta(90), tmp_path
    )
    with open_ledger(url) as ledger:
        yield RunContext(settings, ledger, open_archive(archive), now=lambda: NOW)


def never(_run: Run, _error: IngestError) -> bool:
    return False


def always(_run: Run, _error: IngestError) -> bool:
    return True


def failing(context: RunContext, state: RunState, error: Exception) -> Callable[[Run], None]:
    """Work that comes as far as `state`, and fails there."""

    def work(run: Run) -> None:
        context.ledger.update_run(run.run_id, state=state)
        raise error

    return work


def left(context: RunContext, state: RunState, *, days: int = 0, **changes: object) -> Run:
    """A run that died in `state`."""
    started_at = NOW - timedelta(days=days)
    run = context.ledger.start_run("hr", "me@host", started_at, "app-1")
    return context.ledger.update_run(run.run_id, state=state, **changes)


@dataclass
class Finishing:
    """What brings runs to their end: `done`, or as they are told."""

    context: RunContext
    errors: dict[str, Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, run: Run) -> None:
        self.asked.append(run.run_id)
        if run.run_id in self.errors:
            raise self.errors[run.run_id]
        self.context.ledger.update_run(run.run_id, state="done", ended_at=NOW)


def states(context: RunContext) -> list[tuple[str, str | None]]:
    """State and error of every run, oldest first."""
    return [(run.state, run.error) for run in reversed(context.ledger.runs())]


def test_an_attempt_returns_what_the_work_does_with_its_run(context: RunContext) -> None:
    scope = RunScope("hr", "app-1", "backfill", NOW, NOW + timedelta(1))
    run = attempt(scope, context, lambda run: run, never)
    assert context.ledger.runs() == [run]
    assert (run.source, run.app_id, run.kind, run.state) == ("hr", "app-1", "backfill", "reading")
    assert (run.since, run.until) == (scope.since, scope.until)


@pytest.mark.parametrize("state", ["reading", "planned", "submitted"])
def test_a_run_that_fails_ends_with_the_line_of_its_error(
    context: RunContext, state: RunState
) -> None:
    with pytest.raises(SourceError, match="no such file") as caught:
        attempt(SCOPE, context, failing(context, state, SourceError("no such file")), never)
    [run] = context.ledger.runs()
    assert (run.state, run.error, run.ended_at) == ("failed", "no such file", NOW)
    assert caught.value.run_id == run.run_id


@pytest.mark.parametrize(
    ("state", "then"),
    [("reading", "failed"), ("planned", "planned"), ("submitted", "submitted")],
)
def test_only_a_run_with_something_under_way_can_be_gone_on_with(
    context: RunContext, state: RunState, then: RunState
) -> None:
    with pytest.raises(LumosUnavailableError):
        attempt(SCOPE, context, failing(context, state, LumosUnavailableError("503")), always)
    [run] = context.ledger.runs()
    assert (run.state, run.error) == (then, "503")
    assert (run.ended_at is None) == (then != "failed")


@pytest.mark.parametrize("state", ["reading", "planned", "submitted"])
def test_a_bug_is_the_end_of_its_run_and_quotes_nothing(
    context: RunContext, state: RunState
) -> None:
    with pytest.raises(BugError) as caught:
        attempt(SCOPE, context, failing(context, state, KeyError(CANARY)), always)
    [run] = context.ledger.runs()
    assert (run.state, run.error) == ("failed", str(caught.value))
    assert str(caught.value).startswith("KeyError: a bug of this program")
    assert caught.value.run_id == run.run_id
    assert CANARY not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_process_that_is_killed_leaves_its_run_as_it_was(context: RunContext) -> None:
    def killed(run: Run) -> None:
        context.ledger.update_run(run.run_id, state="planned")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attempt(SCOPE, context, killed, never)
    assert states(context) == [("planned", None)]


def test_how_another_process_ended_the_run_meanwhile_is_not_written_over(
    context: RunContext,
) -> None:
    run = left(context, "done")
    assert record_failure(run.run_id, SourceError("late"), context, never)
    assert states(context) == [("done", None)]


def test_a_run_that_another_process_ends_just_now_is_over(context: RunContext) -> None:
    run = left(context, "planned")

    def ended_meanwhile(one: Run, _error: IngestError) -> bool:
        context.ledger.update_run(one.run_id, state="done", ended_at=NOW)
        return True

    assert record_failure(run.run_id, SourceError("late"), context, ended_meanwhile)
    found = context.ledger.run(run.run_id)
    assert found is not None
    assert (found.state, found.error) == ("done", None)


def test_what_dead_runs_left_is_brought_to_its_end_oldest_first(context: RunContext) -> None:
    open_runs = [left(context, "planned"), left(context, "submitted")]
    left(context, "reading")
    finish = Finishing(context)
    recovered = recover(SCOPE, open_runs, context, finish, never)
    assert recovered == tuple(run.run_id for run in open_runs) == tuple(finish.asked)
    assert states(context) == [("done", None), ("done", None), ("failed", "interrupted")]


def test_a_run_that_ends_badly_keeps_no_other_from_its_end(context: RunContext) -> None:
    first, second = left(context, "submitted"), left(context, "planned")
    finish = Finishing(context, {first.run_id: JobFailedError("the job failed")})
    assert recover(SCOPE, [first, second], context, finish, never) == (first.run_id, second.run_id)
    assert states(context) == [("failed", "the job failed"), ("done", None)]


def test_nothing_else_begins_while_a_run_is_still_under_way(context: RunContext) -> None:
    first, second = left(context, "submitted"), left(context, "planned")
    finish = Finishing(context, {first.run_id: LumosUnavailableError("503")})
    with pytest.raises(LumosUnavailableError) as caught:
        recover(SCOPE, [first, second], context, finish, always)
    assert caught.value.run_id == first.run_id
    assert states(context) == [("submitted", "503"), ("planned", None)]


def test_a_bug_met_while_recovering_is_not_met_again_by_the_next_run(context: RunContext) -> None:
    run = left(context, "submitted")
    with pytest.raises(BugError) as caught:
        recover(SCOPE, [run], context, Finishing(context, {run.run_id: KeyError(CANARY)}), always)
    assert caught.value.run_id == run.run_id
    assert states(context) == [("failed", str(caught.value))]
    assert context.ledger.open_runs("app-1") == []


def test_a_run_that_has_not_ended_for_a_day_is_given_up(context: RunContext) -> None:
    assert timedelta(days=1) == GIVE_UP_AFTER
    kept = left(context, "submitted", days=1)
    old = left(context, "submitted", days=2, job_ids=("job-1", "job-2"))
    finish = Finishing(context)
    recover(SCOPE, [old, kept], context, finish, never)
    assert finish.asked == [kept.run_id]
    ended = context.ledger.run(old.run_id)
    assert ended is not None
    assert ended.error == f"run {old.run_id}, job job-2: no end after 1d; given up"


def test_a_stage_is_noted_without_the_stages_within_it():
    seconds = iter([0.0, 1.0, 4.0, 5.5, 6.0, 9.0])
    held = iter(
        [
            Memory(10, 50),
            Memory(20, 50),
            Memory(30, 80),
            Memory(70, 80),
            Memory(5, 80),
            Memory(6, 80),
        ]
    )
    stages = Stages(at_once, lambda: next(seconds), lambda: next(held))
    assert stages("transform", lambda: stages("extract", lambda: "rows")) == "rows"
    stages("plan", lambda: None)
    assert stages.uses == [
        StageUse("extract", 3.0, 80),  # the process never held more
        StageUse("transform", 2.5, 70),  # it held more within, and 70 at the end
        StageUse("plan", 3.0, 6),
    ]


def test_what_a_stage_took_is_kept_with_the_run_also_where_it_fails(context: RunContext):
    stages = Stages(at_once)

    def work(_: Run) -> None:
        stages("extract", lambda: None)
        stages("transform", fails)

    def fails() -> None:
        raise SourceError("no such column")

    with pytest.raises(SourceError):
        attempt(SCOPE, context, work, never, stages=stages)
    [run] = context.ledger.runs()
    assert run.stages is not None
    assert [use.stage for use in run.stages] == ["extract", "transform"]
    assert all(use.seconds >= 0 and use.peak_bytes > 0 for use in run.stages)


def test_memory_is_that_of_this_process():
    before = memory_held()
    ballast = bytearray(64 << 20)
    after = memory_held()
    assert after.most >= after.now > before.now + len(ballast) // 2
