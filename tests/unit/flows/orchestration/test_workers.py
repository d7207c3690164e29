"""A worker is stopped once nothing of its pool is at work on its machine."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from flows.orchestration.workers import QUIET, Drain, wait_until_idle
from loaders.ledger.leases import Lease
from loaders.ledger.ledger import open_ledger
from loaders.ledger.tables import leases
from schemas.errors import PrefectServerError
from tests.unit.flows.orchestration.prefect_in_memory import NOON, InMemoryPrefect

RUN = "00000000-0000-4000-8000-000000000001"
HOUR = timedelta(hours=1)


class World:
    """A server, and a clock that sleeping moves; the run ends at `ends_at`."""

    def __init__(self, drain: Drain) -> None:
        self.api = InMemoryPrefect()
        self.now = NOON
        self.ends_at = NOON + timedelta(minutes=10)
        self.said: list[str] = []
        self.drain = replace(
            drain, api=self.api, now=lambda: self.now, sleep=self.sleep, tell=self.said.append
        )

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        if self.now >= self.ends_at:
            self.api.end(RUN, "COMPLETED")

    def lease(self) -> None:
        Lease(self.drain.ledger, f"flow run {RUN}", now=lambda: self.now, ttl=HOUR).take()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_ledger(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        yield World(Drain(None, ledger, ["sync/hr"], lambda: NOON, lambda _: None, lambda _: None))


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "CANCELLING"])
def test_what_is_at_work_is_waited_for(world: World, state: str) -> None:
    world.api.add_run(RUN, "sync/hr", state)
    world.lease()
    wait_until_idle(world.drain, "lumos", HOUR)
    assert world.now >= world.ends_at + QUIET
    assert world.said == [f"waiting for {RUN} ({state.capitalize()})"]


@pytest.mark.parametrize("state", ["SCHEDULED", "PAUSED", "FAILED"])
def test_what_has_no_process_is_not_waited_for(world: World, state: str) -> None:
    world.api.add_run(RUN, "sync/hr", state)
    wait_until_idle(world.drain, "lumos", HOUR)
    assert world.now < NOON + 2 * QUIET


def test_a_run_on_another_machine_is_not_waited_for(world: World) -> None:
    world.api.add_run(RUN, "sync/hr", "RUNNING")
    world.lease()
    elsewhere = leases.update().values(holder="elsewhere:1:1")
    world.drain.ledger.in_transaction(lambda connection: connection.execute(elsewhere))
    wait_until_idle(world.drain, "lumos", HOUR)
    assert world.now < NOON + 2 * QUIET


def test_a_run_that_has_lost_its_process_is_not_waited_for_for_ever(world: World) -> None:
    world.ends_at = NOON + 9 * HOUR
    world.api.add_run(RUN, "sync/hr", "RUNNING")
    wait_until_idle(world.drain, "lumos", HOUR)
    assert world.api.ended == [RUN]


def test_a_run_that_takes_too_long_keeps_its_worker(world: World) -> None:
    world.api.add_run(RUN, "sync/hr", "RUNNING")
    world.lease()
    with pytest.raises(PrefectServerError, match=f"still at work: {RUN}; the worker was not"):
        wait_until_idle(world.drain, "lumos", timedelta(minutes=5))
