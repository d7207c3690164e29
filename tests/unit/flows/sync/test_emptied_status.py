"""A column that told the status and is blank in every row gives nobody access by its silence."""

from collections.abc import Iterator

import pytest

from tests.unit.flows.sync.world import World, but
from tests.unit.flows.world import in_memory

BLANK_IS_ACTIVE = (
    "columns: {user_status: {column: user_status, values: {A: ACTIVE, T: SUSPENDED, '': ACTIVE}}}\n"
)
CASES = (
    "columns: {user_status: {cases: [{when: {column: locked, is: ['Y']}, then: SUSPENDED}], "
    "else: {column: user_status, values: {A: ACTIVE, '': ACTIVE}}}}\n"
)


@pytest.fixture
def world() -> Iterator[World]:
    with in_memory(World) as world:
        world.more = BLANK_IS_ACTIVE
        world.has(*but(), user_status="A")
        world.add("j", user_status="T")
        world.sync()
        yield world


def verdict(world: World) -> str:
    return str(world.sync().planned.verdict)


def test_the_only_one_that_was_closed_is_not_opened_by_it(world: World):
    world.rows = {one: {"user_status": ""} for one in but()}
    said = verdict(world)
    assert "max_activated_accounts: 1 of 9 accounts that could log in, allowed 0" in said
    assert "'user_status', blank in every row now" in said
    assert verdict(world) == said
    assert world.holds()["j"][0] == "SUSPENDED"


def test_a_person_lets_it_through_and_it_is_no_news_from_then_on(world: World):
    world.rows = {one: {"user_status": ""} for one in but()}
    world.sync()
    assert world.sync(allow_removals=True).run.state == "done"
    world.add("j", user_status="T")
    assert world.sync().run.state == "done"


def test_one_who_comes_back_where_the_column_says_something_is_let_pass(world: World):
    world.add("j", user_status="")
    assert world.sync().run.state == "done"


def test_a_blank_column_that_opens_nobody_is_let_pass(world: World):
    world.rows = {one: {"user_status": ""} for one in but("j")}
    assert world.sync().run.state == "done"


def test_one_of_several_columns_of_the_status_is_enough():
    with in_memory(World) as world:
        world.more, world.columns = CASES, ["locked"]
        world.has(*but(), user_status="A")
        world.add("j", user_status="A", locked="Y")
        world.sync()
        world.add("j", user_status="A")
        assert "'locked', blank in every row now" in verdict(world)


def test_a_column_that_never_said_anything_is_no_column_that_was_emptied():
    with in_memory(World) as world:
        world.more, world.columns = CASES, ["locked"]
        world.has(*but(), user_status="A")
        world.add("j", user_status="SUSPENDED")
        world.sync()
        world.add("j", user_status="A")
        assert world.sync().run.state == "done"
