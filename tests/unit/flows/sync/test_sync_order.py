"""A sync that ends at any step, any number of times: nobody is removed, nothing sent twice.

What no upload may ever do is checked by the Lumos of these tests, at every upload.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import BusyError, IngestError, LumosError, SourceIncompleteError
from tests.unit.flows.sync.world import Fault, World, but, states
from tests.unit.flows.world import in_memory

MOST_STEPS = 96
"""More than a run has."""


@pytest.fixture
def world() -> Iterator[World]:
    with in_memory(World) as world:
        yield world


@pytest.fixture
def fed(world: World) -> World:
    """A world whose app has taken ten accounts."""
    world.has(*but())
    world.sync()
    world.steps = 0
    return world


def changes(world: World) -> None:
    """One account leaves, one is suspended, one holds another role, one is new."""
    world.has(*but("a"))
    world.add("b", user_status="SUSPENDED")
    world.add("c", roles="s")
    world.add("k")


def test_a_sync_leaves_in_the_app_what_the_source_says(world: World):
    world.has("a", "b")
    assert world.sync().run.state == "done"
    assert world.holds() == world.says() == {"a": ("ACTIVE", "r"), "b": ("ACTIVE", "r")}


def test_the_next_sync_removes_adds_and_changes(fed: World):
    changes(fed)
    assert fed.sync().run.state == "done"
    assert fed.holds() == fed.says()
    assert fed.steps < MOST_STEPS


@pytest.mark.parametrize("point", range(MOST_STEPS))
def test_wherever_a_run_ends_the_next_leaves_what_the_source_says(fed: World, point: int):
    changes(fed)
    assert fed.crashes_at(point) == (point < fed.steps)
    fed.sync()
    assert fed.holds() == fed.says()
    assert not {"reading", "planned", "submitted"} & set(states(fed))
    assert len(fed.uploads()) <= 4


@pytest.mark.parametrize("point", range(0, MOST_STEPS, 3))
def test_wherever_a_run_ends_the_next_goes_by_the_source_as_it_is_then(fed: World, point: int):
    changes(fed)
    fed.crashes_at(point)
    fed.rows.pop("k")
    fed.add("l")
    fed.add("d", roles="s")
    fed.sync()
    assert fed.holds() == fed.says()


@pytest.mark.parametrize("point", range(1, MOST_STEPS, 3))
def test_wherever_a_first_run_ends_the_next_begins_again(world: World, point: int):
    world.has(*but())
    world.crashes_at(point)
    world.sync()
    assert world.holds() == world.says()
    assert len(set(map(tuple, world.uploads()))) == 1


@pytest.mark.parametrize("point", range(2, MOST_STEPS, 3))
def test_wherever_a_run_ends_an_app_is_made_once(world: World, point: int):
    world.app = "{name: New, create: {category: Other, description: d}}"
    world.has(*but())
    world.crashes_at(point)
    world.sync()
    assert sorted(world.lumos.apps) == ["app-1", "app-2"]
    assert world.holds("app-2") == world.says()
    assert world.holds("app-1") == {}


@pytest.mark.parametrize("point", range(0, MOST_STEPS, 3))
def test_wherever_a_run_ends_what_the_guards_hold_is_not_removed(fed: World, point: int):
    before = fed.holds()
    fed.has(*but("a", "b"))
    fed.crashes_at(point)
    assert fed.sync().run.state == "held"
    assert fed.holds() == before
    assert len(fed.uploads()) == 1


@pytest.mark.parametrize("point", range(1, MOST_STEPS, 3))
def test_wherever_a_run_ends_a_plan_is_let_through_only_where_it_was_seen(fed: World, point: int):
    fed.has(*but("a", "b"))
    assert fed.sync().run.state == "held"
    fed.may_take_away = 2
    fed.crashes(lambda: fed.sync(allow_removals=True), point)
    outcome = fed.sync(allow_removals=True)
    assert outcome.run.state == "done"
    assert fed.holds() == fed.says()


@pytest.mark.parametrize("point", range(2, MOST_STEPS, 3))
def test_wherever_a_run_ends_a_rejected_row_removes_nobody(fed: World, point: int):
    before = fed.holds()
    fed.more = "guards: {max_rejected_rows: 100%}\n"
    fed.add(but()[point % 10], user_status="?", roles="r;s")
    fed.crashes_at(point)
    fed.sync()
    assert fed.holds() == before


def reads_accounts_before_it_uploads(world: World) -> bool:
    """Whether a run asks Lumos what the app holds before it sends anything."""
    asked: list[str] = []
    world.watch = asked.append
    world.sync()
    world.watch = lambda _: None
    return "before GET /accounts" in asked[: asked.index("before POST /accounts/upload")]


def test_lumos_is_asked_what_the_app_holds_before_anything_is_sent(world: World):
    world.has(*but())
    assert reads_accounts_before_it_uploads(world)
    assert reads_accounts_before_it_uploads(world)


def test_a_file_that_verifies_nothing_asks_only_where_nobody_knows_for_certain(world: World):
    world.more = "upload: {verify: false}\n"
    world.has(*but())
    assert reads_accounts_before_it_uploads(world)
    assert not reads_accounts_before_it_uploads(world)
    world.lumos.faults = ["forgotten"]
    with pytest.raises(LumosError):
        world.sync()
    assert reads_accounts_before_it_uploads(world)
    assert not reads_accounts_before_it_uploads(world)


def test_a_first_sync_removes_no_more_than_the_guards_let_pass(world: World):
    others = [f"o{number}" for number in range(10)]
    world.lumos.accounts["app-1"] = {
        one: {"unique_identifier": one, "status": "ACTIVE", "permissions": []} for one in others
    }
    world.more = "guards: {first_into_full_app: allow}\n"
    world.has(*but(), *others[2:])
    assert world.sync().run.state == "held"
    world.add("o1")
    assert world.sync().run.state == "done"
    assert world.holds() == world.says()


@pytest.mark.parametrize("line_count", range(11))
def test_an_export_that_was_cut_off_at_any_line_removes_nobody(fed: World, line_count: int):
    before = fed.holds()
    fed.complete = ", complete: {trailer: 'END;(.*)'}"
    fed.end = "END;10"
    fed.add("k")
    fed.cut_at = line_count
    with pytest.raises(SourceIncompleteError):
        fed.sync()
    assert fed.holds() == before
    assert len(fed.uploads()) == 1
    assert states(fed) == ["done", "failed"]


def test_every_row_is_accounted_for_in_the_report_of_its_run(world: World):
    world.has(*but())
    world.add("k", email="nobody")
    world.repeated = ["a", "b", "a"]
    world.more = "guards: {max_rejected_rows: 100%}\n"
    counts = world.sync().run.counts
    told = {name: counts[f"accounts_{name}"] for name in ("read", "accepted", "merged", "rejected")}
    assert told == {"read": 14, "accepted": 10, "merged": 3, "rejected": 1}
    assert counts["accounts_kept"] == 0
    assert counts["associations_read"] == counts["associations_accepted"] == 10


CANARY = "jane.canary"


@pytest.mark.parametrize("fault", [None, "refused", "fails", "forgotten", "alters"])
def test_no_row_and_no_id_is_told_by_a_log_an_error_or_the_ledger(
    world: World, fault: Fault | None, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("DEBUG")
    world.has(*(f"{CANARY}-{number}" for number in range(10)), roles=f"{CANARY}-role")
    world.sync()
    world.rows = dict(list(world.rows.items())[1:])
    world.add(f"{CANARY}-new", email=f"{CANARY}@example.com", user_status="SUSPENDED")
    world.add(f"{CANARY}-broken", email=f"not {CANARY}")
    world.more = "guards: {max_rejected_rows: 100%}\n"
    world.lumos.faults = [fault]
    said = ""
    try:
        world.sync()
    except IngestError as error:
        said = str(error)
    world.rows = dict(list(world.rows.items())[4:])
    assert world.sync().run.state == "held"
    assert CANARY not in said + caplog.text
    assert CANARY not in repr([run for run in world.runs() if run.error or run.plan])


def test_whoever_lost_its_lease_makes_no_app(world: World):
    world.app = "{name: New, create: {category: Other, description: d}}"
    world.has(*but())

    def watch(what: str) -> None:
        if what == "after GET /apps/categories":
            world.loses_its_lease()

    world.watch = watch
    with pytest.raises(BusyError):
        world.sync()
    assert list(world.lumos.apps) == ["app-1"]


GIVEN = "max_added_accounts: 99, max_activated_accounts: 99, max_added_associations: 99"
"""What lets every account of a world come, and come back, at once."""

CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from("abcdefghijkl"), st.just(0)),
        st.tuples(st.just("suspend"), st.sampled_from("abcdefghijkl"), st.just(0)),
        st.tuples(st.just("leave"), st.sampled_from("abcdefghijkl"), st.just(0)),
        st.tuples(st.just("break"), st.sampled_from("abcdefghijkl"), st.just(0)),
        st.tuples(
            st.just("fault"),
            st.sampled_from(["refused", "unreachable", "unanswered", "fails", "forgotten"]),
            st.just(0),
        ),
        st.tuples(st.just("wait"), st.just(""), st.integers(1, 2000)),
        st.tuples(st.just("run"), st.just(""), st.just(10_000)),
        st.tuples(st.just("crash"), st.just(""), st.integers(0, MOST_STEPS)),
    ),
    min_size=4,
    max_size=16,
)


@given(CHANGES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_order_of_changes_crashes_and_faults_does_no_harm(steps: list[tuple[str, str, int]]):
    with in_memory(World) as world:
        world.has(*but())
        for what, word, number in steps:
            happens(world, what, word, number)
        world.lumos.faults = []
        world.sync()  # what was cut off is settled: an upload that was never taken is sent
        world.rows = {one: {} for one in world.holds()} | {"z": {}}
        world.more = f"guards: {{{GIVEN}}}\n"
        if world.sync().run.state == "held":  # against an upload that nobody knows the end of
            assert world.sync(allow_removals=True).run.state == "done"
        assert world.holds() == world.says()


def happens(world: World, what: str, word: str, number: int) -> None:
    """One thing that may happen to a source, a process or Lumos."""
    match what:
        case "add":
            world.add(word)
        case "suspend":
            world.add(word, user_status="SUSPENDED")
        case "break":
            world.add(word, user_status="gone")
        case "leave":
            world.rows.pop(word, None)
        case "fault":
            fault: Fault = word  # type: ignore[assignment]
            world.lumos.faults.append(fault)
        case "wait":
            world.now += timedelta(minutes=number)
        case _:
            try:
                world.crashes_at(number)
            except IngestError:
                world.now += timedelta(minutes=3)
