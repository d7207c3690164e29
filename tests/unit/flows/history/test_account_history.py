"""An account's history, by ledger and archive alone: what changed, when, why it is as it is."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from flows.history.account import AccountHistory, Change, account_history
from flows.sync.held import approve
from schemas.errors import ConfigError
from tests.unit.flows.sync.world import World, but
from tests.unit.flows.world import in_memory

DAY = timedelta(days=1)


@pytest.fixture
def world() -> Iterator[World]:
    with in_memory(World) as world:
        world.more = "guards: {max_rejected_rows: 1}\n"
        world.has(*but())
        yield world


def night(world: World) -> str:
    """The next night's run."""
    world.now += DAY
    return world.sync().run.run_id


def history(world: World, account: str = "a") -> AccountHistory:
    with world.context() as context:
        return account_history("hr", account, context)


def told(world: World, account: str = "a") -> list[tuple[str, dict[str, object], str, str]]:
    return [
        (
            event.kind,
            {change.field: change.after for change in event.changes},
            ",".join(event.gained),
            ",".join(event.lost),
        )
        for event in history(world, account).events
    ]


def test_an_account_came_with_what_it_had_and_each_change_follows(world: World):
    first = night(world)
    world.add("a", user_status="SUSPENDED", roles="r;s")
    second = night(world)
    night(world)
    world.add("a", email="b@example.com", roles="s")
    third = night(world)
    found = history(world)
    assert [event.run.run_id for event in found.events] == [first, second, third]
    came, changed, again = found.events
    assert (came.kind, came.gained, came.lost) == ("came", ("r",), ())
    assert {change.field: change.after for change in came.changes} == {
        "email": "a@example.com",
        "user_status": "ACTIVE",
    }
    assert (changed.kind, changed.gained, changed.lost) == ("changed", ("s",), ())
    assert changed.changes == (Change("user_status", "ACTIVE", "SUSPENDED"),)
    assert again.changes == (
        Change("email", "a@example.com", "b@example.com"),
        Change("user_status", "SUSPENDED", "ACTIVE"),
    )
    assert again.lost == ("r",)
    assert [event.run.job_ids for event in found.events] == [("job-1",), ("job-2",), ("job-4",)]


def test_each_change_names_the_line_that_it_was_read_from(world: World):
    night(world)
    world.has("k", *but())
    world.add("c", roles="")
    night(world)
    assert [(event.file, event.line) for event in history(world, "c").events] == [
        ("hr.csv", 4),
        ("hr.csv", 5),
    ]
    found = history(world, "a")
    assert found.now is not None
    assert (found.now.file, found.now.line) == ("hr.csv", 3)


def test_one_who_left_and_came_back_is_told_so(world: World):
    night(world)
    world.has(*but("a"))
    night(world)
    assert told(world)[-1] == ("left", {}, "", "r")
    assert history(world).now is None
    world.add("a", user_status="STAGED")
    night(world)
    assert [event[0] for event in told(world)] == ["came", "left", "came back"]
    assert history(world).now is not None


def test_a_later_login_alone_is_no_change(world: World):
    world.columns = ["last_login"]
    world.add("a", last_login="2020-01-01T00:00:00Z")
    night(world)
    world.add("a", last_login="2020-02-01T00:00:00Z")
    night(world)
    assert [event[0] for event in told(world)] == ["came"]


def test_a_record_that_is_kept_says_since_when_and_why(world: World):
    night(world)
    assert history(world).kept_since is None
    world.add("a", user_status="Terminated", roles="s")
    since = world.now + DAY
    night(world)
    last = night(world)
    found = history(world)
    assert found.kept_since == since
    assert found.read_by.run_id == last
    [reject] = found.rejects
    assert (reject.line, reject.column, reject.value) == (2, "user_status", "Terminated")
    assert not reject.is_cell
    assert history(world, "b").rejects == ()
    assert history(world, "b").kept_since is None


def test_a_run_with_nothing_to_send_says_what_it_read(world: World):
    world.more += "upload: {unchanged: skip}\n"
    night(world)
    world.add("a", user_status="Terminated")
    last = night(world)
    assert world.runs()[0].state == "unchanged"
    found = history(world)
    assert (found.read_by.run_id, found.accepted.run_id) != (last, last)
    assert found.read_by.run_id == last
    assert found.kept_since is not None


def test_who_let_a_plan_through_stands_with_what_it_changed(world: World):
    night(world)
    world.has(*but("a", "b", "c"))
    held = night(world)
    found = history(world)
    assert found.held is not None
    assert (found.held.kind, found.held.run.run_id) == ("left", held)
    assert history(world, "d").held is None
    with world.context() as context:
        approve(world.runs()[0], "the site closed", DAY * 7, context)
    world.may_take_away = 3
    done = night(world)
    left = history(world).events[-1]
    assert (left.kind, left.run.run_id) == ("left", done)
    assert left.approval is not None
    assert left.approval.reason == "the site closed"
    assert history(world).held is None
    assert history(world, "d").events[-1].approval is None


def test_an_address_names_the_one_account_that_has_it(world: World):
    world.add("a", email="Only@example.com")
    night(world)
    assert history(world, "only@EXAMPLE.com").account_id == "a"
    with pytest.raises(ConfigError, match="9 accounts of hr have that address in run "):
        history(world, "a@example.com")


@pytest.mark.parametrize("account", ["zz", "A", "nobody@example.com", ""])
def test_an_account_that_no_run_had_is_told_without_its_name(world: World, account: str):
    night(world)
    with pytest.raises(ConfigError) as caught:
        history(world, account)
    assert str(caught.value) == (
        "no account has that id or address in the 1 accepted runs of hr: "
        "ids are compared as they are, addresses without case"
    )


def test_a_source_without_an_accepted_run_says_what_to_type(world: World):
    with pytest.raises(ConfigError, match="no run of hr was accepted yet: lumos-ingest sync hr"):
        history(world)


def test_a_snapshot_that_is_kept_no_more_is_counted_and_the_rest_is_told(world: World):
    first = night(world)
    world.add("a", roles="s")
    second = night(world)
    del world.place.frames["hr", first, "accounts.parquet"]
    found = history(world)
    assert found.lost_count == 1
    assert [(event.kind, event.run.run_id) for event in found.events] == [("came", second)]


def test_a_run_of_a_version_that_kept_no_lines_is_told_without_them(world: World):
    first = night(world)
    del world.place.frames["hr", first, "lines.parquet"]
    [came] = history(world).events
    assert (came.kind, came.file, came.line) == ("came", None, None)
