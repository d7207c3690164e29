"""An accepted run remembers its read, and the next is judged by it."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest

from flows.sync.order import Outcome, sync_source
from flows.sync.origin import THE_SOURCE, SnapshotOrigin
from flows.sync.plan import preview_source
from schemas.errors import SourceFormatError, SourceStaleError
from schemas.source_file.file import Source, to_source
from tests.unit.flows.sync.world import World, but
from tests.unit.flows.world import in_memory

HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> Iterator[World]:
    with in_memory(World) as world:
        world.has(*but())
        yield world


def sync(world: World, origin: SnapshotOrigin = THE_SOURCE) -> Outcome:
    """A run of the export as it lies there."""
    with world.context() as context:
        return sync_source(world.source, context, origin=origin)


def rewrite(world: World, old: str, new: str, at: timedelta = timedelta()) -> None:
    """The export with another text in it, written at a time from now."""
    world.write_source()
    path = world.folder / "hr.csv"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    moment = (world.now + at).timestamp()
    os.utime(path, (moment, moment))


def test_an_export_older_than_the_accepted_one_is_not_read(world: World):
    world.sync()
    rewrite(world, ",ACTIVE", ",STAGED", -HOUR)
    with pytest.raises(SourceStaleError, match=r"is older than hr.csv"):
        sync(world)
    assert set(world.holds().values()) == set(world.says().values())


def test_a_run_that_failed_or_is_held_is_no_measure(world: World):
    world.sync()
    world.now += 3 * HOUR
    world.has(*but()[:3])
    assert world.sync().run.state == "held"
    world.has(*but())
    rewrite(world, "", "", -HOUR)
    assert sync(world).run.state == "done"


def test_a_run_with_nothing_to_send_is_a_measure(world: World):
    world.more = "upload: {unchanged: skip}\n"
    world.sync()
    world.now += 3 * HOUR
    rewrite(world, "integration_specific_id,email", "integration_specific_id,Email")
    assert sync(world).run.state == "unchanged"
    world.add("k")
    rewrite(world, "", "", -HOUR)
    with pytest.raises(SourceStaleError):
        sync(world)


def test_a_snapshot_uploaded_again_forgets_nothing(world: World):
    first = world.sync().run.run_id
    world.now += 3 * HOUR
    world.add("k")
    world.sync()
    assert sync(world, SnapshotOrigin(from_archive=first)).run.state == "done"
    rewrite(world, "", "", -HOUR)
    world.add("m")
    rewrite(world, "", "", -HOUR)
    with pytest.raises(SourceStaleError):
        sync(world)
    rewrite(world, "user_status", "state")
    with pytest.raises(SourceFormatError, match="nothing feeds user_status now"):
        sync(world)


def test_an_old_export_that_is_written_again_is_told_of(world: World):
    world.sync()
    world.add("k")
    world.sync()
    world.has(*but())
    world.now += HOUR
    outcome = world.sync()
    warnings = outcome.planned.normalized.warnings
    assert any("hr.csv: has the very bytes" in warning for warning in warnings)
    assert outcome.run.state == "done", "what it takes is judged as on any night"


def test_an_old_export_that_is_written_again_gives_nothing_without_a_person(world: World):
    world.sync()
    world.add("a", user_status="DEPROVISIONED")
    world.sync()
    world.has(*but())
    world.now += HOUR
    run = world.sync().run
    assert run.state == "held"
    [breach] = run.breaches
    assert (breach.guard, breach.count) == ("max_activated_accounts", 1)
    assert breach.limit == "none from an old export written again"
    world.add("k")
    assert world.sync().run.state == "done"


class Database(World):
    """The same accounts in a SQLite, each with when it was written."""

    @property
    def source(self) -> Source:
        text = (
            f"app: {self.app}\nsource:\n  kind: sql\n  url: sqlite:///hr.db\n  timezone: UTC\n"
            "  freshness: {query: SELECT max(at) FROM people, max_age: 9d}\n"
            "  queries:\n"
            "    list_accounts: SELECT id AS integration_specific_id, email, "
            "user_status FROM people\n"
        )
        return to_source(text, "hr", "sources/hr.yaml")

    def write_source(self) -> None:
        with closing(sqlite3.connect(self.folder / "hr.db")) as connection, connection:
            connection.execute("DROP TABLE IF EXISTS people")
            connection.execute("CREATE TABLE people (id, email, user_status, at)")
            rows = [
                (one, "a@example.com", cells.get("user_status", "ACTIVE"), cells["at"])
                for one, cells in self.rows.items()
            ]
            connection.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", rows)


def test_a_database_that_went_back_in_time_gives_nothing_without_a_person():
    with in_memory(Database) as world:
        noon = world.now - HOUR
        world.has(*but(), at=f"{noon - HOUR:%Y-%m-%d %H:%M:%S}")
        world.sync()
        world.add("a", user_status="DEPROVISIONED", at=f"{noon:%Y-%m-%d %H:%M:%S}")
        assert world.sync().run.state == "done"
        world.has(*but(), at=f"{noon - HOUR:%Y-%m-%d %H:%M:%S}")
        run = world.sync().run
        assert run.state == "held"
        [breach] = run.breaches
        assert (breach.guard, breach.count) == ("max_activated_accounts", 1)
        assert breach.limit == "none from a database whose newest change is older than it was"
        world.add("k", at=f"{noon:%Y-%m-%d %H:%M:%S}")
        assert world.sync().run.state == "done"


def test_a_database_whose_newest_row_is_deleted_is_judged_as_on_any_night():
    with in_memory(Database) as world:
        noon = world.now - HOUR
        world.has(*but(), at=f"{noon - HOUR:%Y-%m-%d %H:%M:%S}")
        world.add("a", at=f"{noon:%Y-%m-%d %H:%M:%S}")
        world.sync()
        del world.rows["a"]
        assert world.sync().run.state == "done"


def test_a_status_column_that_is_renamed_opens_nothing(world: World):
    world.add("a", user_status="SUSPENDED")
    world.sync()
    rewrite(world, "user_status", "User_Status")
    assert sync(world).run.state == "done"
    assert world.holds() == world.says()
    rewrite(world, "user_status", "state")
    with pytest.raises(SourceFormatError, match="nothing feeds user_status now"):
        sync(world)
    assert world.holds() == world.says()


def test_a_run_of_a_version_that_kept_nothing_is_known_by_its_snapshot(world: World):
    world.add("a", user_status="SUSPENDED")
    world.sync()
    for parts in list(world.place.frames):
        if parts[-1] in {"fed.parquet", "exports.parquet"}:
            del world.place.frames[parts]
    rewrite(world, "user_status", "state")
    with pytest.raises(SourceFormatError, match="user_status now, and a column did"):
        sync(world)


def test_a_preview_is_judged_as_a_sync_is(world: World):
    world.sync()
    rewrite(world, "user_status", "state")
    with (
        world.context() as context,
        pytest.raises(SourceFormatError, match="nothing feeds user_status now"),
    ):
        preview_source(world.source, context)


def test_a_preview_reads_no_older_export_than_the_accepted_one(world: World):
    world.sync()
    rewrite(world, ",ACTIVE", ",STAGED", -HOUR)
    with world.context() as context, pytest.raises(SourceStaleError):
        preview_source(world.source, context)


def test_the_first_plan_says_that_all_are_taken_for_active(world: World):
    note = "no column says an account's status: all are taken for ACTIVE"
    rewrite(world, "user_status", "state")
    first = sync(world).planned.normalized.warnings
    assert [note in warning for warning in first].count(True) == 1
    rewrite(world, "user_status", "state")
    assert not any(note in warning for warning in sync(world).planned.normalized.warnings)
