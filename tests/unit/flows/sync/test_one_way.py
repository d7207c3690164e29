"""Time goes one way: ledger and archive tell when the other is older; no clock orders anything."""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from flows.activity.order import run_job
from flows.run.consistency import repair_state
from loaders.ledger.tables import metadata
from schemas.errors import BusyError, ConfigError, StateError
from tests.unit.flows.sync.world import APP, World, but, states
from tests.unit.flows.world import in_memory


@pytest.fixture
def world() -> Iterator[World]:
    """A world of two accepted runs, of yesterday and of today."""
    with in_memory(World) as world:
        world.has(*but())
        world.sync()
        keep_yesterday(world)
        world.add("k")
        world.sync()
        yield world


def keep_yesterday(world: World) -> None:
    shutil.copy(world.folder / "ledger.db", world.folder / "yesterday.db")
    world.frames_of_yesterday = dict(world.place.frames)  # type: ignore[attr-defined]


def ledger_of_yesterday(world: World) -> None:
    world.engine.dispose()
    shutil.copy(world.folder / "yesterday.db", world.folder / "ledger.db")


def empty_ledger(world: World) -> None:
    world.engine.dispose()
    (world.folder / "ledger.db").unlink()
    metadata.create_all(world.engine)


def archive_of_yesterday(world: World) -> None:
    world.place.frames = dict(world.frames_of_yesterday)  # type: ignore[attr-defined]


def no_archive(world: World) -> None:
    world.place.frames = {}


def archive_of_another(world: World) -> None:
    with in_memory(World) as other:
        other.has(*but())
        other.sync()
        world.place.frames = dict(other.place.frames)


LOSSES = [ledger_of_yesterday, empty_ledger, archive_of_yesterday, no_archive, archive_of_another]


def repair(world: World, reason: str = "a backup") -> None:
    (world.folder / "sources").mkdir(exist_ok=True)
    text = f"app: {world.app}\nsource: {{kind: csv, accounts: hr.csv}}\n"
    (world.folder / "sources" / "hr.yaml").write_text(text, "utf-8")
    with world.context() as context:
        repair_state(context, reason)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("look", [World.sync, World.preview])
def test_a_pair_that_is_of_two_times_sends_nothing_and_says_how_to_go_on(
    world: World, loss: Callable[[World], None], look: Callable[[World], object]
):
    loss(world)
    before = len(world.uploads())
    for _ in range(2):
        with pytest.raises(StateError, match="lumos-ingest repair --reason WHY") as caught:
            look(world)
    which = "ledger is older" if "ledger" in loss.__name__ else "archive is older"
    which = "ledger is older" if loss is archive_of_another else which
    assert which in str(caught.value)
    assert "another workspace's" in str(caught.value)
    assert len(world.uploads()) == before


@pytest.mark.parametrize("loss", LOSSES)
def test_after_a_repair_a_plan_is_compared_with_what_lumos_holds(
    world: World, loss: Callable[[World], None]
):
    loss(world)
    repair(world)
    world.has(*but("a", "b"), "k")
    outcome = world.sync()
    assert outcome.run.state == "held"
    assert "accounts that Lumos holds" in str(outcome.planned.verdict)
    assert len(world.holds()) == 11


def test_a_pair_that_was_repaired_is_one_from_then_on(world: World):
    archive_of_yesterday(world)
    repair(world)
    assert world.sync().run.state == "held"
    assert world.sync(allow_removals=True).run.state == "done"
    assert world.sync().planned.base is not None
    with world.context() as context:
        assert repair_state_twice(context) == [0, 0]


def repair_state_twice(context: object) -> list[int]:
    return [repair_state(context, "again").adopted for _ in range(2)]  # type: ignore[arg-type]


def test_a_repair_wants_a_reason(world: World):
    with pytest.raises(ConfigError, match="--reason"):
        repair(world, " ")


def test_what_an_older_ledger_was_about_to_send_is_not_sent_after_a_repair(world: World):
    world.add("l")
    assert world.crashes_at("before POST /accounts/upload")
    keep_yesterday(world)
    world.sync()
    world.add("m")
    world.sync()
    ledger_of_yesterday(world)
    repair(world)
    before = len(world.uploads())
    outcome = world.sync()
    assert outcome.recovered == ()
    assert len(world.uploads()) == before + (outcome.run.state == "done")
    assert world.holds() == world.says()


@pytest.mark.parametrize("loss", [ledger_of_yesterday, empty_ledger])
def test_activity_is_not_sent_by_an_older_ledger(world: World, loss: Callable[[World], None]):
    from flows.activity.job import ActivityJob
    from schemas.source_file.blocks import Activity

    loss(world)
    job = ActivityJob(world.source, Activity.model_construct(), APP)
    with world.context() as context, pytest.raises(StateError, match="ledger is older"):
        run_job(job, context)


def test_a_run_accepted_under_a_clock_two_days_ahead_is_not_the_base_of_every_later_one(
    world: World,
):
    world.now += timedelta(days=2)
    world.add("l")
    world.sync()
    world.now -= timedelta(days=2)
    for name in "mn":
        world.add(name)
        outcome = world.sync()
        assert outcome.planned.plan.accounts.added == 1
        assert outcome.planned.plan.accounts.removed == 0


def test_an_upload_in_doubt_under_a_clock_that_is_behind_is_one_still(world: World):
    world.now -= timedelta(minutes=1)
    world.lumos.faults = ["forgotten"]
    with pytest.raises(Exception, match="does not know the job"):
        world.sync()
    with world.context() as context:
        assert [run.state for run in context.ledger.doubtful_runs(APP)] == ["failed"]


def sleeps_at(world: World, point: str) -> None:
    """The process is suspended at a point; another one does a whole run meanwhile."""

    def watch(what: str) -> None:
        if what == point:
            world.watch = lambda _: None
            world.now += timedelta(minutes=3)
            world.lumos.settle(world.now)
            rows, world.rows = world.rows, {**world.rows, "z": {}}
            attempts, world.attempts = world.attempts, 1
            world.sync()
            world.rows, world.attempts = rows, attempts
            world.write_source()

    world.watch = watch


REQUESTS = [
    f"{when} {what}"
    for when in ("before", "after")
    for what in (  # of what has left before, the client's tests hold the last part
        f"GET /apps/{APP}",
        "POST /accounts/upload",
        "GET /accounts/upload/job-3",
        "GET /accounts",
    )
    if (when, what) != ("before", "POST /accounts/upload")
]


@pytest.mark.parametrize("point", ["after a frame was kept", *REQUESTS])
def test_a_process_that_slept_at_any_request_sends_nothing_once_another_run_was_accepted(
    world: World, point: str
):
    world.add("l")
    sleeps_at(world, point)
    with pytest.raises(BusyError):
        world.sync()
    assert "z" in world.holds()
    assert "z" in world.uploads()[-1]
    assert not {"reading", "planned", "submitted"} & set(states(world))


@pytest.mark.parametrize("fault", ["unreachable", "unanswered"])
def test_a_process_that_slept_in_the_pause_before_a_retry_does_not_send_again(
    world: World, fault: str
):
    world.attempts, world.lumos.faults = 3, [fault]  # type: ignore[list-item]
    world.add("l")
    sleeps_at(world, "after POST /accounts/upload")
    with pytest.raises(BusyError, match="lease"):
        world.sync()
    assert "z" in world.uploads()[-1]
    assert "z" in world.holds()
