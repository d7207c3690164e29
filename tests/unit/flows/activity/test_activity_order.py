"""Activity runs that end anywhere, and rows that come late: nothing is lost, nothing sent twice."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.activity.order import Sending, send_activity
from loaders.ledger.activity import saved_watermark
from schemas.errors import LumosRefusedError
from tests.unit.flows.activity.world import Record, World
from tests.unit.flows.world import in_memory


@pytest.fixture
def world() -> Iterator[World]:
    with in_memory(World) as world:
        yield world


def run(world: World) -> Sending:
    """A run of the activity of the source `log`."""
    world.write_log()
    with world.context() as context:
        return send_activity(world.source, context)


def crashed(world: World, point: int | str) -> bool:
    """Whether a run ended at its `point`th step; the lease it left behind has run out after."""
    return world.crashes(lambda: run(world), point)


def sent(world: World) -> list[Record]:
    """Every record that was taken, in order; the same bytes again count once."""
    once = dict(zip(world.bodies, world.batches, strict=True))
    return [record for batch in once.values() for record in batch]


def test_a_second_run_sends_what_is_new_and_nothing_again(world: World):
    first = world.log("a", world.now)
    assert run(world).run.counts["activity_sent"] == 1
    world.now += timedelta(minutes=30)
    second = world.log("b", world.now)
    again = run(world)
    assert sent(world) == [first, second]
    assert again.run.counts["activity_repeated"] == 1
    assert run(world).run.state == "unchanged"
    assert sent(world) == [first, second]


def test_a_row_that_comes_late_within_the_overlap_is_still_sent(world: World):
    world.log("a", world.now)
    run(world)
    late = world.log("b", world.now - timedelta(minutes=59))
    too_late = world.log("c", world.now - timedelta(minutes=61))
    run(world)
    assert late in sent(world)
    assert too_late not in sent(world)


def test_the_watermark_moves_to_the_newest_record_that_is_not_ahead_of_the_clock(world: World):
    newest = world.now - timedelta(minutes=5)
    world.log("a", newest)
    run(world)
    mark = saved_watermark(world.ledger, "log", "app-1")
    assert mark is not None
    assert mark.until == newest
    ahead = world.log("b", world.now + timedelta(hours=20))
    run(world)
    mark = saved_watermark(world.ledger, "log", "app-1")
    assert mark is not None
    assert mark.until == newest
    assert sent(world).count(ahead) == 1
    late = world.log("d", newest - timedelta(minutes=30))
    on_time = world.log("c", world.now + timedelta(hours=1))
    world.now += timedelta(hours=2)
    run(world)
    assert on_time in sent(world)
    assert late in sent(world)
    assert sent(world).count(ahead) == 1


def test_the_watermark_stays_where_it_is_until_every_batch_is_done(world: World):
    for number in range(6):
        world.log(f"a{number}", world.now)
    world.refuses_from = 2
    with pytest.raises(LumosRefusedError):
        run(world)
    assert saved_watermark(world.ledger, "log", "app-1") is None
    assert [one.state for one in world.ledger.runs()] == ["failed"]
    assert len(sent(world)) == 4
    world.refuses_from = None
    run(world)
    assert sent(world) == world.lines


@pytest.mark.parametrize("point", range(0, 48, 3))
def test_a_run_that_ends_anywhere_is_brought_to_its_end_by_the_next(world: World, point: int):
    for number in range(5):
        world.log(f"a{number}", world.now)
    crashed(world, point)
    (world.folder / "log.csv").unlink()
    world.log("b", world.now)
    run(world)
    assert sorted(sent(world)) == sorted(world.lines)
    assert len(world.bodies) - len(set(world.bodies)) <= 1
    states = {one.state for one in world.ledger.runs()}
    assert not {"reading", "planned", "submitted"} & states


def test_a_job_that_is_known_is_waited_for_and_one_that_is_done_is_left_alone(world: World):
    for number in range(5):
        world.log(f"a{number}", world.now)
    assert crashed(world, "before the state of job-2 is told")
    assert len(run(world).recovered) == 1
    assert sent(world) == world.lines
    assert len(world.bodies) == 3
    assert world.asked == ["job-1", "job-2", "job-3"]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("log"), st.sampled_from("abc"), st.integers(0, 59)),
        st.tuples(st.just("wait"), st.just(""), st.integers(1, 90)),
        st.tuples(st.just("run"), st.just(""), st.just(10_000)),
        st.tuples(st.just("crash"), st.just(""), st.integers(0, 40)),
    ),
    min_size=4,
    max_size=14,
)


@given(STEPS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_order_of_crashes_late_rows_and_runs_sends_every_record_and_none_twice(
    steps: list[tuple[str, str, int]],
):
    crashes = 0
    with in_memory(World) as world:
        for what, who, number in steps:
            match what:
                case "log":
                    world.log(who, world.now - timedelta(minutes=number))
                case "wait":
                    world.now += timedelta(minutes=number)
                case _:
                    crashes += crashed(world, number)
        run(world)
        times = Counter(sent(world))
    assert set(times) == set(world.lines)
    assert set(times.values()) <= {1}
    assert len(world.bodies) - len(set(world.bodies)) <= crashes
