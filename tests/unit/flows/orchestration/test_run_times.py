"""A run that is due and that another has done meanwhile does nothing."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from flows.orchestration.run_times import ThisRun, nothing_to_do
from flows.run.context import RunContext
from flows.run.settings import read_settings
from flows.schedule.timetable import Duty
from loaders.archive.archive import open_archive
from loaders.ledger.ledger import open_ledger
from schemas.run import RunState
from tests.unit.flows.orchestration.prefect_in_memory import NOON

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
DUE = ThisRun(NOON, is_deployed=True, run_count=1)


class World:
    """A ledger, an hour after noon."""

    def __init__(self, context: RunContext, slept: list[float]) -> None:
        self.context = context
        self.slept = slept

    def ran(self, state: RunState, source: str = "hr", after: timedelta = SECOND) -> None:
        run = self.context.ledger.start_run(source, "me@host", NOON + after)
        self.context.ledger.update_run(run.run_id, state=state)

    def is_skipped(self, run: ThisRun = DUE) -> bool:
        return nothing_to_do(Duty("hr", "sync"), self.context, run) is not None


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    slept: list[float] = []
    with open_ledger(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        context = RunContext(
            read_settings(tmp_path), ledger, open_archive(str(tmp_path / "archive")),
            now=lambda: NOON + HOUR, sleep=slept.append,
        )  # fmt: skip
        yield World(context, slept)


@pytest.mark.parametrize("state", ["done", "unchanged", "held"])
def test_a_late_run_does_nothing_where_another_has_done_it(world: World, state: RunState) -> None:
    assert not world.is_skipped()
    world.ran(state)
    assert world.is_skipped()


@pytest.mark.parametrize("state", ["reading", "planned", "submitted", "failed"])
def test_a_run_that_was_not_accepted_has_done_nothing(world: World, state: RunState) -> None:
    world.ran(state)
    world.ran("done", after=-SECOND)
    world.ran("done", "crm")
    assert not world.is_skipped()


def test_a_run_of_no_deployment_and_one_that_goes_on_do_their_work(world: World) -> None:
    world.ran("done")
    assert not world.is_skipped(ThisRun(NOON, is_deployed=True, run_count=2))
    assert not world.is_skipped(ThisRun(NOON, is_deployed=False, run_count=1))


def test_a_run_that_begins_early_waits_for_its_time(world: World) -> None:
    world.ran("done")
    early = ThisRun(NOON + HOUR + SECOND, is_deployed=True, run_count=1)
    assert not world.is_skipped(early)
    assert world.slept == [1.0]
