"""A flow run that was cancelled at the server sends nothing more; its job is left to the next."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from flows.orchestration.cancelled import Cancellation, with_check
from flows.sync.order import sync_source
from schemas.errors import CancelledError, PrefectServerError
from tests.unit.flows.orchestration.prefect_in_memory import InMemoryPrefect
from tests.unit.flows.sync.world import World, states
from tests.unit.flows.world import in_memory


@pytest.fixture
def world() -> Iterator[World]:
    with in_memory(World) as world:
        world.has("a", "b")
        world.write_source()
        yield world


def cancelled_once(world: World, is_cancelled: Callable[[], bool]) -> None:
    """A sync whose flow run is cancelled as soon as that is so."""

    def check() -> None:
        if is_cancelled():
            raise CancelledError("cancelled")

    with world.context() as context, pytest.raises(CancelledError):
        sync_source(world.source, with_check(context, check))


def test_one_that_is_cancelled_while_it_reads_sends_nothing(world: World) -> None:
    cancelled_once(world, lambda: True)
    assert (world.uploads(), states(world)) == ([], ["failed"])
    assert world.sync().run.state == "done"


def test_one_that_is_cancelled_right_before_it_sends_sends_nothing(world: World) -> None:
    cancelled_once(world, lambda: "uploading" in {stage for stage, _, _ in world.stages})
    assert (world.uploads(), states(world)) == ([], ["planned"])
    assert len(world.sync().recovered) == 1


def test_the_job_of_one_that_is_cancelled_is_waited_for_by_the_next(world: World) -> None:
    cancelled_once(world, lambda: bool(world.uploads()))
    assert states(world) == ["submitted"]
    world.now += timedelta(minutes=3)
    assert len(world.sync().recovered) == 1
    assert states(world) == ["done", "done"]


@dataclass
class Asked:
    """A server that counts how often it is asked, and may not answer."""

    prefect: InMemoryPrefect = field(default_factory=InMemoryPrefect)
    count: int = 0
    is_away: bool = False
    now: float = 0.0

    def runs(self, **wanted: object) -> object:
        self.count += 1
        if self.is_away:
            raise PrefectServerError("away")
        return self.prefect.runs(**wanted)


@pytest.mark.parametrize("state", ["CANCELLING", "CANCELLED"])
def test_a_run_learns_within_seconds_that_it_was_cancelled(state: str) -> None:
    server = Asked()
    server.prefect.add_run("one", "sync/hr", "RUNNING")
    server.prefect.add_run("another", "sync/hr", state)
    cancellation = Cancellation(server, "one", lambda: server.now)  # type: ignore[arg-type]
    for _ in range(9):
        cancellation.check()
    assert server.count == 1
    server.prefect.end("one", state)
    server.now += 2
    with pytest.raises(CancelledError):
        cancellation.check()


def test_a_server_that_is_away_stops_no_run_and_is_left_alone_for_a_while() -> None:
    server = Asked(is_away=True)
    server.prefect.add_run("one", "sync/hr", "CANCELLED")
    cancellation = Cancellation(server, "one", lambda: server.now)  # type: ignore[arg-type]
    for _ in range(9):
        cancellation.check()
        server.now += 5
    assert server.count == 1
    server.is_away = False
    server.now += 60
    with pytest.raises(CancelledError):
        cancellation.check()
