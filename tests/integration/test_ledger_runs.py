from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from loaders.ledger.ledger import Ledger, open_ledger
from loaders.ledger.repairs import repair, unknown_runs
from loaders.ledger.tables import VERSION, VERSION_TABLE, metadata
from schemas.errors import BusyError, StateError
from schemas.run import Run, RunScope, RunState, SeenBreach

pytest_plugins = ["tests.ledgers"]

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def ended(
    ledger: Ledger, state: RunState, source: str = "hr", *, minute: int = 0, app: str = "app"
) -> Run:
    """A run of the source, begun and ended so."""
    now = NOW + timedelta(minutes=minute)
    run = ledger.start_run(source, "me@host", now)
    return ledger.update_run(run.run_id, state=state, ended_at=now, app_id=app)


def test_the_migrations_make_the_tables_that_the_code_knows(ledger: Ledger) -> None:
    def differences(connection: sa.Connection) -> list[object]:
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSION_TABLE, "compare_type": True}
        )
        return list(compare_metadata(context, metadata))

    assert ledger.in_transaction(differences) == []


def test_a_new_ledger_is_of_this_version(ledger: Ledger) -> None:
    query = sa.text(f"SELECT version_num FROM {VERSION_TABLE}")
    assert ledger.in_transaction(lambda c: c.execute(query).scalars().all()) == [VERSION]


def test_many_that_open_a_new_ledger_at_once_make_it_once(url: str) -> None:
    def run_of(number: int) -> str:
        with open_ledger(url) as ledger:
            return ledger.start_run(f"s{number}", "me@host", NOW).run_id

    with ThreadPoolExecutor(6) as threads:
        made = set(threads.map(run_of, range(6)))
    with open_ledger(url) as ledger:
        assert {run.run_id for run in ledger.runs()} == made


def test_a_run_is_read_as_it_was_written(ledger: Ledger) -> None:
    run = ledger.start_run("hr", "me@host", NOW)
    changes = {
        "state": "done",
        "ended_at": NOW + timedelta(microseconds=1),
        "counts": {"read": 10**12},
        "plan": {"é": [1, None, {"a": "b"}]},
        "job_ids": ("j1", "j2"),
        "approved_at": NOW,
        "breaches": (SeenBreach("max_removed_accounts", 3, 9, "10%"),),
    }
    changed = ledger.update_run(run.run_id, **changes)
    assert ledger.run(run.run_id) == changed
    assert {name: getattr(changed, name) for name in changes} == changes


def test_runs_are_told_newest_first_even_where_a_clock_stepped_back(ledger: Ledger) -> None:
    made = [ended(ledger, "failed", minute=-number).run_id for number in range(4)]
    other = ended(ledger, "done", "crm").run_id
    assert [run.run_id for run in ledger.runs()] == [other, *reversed(made)]
    assert [run.run_id for run in ledger.runs("hr", limit=2)] == [made[3], made[2]]
    assert ledger.runs("none") == []


def test_work_left_behind_in_an_app_is_told_oldest_first(ledger: Ledger) -> None:
    states: list[RunState] = ["planned", "done", "submitted", "reading", "held", "failed"]
    made = [ledger.update_run(ended(ledger, state).run_id, app_id="a1") for state in states]
    ledger.update_run(ended(ledger, "planned").run_id, app_id="a2")
    assert ledger.open_runs("a1") == [made[0], made[2]]


def test_a_run_that_died_while_reading_is_ended(ledger: Ledger) -> None:
    died = ledger.start_run("hr", "me@host", NOW, "a1")
    others = [
        ledger.start_run("hr", "me@host", NOW, "a2"),
        ledger.start_run("hr", "me@host", NOW),
        ledger.start_run("crm", "me@host", NOW, "a1"),
    ]
    ledger.abandon_reading(RunScope("hr", "a1"), NOW + timedelta(hours=1))
    found = ledger.run(died.run_id)
    assert found is not None
    expected = ("failed", "interrupted", NOW + timedelta(hours=1))
    assert (found.state, found.error, found.ended_at) == expected
    assert [ledger.run(run.run_id) for run in others] == others


def test_the_runs_of_a_scope_are_told_by_state_and_oldest_first(ledger: Ledger) -> None:
    states: list[RunState] = ["done", "failed", "planned", "failed", "unchanged"]
    made = [ended(ledger, state) for state in states]
    ended(ledger, "failed", "crm")
    ended(ledger, "failed", app="another")
    scope = RunScope("hr", "app")
    assert ledger.runs_of(scope, ("failed",)) == [made[1], made[3]]
    assert ledger.runs_of(scope, ("done", "unchanged")) == [made[0], made[4]]
    assert ledger.runs_of(scope, ("failed",), after=made[1].run_id) == [made[3]]
    assert ledger.runs_of(scope, ("failed",), after=made[3].run_id) == []
    assert ledger.runs_of(RunScope("hr", "app", "activity"), ("failed",)) == []


def test_a_run_whose_app_is_not_there_yet_is_of_a_scope_of_its_own(ledger: Ledger) -> None:
    first = ledger.start_run("hr", "me@host", NOW)
    ledger.start_run("hr", "me@host", NOW, "app")
    assert ledger.runs_of(RunScope("hr", None), ("reading",)) == [first]
    ledger.abandon_reading(RunScope("hr", None), NOW)
    assert [run.state for run in ledger.runs()] == ["reading", "failed"]


def test_a_run_that_another_has_ended_is_not_written_over(ledger: Ledger) -> None:
    run = ledger.start_run("hr", "me@host", NOW)
    ledger.update_run(run.run_id, state="failed")
    with pytest.raises(BusyError, match="ended by another process"):
        ledger.update_run(run.run_id, expect=("reading",), state="planned")
    found = ledger.run(run.run_id)
    assert found is not None
    assert found.state == "failed"
    assert ledger.update_run(run.run_id, expect=("failed",), state="done").state == "done"


def test_an_upload_that_failed_since_the_last_accepted_one_leaves_a_doubt(ledger: Ledger) -> None:
    def sent(state: RunState, minute: int, content_hash: str | None = "x") -> str:
        run = ended(ledger, state, minute=minute)
        ledger.update_run(run.run_id, app_id="a1", content_hash=content_hash)
        return run.run_id

    sent("failed", 1)
    sent("done", 2)
    assert ledger.doubtful_runs("a1") == []
    sent("failed", 3, None)
    sent("held", 4)
    doubtful = sent("failed", 5)
    assert [run.run_id for run in ledger.doubtful_runs("a1")] == [doubtful]
    assert ledger.doubtful_runs("a2") == []


def test_each_apps_last_accepted_run_and_what_is_open_or_held_is_needed(ledger: Ledger) -> None:
    def into(app_id: str, state: RunState, minute: int) -> str:
        run = ended(ledger, state, minute=minute)
        ledger.update_run(run.run_id, app_id=app_id)
        return run.run_id

    into("a1", "done", 1)
    needed = {into("a1", "done", 2), into("a2", "done", 1), into("a1", "planned", 3)}
    needed |= {into("a1", "held", 4)}
    into("a1", "failed", 5)
    ended(ledger, "done", "crm")
    assert ledger.needed_runs("hr") == needed


def test_what_was_accepted_since_a_moment_and_last_before_is_needed(ledger: Ledger) -> None:
    def into(app: str, minute: int) -> str:
        return ledger.update_run(ended(ledger, "done", minute=minute).run_id, app_id=app).run_id

    into("a1", 0)
    old, newer, newest = into("a1", 1), into("a1", 3), into("a1", 4)
    only = into("a2", 0)
    since = NOW + timedelta(minutes=2)
    assert ledger.needed_runs("hr", since) == {old, newer, newest, only}
    assert ledger.needed_runs("hr", NOW + timedelta(minutes=3)) == {newer, newest, only}
    assert ledger.needed_runs("hr") == {newest, only}
    accepted = [run.run_id for run in ledger.accepted_since("a1", since)]
    assert accepted == [old, newer, newest]
    assert [run.run_id for run in ledger.accepted_since("a2", NOW - timedelta(minutes=1))] == [only]
    assert ledger.accepted_since("a3", since) == []


def test_the_accepted_run_is_the_one_that_was_accepted_last(ledger: Ledger) -> None:
    assert ledger.accepted_run("hr") is None
    held = ended(ledger, "held")
    second = ended(ledger, "done", minute=1)
    ended(ledger, "failed", minute=2)
    ended(ledger, "done", "crm", minute=3)
    assert ledger.accepted_run("hr") == second
    let_through = ledger.update_run(held.run_id, state="done", ended_at=NOW + timedelta(minutes=4))
    assert ledger.accepted_run("hr") == let_through


def test_what_was_accepted_last_is_told_by_the_order_of_ends_and_by_no_clock(
    ledger: Ledger,
) -> None:
    """A clock two days ahead is nothing that later runs have to catch up with."""
    ahead = ended(ledger, "done", minute=2 * 24 * 60)
    assert ahead.end_number is not None
    for minute in (1, 0):
        later = ended(ledger, "done", minute=minute)
        assert ledger.accepted_run("hr") == ledger.accepted_into("app") == later
        assert ledger.needed_runs("hr") == {later.run_id}
    assert later.end_number == ahead.end_number + 2


def test_an_upload_that_failed_under_a_clock_that_is_behind_leaves_a_doubt_too(
    ledger: Ledger,
) -> None:
    def failed(minute: int) -> str:
        run = ledger.start_run("hr", "me@host", NOW)
        now = NOW + timedelta(minutes=minute)
        changes = {"ended_at": now, "app_id": "app", "content_hash": "x"}
        return ledger.update_run(run.run_id, state="failed", **changes).run_id

    failed(9)
    ended(ledger, "done", minute=5)
    assert ledger.doubtful_runs("app") == []
    later = [failed(minute) for minute in (4, 3)]
    assert [run.run_id for run in ledger.doubtful_runs("app")] == later[::-1]
    assert set(later) < ledger.needed_runs("hr")
    ended(ledger, "done", minute=1)
    assert ledger.doubtful_runs("app") == []
    assert not set(later) & ledger.needed_runs("hr")


def test_each_end_has_a_number_of_its_own_whoever_asks_at_once(url: str) -> None:
    open_ledger(url).close()

    def end(_number: int) -> int | None:
        with open_ledger(url) as ledger:
            return ended(ledger, "done").end_number

    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(end, range(12)))
    assert sorted(number or 0 for number in numbers) == list(range(1, 13))


@pytest.mark.parametrize("state", ["reading", "planned", "submitted"])
def test_a_run_that_goes_on_has_no_place_among_the_ends(ledger: Ledger, state: RunState) -> None:
    assert ended(ledger, state).end_number is None


def test_a_repair_knows_the_archives_runs_from_then_on_and_ends_what_was_under_way(
    ledger: Ledger,
) -> None:
    accepted = ended(ledger, "done")
    planned = ended(ledger, "planned")
    assert not ledger.is_repaired("app")
    archived = [accepted.run_id, "z", "y"]
    assert unknown_runs(ledger, "hr", archived) == ["y", "z"]
    assert unknown_runs(ledger, "crm", [accepted.run_id]) == [accepted.run_id]
    assert repair(ledger, [("hr", "y"), ("hr", "z")], "me@host", "a backup", NOW) == 1
    assert unknown_runs(ledger, "hr", archived) == []
    assert unknown_runs(ledger, "crm", ["z"]) == ["z"]
    assert ledger.is_repaired("app")
    assert ledger.is_repaired("another")
    run = ledger.run(planned.run_id)
    assert run is not None
    assert (run.state, run.error, run.ended_at) == ("failed", "ended by a repair", NOW)
    assert (run.end_number or 0) > (accepted.end_number or 0)
    ended(ledger, "done")
    assert not ledger.is_repaired("app")
    assert ledger.is_repaired("another")
    assert repair(ledger, [], "me@host", "again", NOW) == 0
    assert ledger.is_repaired("app")


def test_the_app_that_a_source_feeds_is_the_one_it_sent_something_to(ledger: Ledger) -> None:
    here = "https://lumos.example"

    def run_into(app: str, state: RunState, content_hash: str | None, url: str | None) -> None:
        run = ledger.start_run("hr", "me@host", NOW, app, api_url=url)
        ledger.update_run(run.run_id, state=state, content_hash=content_hash)

    assert ledger.fed_app("hr", here) is None
    run_into("old", "done", "x", None)
    assert ledger.fed_app("hr", here) == "old"
    run_into("elsewhere", "done", "x", "https://other.example")
    run_into("held", "held", "x", here)
    run_into("unsent", "failed", None, here)
    assert ledger.fed_app("hr", here) == "old"
    assert ledger.fed_app("hr", "https://other.example") == "elsewhere"
    assert ledger.fed_app("crm", here) is None
    assert ledger.fed_app("hr", here, "activity") is None
    for state in ("failed", "planned", "submitted", "done"):
        run_into(state, state, "x", here)
        assert ledger.fed_app("hr", here) == state


def test_a_held_run_waits_until_a_later_one_comes_further(ledger: Ledger) -> None:
    assert ledger.held_run("hr") is None
    held = ended(ledger, "held")
    ended(ledger, "failed", minute=1)
    ended(ledger, "done", "crm", minute=1)
    assert ledger.held_run("hr") == held
    ended(ledger, "done", minute=2)
    assert ledger.held_run("hr") is None


def test_what_an_app_holds_is_from_the_run_that_was_accepted_last(ledger: Ledger) -> None:
    assert ledger.accepted_into("app") is None
    ended(ledger, "done", "crm", minute=1)
    last = ended(ledger, "done", "hr", minute=2)
    ended(ledger, "failed", "third", minute=3)
    ended(ledger, "done", "fourth", minute=4, app="another")
    assert ledger.accepted_into("app") == last


def test_many_runs_at_once_are_all_kept(url: str) -> None:
    open_ledger(url).close()

    def worked(number: int) -> None:
        with open_ledger(url) as ledger:
            for _ in range(10):
                ended(ledger, "done", f"s{number}")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(worked, range(4)))
    with open_ledger(url) as ledger:
        assert [len(ledger.runs(f"s{n}")) for n in range(4)] == [10] * 4


def test_another_programs_tables_beside_the_ledger_are_left_alone(
    new_database: Callable[[], str],
) -> None:
    url = new_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num text)")
        connection.execute("INSERT INTO alembic_version VALUES ('of-another-program')")
    with open_ledger(url) as ledger:
        assert ledger.runs() == []
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    assert found == [("of-another-program",)]


def test_a_database_that_is_not_there_is_one_line(new_database: Callable[[], str]) -> None:
    url = new_database().replace("postgres@", "postgres:secretword@")
    with pytest.raises(StateError, match="does not exist") as caught:
        open_ledger(f"{url}_gone")
    assert "secretword" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_read_only_ledger_is_one_line(new_database: Callable[[], str]) -> None:
    url = new_database()
    open_ledger(url).close()
    with (
        open_ledger(f"{url}?options=-cdefault_transaction_read_only%3Don") as ledger,
        pytest.raises(StateError, match="read-only transaction") as caught,
    ):
        ledger.start_run("hr", "jane.canary@host", NOW)
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_lost_connection_is_made_again(new_database: Callable[[], str]) -> None:
    url = new_database()
    with open_ledger(url) as ledger:
        run = ledger.start_run("hr", "me@host", NOW)
        with psycopg.connect(url, autocommit=True) as connection:
            others = "datname = current_database() AND pid <> pg_backend_pid()"
            connection.execute(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"
            )
        assert ledger.runs() == [run]
