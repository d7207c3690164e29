"""What was due and came to nothing is asked for again, and dead runs are ended: by the ledger."""

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from flows.orchestration.night import Patience, ask_again, ask_nightly_again, deployments_of
from flows.orchestration.nightly_flow import Night, NightEnd, run_night
from flows.orchestration.prefect_api import Deployment
from flows.orchestration.run_leases import end_dead_runs
from flows.schedule.timetable import Duty
from loaders.ledger.leases import Lease
from loaders.ledger.ledger import Ledger, open_ledger
from schemas.errors import PrefectServerError
from schemas.run import RunState
from tests.unit.flows.orchestration.prefect_in_memory import NOON, InMemoryPrefect

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LATER = NOON + 5 * MINUTE
RUN_IDS = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(5)]


class World:
    """A ledger, a server with a deployment a source, and a clock that sleeping moves."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.api = InMemoryPrefect()
        self.now = NOON
        for name in ("hr", "crm"):
            self.deployment("sync", name, {"source": name})

    def deployment(self, flow: str, name: str, parameters: dict[str, str]) -> None:
        schedule = {"schedule": {"cron": "0 12 * * *", "timezone": "UTC"}, "slug": flow}
        self.api.create_deployment({
            "flow_id": f"flow of {flow}", "name": name, "parameters": parameters,
            "schedules": [schedule],
        })  # fmt: skip

    def ran(self, source: str, at: datetime, state: RunState) -> None:
        run = self.ledger.start_run(source, "me@host", at)
        self.ledger.update_run(run.run_id, state=state, ended_at=at + MINUTE)

    def ask(self, now: datetime) -> list[str]:
        ours = self.api.deployments(["sync", "nightly"])
        asked = ask_again(self.ledger, self.api, deployments_of(ours), now, Patience())
        return [*asked, *ask_nightly_again(self.ledger, self.api, ours, now, Patience())]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        yield World(ledger)


CRM_ASKED = "sync-crm-2026-11-30T12:00Z-1"


@pytest.mark.parametrize("state", ["done", "unchanged", "held"])
def test_what_was_done_since_it_was_due_is_not_asked_for(world: World, state: RunState) -> None:
    world.ran("hr", NOON, state)
    world.ran("crm", NOON - MINUTE, state)
    assert world.ask(LATER) == [CRM_ASKED]


@pytest.mark.parametrize("state", ["SCHEDULED", "PENDING", "RUNNING", "PAUSED", "CANCELLING"])
def test_a_run_that_is_not_over_is_waited_for(world: World, state: str) -> None:
    world.api.add_run("late", "sync/hr", state)
    world.api.add_run("tomorrows", "sync/crm", "SCHEDULED", NOON + 24 * HOUR)
    assert world.ask(LATER) == [CRM_ASKED]


@pytest.mark.parametrize("state", ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"])
def test_a_run_that_ended_without_an_accepted_one_is_asked_for_again(
    world: World, state: str
) -> None:
    world.ran("hr", NOON, "done")
    world.api.add_run("first", "sync/crm", state)
    assert world.ask(LATER) == [CRM_ASKED]


def test_nothing_is_asked_for_before_its_run_has_had_time_to_begin(world: World) -> None:
    assert world.ask(NOON + MINUTE) == []


def test_a_failure_is_tried_again_after_a_while_and_three_times_in_all(world: World) -> None:
    world.ran("hr", NOON, "done")
    asked, now = [], LATER
    while now < NOON + 20 * HOUR:
        for name in world.ask(now):
            asked.append(now - NOON)
            world.ran("crm", now, "failed")
            world.api.end(name, "FAILED")
        now += 5 * MINUTE
    assert asked == [5 * MINUTE, 25 * MINUTE]
    world.now = NOON + 24 * HOUR
    assert len(world.ask(world.now + 5 * MINUTE)) == 2  # the next night begins anew


def test_any_number_of_watchdogs_ask_once(world: World) -> None:
    world.ran("hr", NOON, "done")
    assert world.ask(LATER) == [CRM_ASKED]
    world.api.flow_runs.clear()  # the server forgets all of it
    assert world.ask(LATER + MINUTE) == []


def test_what_a_person_paused_is_not_asked_for(world: World) -> None:
    world.api.kept["sync/hr"]["paused"] = True
    world.api.kept["sync/crm"]["schedules"][0]["active"] = False
    assert world.ask(LATER) == []


def test_a_source_that_never_ran_waits_for_its_first_time(world: World) -> None:
    world.api.kept["sync/hr"]["created_at"] = NOON + MINUTE
    assert world.ask(LATER) == [CRM_ASKED]


@pytest.mark.parametrize(
    ("state", "is_asked"), [("CRASHED", True), ("FAILED", False), ("COMPLETED", False)]
)
def test_a_nightly_that_was_cut_off_is_asked_for_again(
    world: World, state: str, is_asked: bool
) -> None:
    for name in ("hr", "crm"):
        world.ran(name, NOON, "done")
    world.deployment("nightly", "all", {})
    world.api.add_run("tonights", "nightly/all", state)
    assert world.ask(LATER) == (["nightly-2026-11-30T12:00Z-1"] if is_asked else [])


# Runs whose process is gone.


def lease(world: World, run_id: str, taken_at: datetime) -> None:
    Lease(world.ledger, f"flow run {run_id}", now=lambda: taken_at, ttl=2 * MINUTE).take()


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "CANCELLING"])
def test_runs_without_a_process_are_ended_and_no_other(world: World, state: str) -> None:
    alive, killed, never_began, young, of_a_command = RUN_IDS
    for run_id in (alive, killed, never_began):
        world.api.add_run(run_id, "sync/hr", state, NOON - HOUR)
    world.api.add_run(young, "sync/hr", state, NOON - MINUTE)
    world.api.add_run(of_a_command, None, state, NOON - MINUTE)
    world.api.add_run("somebody elses", "sync/other", state, NOON - HOUR)
    lease(world, alive, NOON - MINUTE)
    lease(world, killed, NOON - 5 * MINUTE)
    lease(world, of_a_command, NOON - 5 * MINUTE)
    for _ in range(2):
        end_dead_runs(world.ledger, world.api, ["sync/hr"], NOON)
    assert sorted(world.api.ended) == [killed, never_began, of_a_command]


@pytest.mark.parametrize("state", ["SCHEDULED", "PAUSED"])
def test_a_run_that_waits_needs_no_process(world: World, state: str) -> None:
    world.api.add_run(RUN_IDS[0], "sync/hr", state, NOON - 9 * HOUR)
    end_dead_runs(world.ledger, world.api, ["sync/hr"], NOON)
    assert world.api.ended == []


# The nightly.


def night(world: World, ends: dict[str, list[str]]) -> NightEnd:
    """A night in which each run that is asked for ends as `ends` says, one after the other."""
    deployments: dict[Duty, Deployment] = deployments_of(world.api.deployments(["sync"]))
    begins_at = NOON - 12 * HOUR

    def sleep(seconds: float) -> None:
        world.now += timedelta(seconds=seconds)
        for run in list(world.api.flow_runs):
            source = str(run.deployment_id).removeprefix("sync/")
            if run.state_type != "SCHEDULED" or not ends.get(source):
                continue
            state = ends[source].pop(0)
            if state in {"done", "held", "failed"}:
                world.ran(source, world.now, state)
            world.api.end(run.id, "COMPLETED" if state == "done" else "FAILED")

    return run_night(
        Night(begins_at, deployments, NOON + 6 * HOUR, Patience()),
        world.ledger, world.api, lambda: world.now, sleep,
    )  # fmt: skip


def test_a_night_is_over_when_each_source_has_its_accepted_run(world: World) -> None:
    end = night(world, {"hr": ["done"], "crm": ["failed", "crashed", "done"]})
    assert end == NightEnd(accepted=["hr", "crm"])
    assert len(world.api.flow_runs) == 4


def test_a_night_waits_for_a_server_that_is_away(world: World) -> None:
    answer, looks = world.api.runs, itertools.count()

    def runs(**wanted):
        if next(looks) in {2, 3, 5}:
            raise PrefectServerError("the Prefect server does not answer")
        return answer(**wanted)

    world.api.runs = runs  # type: ignore[method-assign]
    end = night(world, {"hr": ["done"], "crm": ["failed", "done"]})
    assert sorted(end.accepted) == ["crm", "hr"]
    assert len(world.api.flow_runs) == 3


def test_what_is_held_and_then_let_through_has_its_night(world: World) -> None:
    world.ran("hr", NOON - HOUR, "held")
    world.ran("hr", NOON - MINUTE, "done")
    end = night(world, {"crm": ["done"]})
    assert (sorted(end.accepted), end.held) == (["crm", "hr"], [])


def test_a_night_that_is_run_again_asks_for_nothing_that_is_done(world: World) -> None:
    night(world, {"hr": ["done"], "crm": ["done"]})
    assert sorted(night(world, {}).accepted) == ["crm", "hr"]
    assert len(world.api.flow_runs) == 2


def test_a_night_tells_what_is_held_what_failed_and_what_is_late(world: World) -> None:
    end = night(world, {"hr": ["held"], "crm": ["failed"] * 9})
    assert (end.held, end.failed, end.late) == (["hr"], ["crm"], [])
    assert len(world.api.flow_runs) == 4  # one of hr's, three of crm's
    world.deployment("sync", "erp", {"source": "erp"})
    assert night(world, {}).late == ["erp"]


def test_the_tries_of_a_night_are_counted_over_its_runs(world: World) -> None:
    night(world, {"hr": ["done"], "crm": ["failed"] * 9})
    assert night(world, {"crm": ["done"]}).failed == ["crm"]
    assert len(world.api.flow_runs) == 4
