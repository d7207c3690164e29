"""What a dead run left: brought to its end before anything new begins, or given up for a reason."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from schemas.errors import JobTimeoutError, LumosUnavailableError, SourceUnavailableError
from schemas.run import Run
from tests.unit.flows.sync.world import APP, Fault, World, but, states
from tests.unit.flows.world import in_memory

PLANNED = "before POST /accounts/upload"
SUBMITTED = "before GET /accounts/upload/job-2"


@pytest.fixture
def world() -> Iterator[World]:
    """A world whose app has taken ten accounts, and whose source has one more."""
    with in_memory(World) as world:
        world.has(*but())
        world.sync()
        world.add("k")
        yield world


def left_at(world: World, point: str) -> Run:
    """The run that ended at a point."""
    assert world.crashes_at(point)
    return world.runs()[0]


def now_of(world: World, run: Run) -> Run:
    """The run as the ledger has it now."""
    found = world.ledger.run(run.run_id)
    assert found is not None
    return found


def test_a_planned_upload_that_was_not_sent_is_sent_from_the_archive(world: World):
    left = left_at(world, PLANNED)
    wanted = world.says()
    world.is_exported = False
    with pytest.raises(SourceUnavailableError):
        world.sync()
    assert now_of(world, left).state == "done"
    assert world.holds() == wanted


def test_a_planned_upload_that_was_sent_is_sent_again_with_the_same_bytes(world: World):
    left = left_at(world, "after POST /accounts/upload")
    assert left.state == "planned"
    outcome = world.sync()
    assert outcome.recovered == (left.run_id,)
    assert now_of(world, left).state == "done"
    assert world.uploads()[1] == world.uploads()[2]


def test_a_job_under_way_is_waited_for_and_its_upload_not_sent_again(world: World):
    left = left_at(world, SUBMITTED)
    world.more = "upload: {unchanged: skip}\n"
    assert world.sync().recovered == (left.run_id,)
    assert (now_of(world, left).state, now_of(world, left).error) == ("done", None)
    assert len(world.uploads()) == 2
    assert world.holds() == world.says()


def test_a_planned_upload_that_a_later_run_overtook_is_never_sent(world: World):
    left = left_at(world, PLANNED)
    world.accepts_elsewhere(*but(), "m")
    outcome = world.sync()
    assert outcome.recovered == (left.run_id,)
    said = f"run {left.run_id} was overtaken by a later one before it was sent"
    assert (now_of(world, left).state, now_of(world, left).error) == ("failed", said)
    assert len(world.uploads()) == 2
    assert world.holds() == world.says()


def test_a_first_upload_that_a_later_run_overtook_is_never_sent():
    with in_memory(World) as world:
        world.has(*but())
        left = left_at(world, PLANNED)
        world.accepts_elsewhere(*but(), "m")
        world.sync()
        assert now_of(world, left).state == "failed"
        assert len(world.uploads()) == 1


def test_an_upload_that_was_sent_before_a_later_run_was_accepted_is_waited_for(world: World):
    left = left_at(world, SUBMITTED)
    world.accepts_elsewhere(*but(), "k")
    assert world.sync().recovered == (left.run_id,)
    assert now_of(world, left).state == "done"


@pytest.mark.parametrize("point", [PLANNED, SUBMITTED])
@pytest.mark.parametrize(("waited", "is_given_up"), [(0, False), (1, True)])
def test_a_run_is_given_up_when_more_than_a_day_has_passed_since_its_start(
    world: World, point: str, waited: int, is_given_up: bool
):
    left = left_at(world, point)
    world.now = left.started_at + timedelta(days=1, seconds=waited)
    assert world.sync().recovered == (left.run_id,)
    run = now_of(world, left)
    assert run.state == ("failed" if is_given_up else "done")
    job = f", job {run.job_ids[-1]}" if run.job_ids else ""
    wanted = f"run {run.run_id}{job}: no end after 1d; given up"
    assert run.error == (wanted if is_given_up else None)
    assert world.holds() == world.says()


def test_a_job_that_still_runs_keeps_the_app_for_the_next_run(world: World):
    left = left_at(world, SUBMITTED)
    world.lumos.jobs[-1].fault = "never ends"
    world.more = "upload: {poll: {give_up_after: 0s}}\n"
    with pytest.raises(JobTimeoutError) as caught:
        world.sync()
    assert (now_of(world, left).state, now_of(world, left).error) == (
        "submitted",
        str(caught.value),
    )
    assert states(world) == ["done", "submitted"]


@pytest.mark.parametrize("point", [PLANNED, SUBMITTED])
def test_a_lumos_that_cannot_be_reached_leaves_the_run_for_the_next(world: World, point: str):
    left = left_at(world, point)
    world.more = "upload: {poll: {give_up_after: 0s}}\n"
    fault: list[Fault | None] = ["unreachable"] if point == PLANNED else []
    world.lumos.faults = fault
    if point == SUBMITTED:
        world.lumos.jobs[-1].fault = "never ends"
    with pytest.raises((LumosUnavailableError, JobTimeoutError)):
        world.sync()
    assert now_of(world, left).state == left.state
    assert states(world) == ["done", left.state]


@pytest.mark.parametrize("fault", ["fails", "forgotten", "alters"])
def test_after_a_job_that_ended_badly_a_fresh_snapshot_follows_at_once(world: World, fault: Fault):
    left = left_at(world, SUBMITTED)
    world.lumos.jobs[-1].fault = fault
    outcome = world.sync()
    assert outcome.recovered == (left.run_id,)
    assert now_of(world, left).state == "failed"
    assert now_of(world, left).ended_at is not None
    assert outcome.run.state == "done"
    assert world.holds() == world.says()


def test_after_an_upload_that_ended_badly_the_guards_go_by_what_lumos_holds(world: World):
    left_at(world, SUBMITTED)
    world.lumos.jobs[-1].fault = "alters"
    world.lumos.accounts[APP] |= {
        one: {"unique_identifier": one, "status": "ACTIVE", "permissions": []} for one in "xyz"
    }
    world.lumos.is_snapshot = False
    outcome = world.sync()
    assert outcome.run.state == "held"
    [breach] = outcome.planned.verdict.breaches
    assert (breach.guard, breach.found, breach.of) == (
        *("max_removed_accounts", 3),
        "accounts that Lumos holds",
    )


def test_what_a_run_left_reading_is_ended_and_nothing_of_it_is_sent(world: World):
    left = left_at(world, "after a frame was kept")
    assert left.state == "reading"
    outcome = world.sync()
    assert outcome.recovered == ()
    assert (now_of(world, left).state, now_of(world, left).error) == ("failed", "interrupted")


def test_several_runs_that_were_left_are_recovered_oldest_first(world: World):
    first = left_at(world, SUBMITTED)
    second = world.ledger.start_run("hr", "other@host", world.now, APP)
    world.ledger.update_run(
        second.run_id, state="planned", base_run_id=first.base_run_id, content_hash="x"
    )
    outcome = world.sync()
    assert outcome.recovered == (first.run_id, second.run_id)
    assert now_of(world, first).state == "done"
    assert "was overtaken" in str(now_of(world, second).error)
