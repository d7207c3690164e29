"""Lumos holds accounts otherwise than the last accepted run left them: nothing is sent over it."""

import shutil
from collections.abc import Callable, Iterator

import pytest

from tests.unit.flows.sync.world import APP, World, but
from tests.unit.flows.world import in_memory


@pytest.fixture
def world() -> Iterator[World]:
    with in_memory(World) as world:
        world.has(*but())
        world.sync()
        yield world


def restored(world: World, *nights: Callable[[World], object]) -> None:
    """Ledger and archive are of a time before those nights, of which Lumos has taken each."""
    shutil.copy(world.folder / "ledger.db", world.folder / "yesterday.db")
    frames, rows = dict(world.place.frames), dict(world.rows)
    for night in nights:
        night(world)
        assert world.sync().run.state == "done"
    world.engine.dispose()
    shutil.copy(world.folder / "yesterday.db", world.folder / "ledger.db")
    world.place.frames, world.rows = frames, rows


def closes(world: World) -> None:
    world.add("c", user_status="SUSPENDED")


def deletes(world: World) -> None:
    del world.rows["d"]


def hires(world: World) -> None:
    world.add("k")


def verdict(world: World) -> str:
    return str(world.sync().planned.verdict)


@pytest.mark.parametrize("night", [closes, deletes, hires])
def test_an_export_of_yesterday_beside_a_ledger_and_an_archive_of_yesterday_is_held(
    world: World, night: Callable[[World], object]
):
    restored(world, night)
    before = world.holds(), len(world.uploads())
    assert "changed_in_lumos: 1 of" in verdict(world)
    assert "changed_in_lumos: 1 of" in verdict(world)
    assert (world.holds(), len(world.uploads())) == before


def test_how_many_accounts_differ_is_told(world: World):
    restored(world, closes, deletes, hires)
    assert "changed_in_lumos: 3 of 10 accounts that Lumos holds, allowed 0 (hold)" in verdict(world)


def test_a_person_lets_the_plan_through_and_the_next_night_is_as_usual(world: World):
    restored(world, hires)
    assert world.sync().run.state == "held"
    world.may_take_away = 5
    assert world.sync(allow_removals=True).run.state == "done"
    assert world.holds() == world.says()
    assert world.sync().run.state == "done"


def test_a_rejected_row_keeps_an_account_that_a_restored_archive_does_not_know(world: World):
    world.more = "guards: {changed_in_lumos: allow, max_rejected_rows: 100%}\n"
    restored(world, hires)
    world.lumos.accounts[APP]["k"]["email"] = "k@example.com"
    world.add("k", email="nobody", user_status="?")
    assert world.sync().run.state == "done"
    assert world.holds()["k"][0] == "ACTIVE"


def test_accounts_that_lumos_lost_count_as_given_even_where_the_file_allows_the_change(
    world: World,
):
    world.more = "guards: {changed_in_lumos: allow}\n"
    for one in world.lumos.accounts[APP].values():
        one["status"] = "SUSPENDED"
    assert "max_activated_accounts: 10 of" in verdict(world)


def test_what_lumos_marks_as_removed_by_itself_holds_nobody(world: World):
    world.lumos.accounts[APP]["c"]["status"] = "MANUALLY_REMOVED"
    world.lumos.accounts[APP]["d"]["status"] = "WAITING_MANUAL_REMOVAL"
    assert world.sync().run.state == "done"


def test_a_status_that_lumos_does_not_tell_is_no_difference(world: World):
    world.lumos.accounts[APP]["c"]["status"] = None
    assert world.sync().run.state == "done"


def test_a_file_may_allow_what_changed_in_lumos(world: World):
    world.more = "guards: {changed_in_lumos: allow}\n"
    world.lumos.accounts[APP]["c"]["status"] = "SUSPENDED"
    assert world.sync().run.state == "done"
    assert world.holds() == world.says()


def test_an_upload_that_was_not_accepted_explains_what_differs(world: World):
    world.lumos.faults = ["alters"]
    with pytest.raises(Exception, match="does not hold what job"):
        world.sync()
    assert world.sync().run.state == "done"


def test_where_the_unchanged_are_skipped_what_changed_in_lumos_is_held_all_the_same(world: World):
    world.more = "upload: {unchanged: skip}\n"
    assert world.sync().run.state == "unchanged"
    world.lumos.accounts[APP]["c"]["status"] = "SUSPENDED"
    assert world.sync().run.state == "held"
