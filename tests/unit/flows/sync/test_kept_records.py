"""Records that rejected rows keep: since when, told each night, held for a person in the end."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.unit.flows.sync.world import World, but
from tests.unit.flows.world import in_memory

WIDE = "guards: {max_rejected_rows: 100%}\n"


def night(world: World) -> str:
    """The next night's run, and how it ended."""
    world.now += timedelta(days=1)
    return world.sync().run.state


@pytest.fixture
def fed() -> Iterator[World]:
    """A world whose app has taken ten accounts."""
    with in_memory(World) as world:
        world.has(*but())
        world.sync()
        yield world


@pytest.fixture
def broken(fed: World) -> World:
    """A world in which the row of b has had no status for a night."""
    fed.more = WIDE + "keep_last_for: 3d\n"
    fed.add("b", user_status="gone", roles="r")
    assert night(fed) == "done"
    return fed


def test_a_kept_record_is_warned_of_from_the_first_night_with_since_when(
    broken: World, caplog: pytest.LogCaptureFixture
):
    first = broken.now
    caplog.clear()
    assert night(broken) == "done"
    says = "1 account kept as accepted last, where their rows cannot be read; the first since "
    assert f"{says}{first:%Y-%m-%d}" in caplog.text
    assert "after 3d a person must decide" in caplog.text


def test_a_kept_record_is_held_for_a_person_and_then_kept_for_as_long_again(broken: World):
    assert [night(broken) for _ in range(4)] == ["done", "done", "held", "held"]
    (breach,) = broken.runs()[0].breaches
    assert breach.guard == "keep_last_for"
    before = broken.holds()
    outcome = broken.sync(allow_removals=True)
    assert outcome.run.state == "done"
    assert broken.holds() == before
    assert [night(broken) for _ in range(3)] == ["done", "done", "held"]


def test_a_row_that_can_be_read_again_is_kept_no_more(broken: World):
    night(broken)
    broken.add("b")
    assert night(broken) == "done"
    broken.add("b", user_status="gone")
    assert [night(broken) for _ in range(4)] == ["done", "done", "done", "held"]


def test_a_run_that_was_not_accepted_says_nothing_of_since_when(fed: World):
    fed.more = WIDE + "keep_last_for: 3d\n"
    fed.has(*but("a", "b", "c"))
    fed.add("d", user_status="gone")
    assert night(fed) == "held"
    fed.has(*but())
    fed.add("d", user_status="gone")
    assert [night(fed) for _ in range(4)] == ["done", "done", "done", "held"]


def test_a_total_at_the_end_of_every_export_keeps_nobody(fed: World):
    fed.more = WIDE
    fed.end = "Total;10"
    assert night(fed) == "done"
    fed.has(*but("a"))
    fed.end = "Total;9"
    assert night(fed) == "done"
    assert fed.holds() == fed.says()


def test_a_row_that_closes_its_account_does_so_whatever_else_it_lacks(fed: World):
    fed.add("b", email="", user_status="DEPROVISIONED", roles="")
    assert night(fed) == "done"
    assert fed.holds()["b"] == ("DEPROVISIONED", "")
    assert [night(fed) for _ in range(20)] == ["done"] * 20
