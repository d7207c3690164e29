"""What a deploy changes on a server: what differs, nothing else, and it loses no night."""

from datetime import timedelta
from pathlib import Path

import pytest

from flows.orchestration.deploy.entries import Located
from flows.orchestration.deploy.prefect_file import default_name, read_prefect_file, write
from flows.orchestration.deploy.register import LABEL, Clock, Registered, gone, register
from flows.orchestration.prefect_api import Pool
from schemas.errors import ConfigError, PrefectServerError
from schemas.source_file.file import to_source
from tests.unit.flows.orchestration.prefect_in_memory import NOON, InMemoryPrefect

TEXT = "app: {name: A %s}\nsource: {kind: csv, accounts: a.csv}\nschedule: {cron: '%s'}\n"


class World:
    """A workspace with a prefect.yaml, a server, and a clock that sleeping moves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.api = InMemoryPrefect()
        self.now = NOON + timedelta(hours=1, seconds=30)
        self.schedules = {"hr": "0 2 * * *"}

    def located(self) -> list[Located]:
        sources = [
            to_source(TEXT % (name, cron), name, f"sources/{name}.yaml")
            for name, cron in sorted(self.schedules.items())
        ]
        file = read_prefect_file(self.folder, sources)
        write(file)
        return file.located

    def deploy(self) -> Registered:
        self.api.calls.clear()
        name = default_name(self.folder)
        return register(self.located(), name, self.api, Clock(lambda: self.now, self.sleep))

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def edit(self, old: str, new: str) -> None:
        path = self.folder / "prefect.yaml"
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")

    def crons(self, name: str) -> list[str]:
        return [one["schedule"]["cron"] for one in self.api.kept[name]["schedules"]]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_the_first_deploy_makes_all_of_it_and_the_second_touches_nothing(world: World) -> None:
    registered = world.deploy()
    name = default_name(world.folder)
    assert registered.made == [f"nightly/{name}", f"watchdog/{name}", f"decide/{name}", "sync/hr"]
    assert registered.made_pool == "lumos"
    hr = world.api.kept["sync/hr"]
    assert (hr["concurrency_limit"], hr["concurrency_options"]) == (
        1,
        {"collision_strategy": "ENQUEUE"},
    )
    assert hr["labels"] == {LABEL: name}
    assert "concurrency_limit" not in world.api.kept[f"watchdog/{name}"]
    registered = world.deploy()
    assert (registered.made, registered.changed, world.api.calls) == ([], {}, [])


def test_a_changed_schedule_takes_the_old_ones_place(world: World) -> None:
    world.deploy()
    world.schedules["hr"] = "0 3 * * *"
    assert world.deploy().changed == {"sync/hr": ["schedules"]}
    assert world.crons("sync/hr") == ["0 3 * * *"]


@pytest.mark.parametrize("slug", ["at-night", "sync"])
def test_a_renamed_slug_leaves_one_schedule_and_it_stays_paused(world: World, slug: str) -> None:
    world.deploy()
    world.api.kept["sync/hr"]["schedules"][0]["active"] = False
    world.edit("slug: sync}", f"slug: {slug}}}")
    registered = world.deploy()
    [schedule] = world.api.kept["sync/hr"]["schedules"]
    assert (schedule["slug"], schedule["active"]) == (slug, False)
    assert registered.paused == ["deployment sync/hr"]


def test_schedules_that_only_the_server_has_are_taken_away(world: World) -> None:
    world.deploy()
    schedule = {"cron": "0 4 * * *", "timezone": "UTC"}
    world.api.create_schedule("sync/hr", {"schedule": schedule, "slug": "old"})
    assert world.deploy().changed == {"sync/hr": ["schedules"]}
    assert world.crons("sync/hr") == ["0 2 * * *"]


def test_what_a_person_changed_in_the_file_reaches_the_server(world: World) -> None:
    world.deploy()
    world.edit("env: {}", 'env: {TZ: "UTC"}')
    world.edit(
        "tags: [lumos-ingest]\n    parameters: {source", "tags: [a]\n    parameters: {source"
    )
    changed = world.deploy().changed
    assert changed["sync/hr"] == ["tags", "work_pool"]
    assert world.api.kept["sync/hr"]["job_variables"] == {"env": {"TZ": "UTC"}}
    assert world.crons("sync/hr") == ["0 2 * * *"]


def test_a_deployment_that_a_person_paused_stays_paused(world: World) -> None:
    world.deploy()
    world.api.kept["sync/hr"]["paused"] = True
    world.schedules["hr"] = "0 3 * * *"
    registered = world.deploy()
    assert world.api.kept["sync/hr"]["paused"]
    assert (registered.paused, registered.made_up) == (["deployment sync/hr"], [])


def test_a_source_under_another_name_does_not_run_twice_a_night(world: World) -> None:
    world.deploy()
    world.edit("name: hr\n", "name: hr-paris\n")
    registered = world.deploy()
    assert registered.made == ["sync/hr-paris"]
    assert (world.crons("sync/hr"), world.crons("sync/hr-paris")) == ([], ["0 2 * * *"])
    left = gone(default_name(world.folder), world.located(), world.api)
    assert [one.full_name for one in left] == ["sync/hr"]


def test_gone_is_only_what_deploy_made_for_this_workspace(world: World) -> None:
    world.schedules["crm"] = "0 2 * * *"
    world.deploy()
    mine = world.api.kept["sync/crm"]
    world.api.kept["sync/by-hand"] = {**mine, "labels": {}}
    world.api.kept["sync/elsewhere"] = {**mine, "labels": {LABEL: "other"}}
    world.api.kept["sync/copied"] = {**mine, "parameters": {"workspace": "/srv/other"}}
    located = [one for one in world.located() if one.entry.name != "crm"]
    assert [one.full_name for one in gone(default_name(world.folder), located, world.api)] == [
        "sync/crm"
    ]


def test_a_deployment_of_somebody_elses_is_not_written_over(world: World) -> None:
    world.deploy()
    there = world.api.kept["sync/hr"]
    there["labels"] = {}
    there["parameters"] = {"source": "hr", "workspace": "/srv/other"}
    world.schedules["hr"] = "0 3 * * *"
    with pytest.raises(ConfigError, match="the server has sync/hr already, made by somebody else"):
        world.deploy()
    there |= {"labels": {LABEL: "other-1"}, "parameters": {"workspace": str(world.folder)}}
    with pytest.raises(ConfigError, match="already, made by the workspace other-1"):
        world.deploy()
    assert world.crons("sync/hr") == ["0 2 * * *"]
    assert world.api.calls == []


def test_what_prefects_own_deploy_made_of_the_same_file_is_taken_as_it_is(world: World) -> None:
    world.deploy()
    own = {"labels": {}, "description": "The docstring.", "version": "6119ae93"}
    world.api.kept["sync/hr"] |= own
    world.deploy()
    assert world.api.calls == []


NIGHT = NOON + timedelta(hours=13)


@pytest.mark.parametrize("seconds", [-4, -1, 0, 1, 4])
def test_a_night_that_is_due_during_a_change_is_asked_for_once(
    world: World, seconds: float
) -> None:
    world.schedules["hr"] = "0 1 * * *"
    world.deploy()
    world.now = NIGHT + timedelta(seconds=seconds)
    world.edit(
        "tags: [lumos-ingest]\n    parameters: {source", "tags: [a]\n    parameters: {source"
    )
    assert world.deploy().made_up == ["hr-2026-12-01T01:00Z"]
    world.edit("tags: [a]", "tags: [b]")
    assert world.deploy().made_up == []
    assert [run.due_at for run in world.api.flow_runs] == [NIGHT]


@pytest.mark.parametrize("seconds", [-60, 60])
def test_a_change_at_another_time_asks_for_nothing(world: World, seconds: float) -> None:
    world.schedules["hr"] = "0 1 * * *"
    world.deploy()
    world.now = NIGHT + timedelta(seconds=seconds)
    world.edit(
        "tags: [lumos-ingest]\n    parameters: {source", "tags: [a]\n    parameters: {source"
    )
    assert world.deploy().made_up == []


def test_a_server_that_makes_no_runs_is_told(world: World) -> None:
    world.api.makes_runs = False
    with pytest.raises(PrefectServerError, match="makes no runs of its schedule"):
        world.deploy()


def test_a_work_pool_that_is_missing_is_made_only_under_its_usual_name(world: World) -> None:
    world.located()
    world.edit("name: lumos\n", "name: cluster\n")
    with pytest.raises(ConfigError, match="the server has no work pool cluster"):
        world.deploy()
    assert world.api.kept == {}
    world.api.pools["cluster"] = Pool("cluster", is_paused=True)
    assert "work pool cluster" in world.deploy().paused
