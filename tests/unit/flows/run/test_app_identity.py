"""A source feeds the app that it has fed, however it is called; a name alone moves it nowhere."""

from collections.abc import Callable, Iterator

import pytest

from flows.activity.job import to_job
from schemas.errors import ConfigError
from schemas.run import Run
from tests.unit.flows.sync.world import APP, World, but
from tests.unit.flows.world import in_memory

NEW = "{name: X, create: {category: Other, description: d}}"


@pytest.fixture
def world() -> Iterator[World]:
    with in_memory(World) as world:
        world.app = NEW
        world.has(*but())
        world.sync()
        yield world


def test_an_app_that_was_renamed_is_fed_on_and_gets_no_twin(
    world: World, caplog: pytest.LogCaptureFixture
):
    world.lumos.apps[APP] = "Y"
    world.has(*but("a"))
    outcome = world.sync()
    assert (outcome.run.app_id, outcome.planned.plan.accounts.removed) == (APP, 1)
    assert list(world.lumos.apps) == [APP]
    told = [text for text in caplog.messages if "goes on feeding" in text]
    assert told == [
        f"hr: goes on feeding the app {APP}, which Lumos calls 'Y'; the source file calls it 'X'"
    ]
    assert world.preview().planned.base is not None


def test_an_app_by_its_own_name_is_told_of_by_no_line(
    world: World, caplog: pytest.LogCaptureFixture
):
    world.sync()
    assert "feeding" not in caplog.text


@pytest.mark.parametrize("look", [World.sync, World.preview])
def test_another_app_that_took_the_name_is_never_fed_and_the_key_is_named(
    world: World, look: Callable[[World], object]
):
    world.lumos.apps |= {APP: "Y", "app-2": "X"}
    world.lumos.accounts["app-2"] = {}
    with pytest.raises(ConfigError) as caught:
        look(world)
    said = str(caught.value)
    assert f"app: {{id: {APP}}} to go on" in said
    assert "app: {id: app-2} to feed the other" in said
    assert "'X'" in said
    assert "'Y'" in said
    assert world.lumos.accounts["app-2"] == {}
    assert len(world.uploads()) == 1


@pytest.mark.parametrize("app_id", [APP, "app-2"])
def test_an_id_that_a_person_writes_is_that_persons_word(world: World, app_id: str):
    world.lumos.apps |= {APP: "Y", "app-2": "X"}
    world.lumos.accounts["app-2"] = {}
    world.app = f"{{id: {app_id}}}"
    assert world.sync().run.app_id == app_id


def test_an_app_that_is_gone_is_not_made_again_by_its_name(world: World):
    del world.lumos.apps[APP]
    with pytest.raises(ConfigError, match="has no such app any more: write app: "):
        world.sync()
    assert world.lumos.apps == {}


def test_an_upload_that_was_not_accepted_has_fed_its_app_too():
    with in_memory(World) as world:
        world.app = NEW
        world.has(*but())
        world.lumos.faults = ["alters"]
        with pytest.raises(Exception, match="does not hold"):
            world.sync()
        world.lumos.apps[APP] = "Y"
        assert world.sync().run.app_id == APP
        assert list(world.lumos.apps) == [APP]


def test_a_plan_that_was_only_held_has_fed_nothing():
    with in_memory(World) as world:
        world.app, world.more = NEW, "guards: {min_accounts: 99}\n"
        world.has(*but())
        held: Run = world.sync().run
        assert held.state == "held"
        world.lumos.apps |= {"app-2": "Z"}
        world.lumos.accounts["app-2"] = {}
        world.app = "{name: Z}"
        assert world.sync().run.app_id == "app-2"


def test_the_app_of_another_lumos_is_not_the_one_that_is_fed_here(world: World):
    [run] = world.runs()
    world.ledger.update_run(run.run_id, api_url="https://other.example")
    world.lumos.apps = {"app-7": "X"}
    world.lumos.accounts = {"app-7": {}}
    assert world.sync().run.app_id == "app-7"


def test_activity_goes_to_the_app_that_is_fed_whatever_it_is_called(world: World):
    world.lumos.apps[APP] = "Y"
    world.more = "activity: {columns: {account_id: x, event_type: {constant: LOGIN}}}\n"
    with world.context() as context:
        assert to_job(world.source, context).app_id == APP
