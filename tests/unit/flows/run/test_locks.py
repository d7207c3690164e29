"""The leases that a run holds on its app: each taken once, all asked, all given back."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from flows.run.context import RunContext
from flows.run.locks import app_locks
from loaders.ledger.tables import leases
from schemas.errors import BusyError
from tests.unit.flows.sync.world import World
from tests.unit.flows.world import URL, in_memory


@pytest.fixture
def world() -> Iterator[World]:
    with in_memory(World) as world:
        yield world


@pytest.fixture
def context(world: World) -> Iterator[RunContext]:
    with world.context() as context:
        yield context


def keys(world: World) -> list[str]:
    """What is locked."""
    rows = world.ledger.in_transaction(lambda c: c.execute(leases.select()).all())
    return sorted(row.key for row in rows)


def test_a_lease_names_the_api_and_the_app_and_is_taken_once(world: World, context: RunContext):
    with app_locks(context) as locks:
        assert keys(world) == []
        locks.take("app-1")
        locks.take("app-1")
        locks.take("app-2")
        locks.take("app-1")
        assert keys(world) == [f"{URL} app-1", f"{URL} app-2"]
        locks.check()
    assert keys(world) == []


def test_all_leases_are_given_back_by_a_run_that_fails(world: World, context: RunContext):
    def fail() -> None:
        with app_locks(context) as locks:
            locks.take("app-1")
            locks.take("app-2")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert keys(world) == []


def test_an_app_that_another_run_is_at_work_on_is_refused(world: World, context: RunContext):
    with app_locks(context) as locks:
        locks.take("app-1")
        with app_locks(context) as others:
            others.take("app-2")
            with pytest.raises(BusyError, match=f"at work on {URL} app-1"):
                others.take("app-1")
            others.check()
        locks.check()


@pytest.mark.parametrize("lost", ["app-1", "app-2", "app-3"])
def test_a_run_that_lost_one_of_its_leases_has_lost_its_turn(
    world: World, context: RunContext, lost: str
):
    with app_locks(context) as locks:
        for app in ("app-1", "app-2", "app-3"):
            locks.take(app)
        taken = leases.update().where(leases.c.key == f"{URL} {lost}").values(token="another's")
        world.ledger.in_transaction(lambda connection: connection.execute(taken))
        with pytest.raises(BusyError, match=f"{URL} {lost} ran out"):
            locks.check()


def test_a_lease_goes_by_the_clock_of_the_run(world: World, context: RunContext):
    with app_locks(context) as locks:
        locks.take("app-1")
        [row] = world.ledger.in_transaction(lambda c: c.execute(leases.select()).all())
        assert row.expires_at == world.now + timedelta(minutes=2)
