"""What drifts night by night, each night within its bounds, is held by the guards' window."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.unit.flows.sync.world import World
from tests.unit.flows.world import in_memory

IDS = [f"a{number:02}" for number in range(40)]


@pytest.fixture
def world() -> Iterator[World]:
    with in_memory(World) as world:
        world.has(*IDS)
        world.sync()
        yield world


def night(world: World, left: int, days: int = 1) -> str:
    """How a night ends on which so many in all have left."""
    world.now += timedelta(days=days)
    world.rows = {one: {} for one in IDS[left:]}
    return world.sync().run.state


def test_the_same_share_on_three_nights_running_is_held(world: World):
    assert [night(world, 4), night(world, 7), night(world, 10)] == ["done", "done", "held"]
    [run, *_] = world.runs()
    assert [(one.guard, one.limit) for one in run.breaches] == [
        ("max_removed_accounts", "10%, doubled over 7d")
    ]


def test_so_it_is_on_three_runs_of_one_day(world: World):
    ends = [night(world, 4, days=0), night(world, 7, days=0), night(world, 10, days=0)]
    assert ends == ["done", "done", "held"]


def test_what_left_longer_ago_than_the_window_is_forgotten(world: World):
    assert night(world, 4) == "done"
    assert night(world, 7) == "done"
    assert night(world, 7, days=7) == "done"
    assert night(world, 9, days=7) == "done"


def test_no_window_looks_no_further_than_the_last_night(world: World):
    world.more = "guards: {window: 0s}\n"
    assert [night(world, 4), night(world, 7), night(world, 10)] == ["done"] * 3


def test_a_night_that_a_person_let_through_begins_a_new_drift(world: World):
    world.may_take_away = 20
    world.rows = {one: {} for one in IDS[10:]}
    assert world.sync().run.state == "held"
    assert world.sync(allow_removals=True).run.state == "done"
    assert [night(world, 12), night(world, 14)] == ["done", "done"]
