"""A ledger that an earlier version left is brought up to date, with what its runs were about."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import loaders.ledger.migrations
from flows.report.files import to_html
from flows.report.hashes import Names
from flows.report.run_page import to_run_page
from flows.run.context import RunContext
from flows.run.settings import read_settings
from flows.sync.verdict import decide
from loaders.archive.archive import open_archive
from loaders.ledger.activity import save_watermark
from loaders.ledger.decisions import DecidedRun
from loaders.ledger.engine import to_engine
from loaders.ledger.ledger import Ledger, open_ledger
from schemas.batches import Watermark
from schemas.plan import Breach
from schemas.run import OPEN_STATES, Decision, Run, RunScope, SeenBreach

pytest_plugins = ["tests.postgresql_server"]

NOW = datetime(2026, 7, 1, 2, tzinfo=UTC)
RECORDED = Path(__file__).parents[1] / "recorded" / "ledger_0002.sql"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'old.db'}"
    new_database: Callable[[], str] = request.getfixturevalue("new_database")
    return new_database()


def written_by(version: str, url: str, *statements: str) -> None:
    """Makes a ledger as `version` had it, and writes into it."""
    engine, config = to_engine(url), Config()
    [folder] = loaders.ledger.migrations.__path__
    config.set_main_option("script_location", folder)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET TIME ZONE 'UTC'")
        for statement in statements:
            connection.execute(sa.text(statement.replace(":", r"\:")))
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(
                "SELECT setval('ledger_runs_number_seq', max(number)) FROM ledger_runs"
            )
    engine.dispose()


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    """The ledger that version 0002 left, opened by this one."""
    lines = RECORDED.read_text("utf-8").splitlines()
    recorded = [line.removesuffix(";") for line in lines if line.startswith("INSERT")]
    approved = (
        "UPDATE ledger_runs SET allowed_by = 'you@host', allowed_at = '2026-07-01 02:00:00'"
        " WHERE number = 1"
    )
    written_by("0002", url, *recorded, approved)
    with open_ledger(url) as ledger:
        yield ledger


def run_of(ledger: Ledger, source: str) -> Run:
    return ledger.runs(source, limit=1)[0]


def test_a_ledger_of_the_first_version_keeps_its_runs(url: str) -> None:
    run = (
        "INSERT INTO ledger_runs (run_id, source, state, actor, started_at, counts, plan, job_ids)"
        " VALUES ('r', 'hr', 'done', 'me', '2026-07-01 02:00:00', '{}', '{}', '[]')"
    )
    written_by("0001", url, run)
    with open_ledger(url) as ledger:
        run = ledger.accepted_run("hr")
        assert run is not None
        assert (run.run_id, run.kind, run.since, run.started_at) == ("r", "sync", None, NOW)
        save_watermark(ledger, "hr", "app-1", Watermark(NOW, "r"))


def test_every_run_is_still_there_and_is_what_it_was(ledger: Ledger) -> None:
    states = [(run.source, run.kind, run.state) for run in reversed(ledger.runs())]
    assert states == [
        ("crm", "sync", "done"),
        ("log", "sync", "done"),
        ("crm", "sync", "held"),
        ("hr", "sync", "submitted"),
        ("log", "activity", "submitted"),
    ]
    first = ledger.runs()[-1]
    assert (first.approved_by, first.approved_at) == ("you@host", NOW)
    assert first.counts["accounts_read"] == 20
    assert [run.approved_by for run in ledger.runs()[:-1]] == [None] * 4


def test_an_upload_that_was_cut_off_goes_on_split_as_it_began(ledger: Ledger) -> None:
    run = run_of(ledger, "hr")
    assert ledger.open_runs(run.app_id or "") == [run]
    assert (run.request_count, run.accounts_per_request, len(run.job_ids)) == (3, 4, 1)


def test_activity_that_was_cut_off_moves_the_watermark_to_where_it_meant_to(
    ledger: Ledger,
) -> None:
    run = run_of(ledger, "log")
    assert ledger.runs_of(RunScope("log", run.app_id, "activity"), OPEN_STATES) == [run]
    assert run.next_watermark_at == datetime(2026, 7, 5, 10, tzinfo=UTC)


def test_a_plan_that_was_held_can_still_be_let_through_and_no_other_in_its_place(
    ledger: Ledger,
) -> None:
    held = ledger.held_run("crm")
    assert held is not None
    assert held.breaches == (
        SeenBreach("max_removed_accounts", 17, 20, "10%"),
        SeenBreach("max_removed_associations", 17, 20, "20%"),
    )
    accounts = Breach("max_removed_accounts", "10%", 2, 17, 20)
    associations = Breach("max_removed_associations", "20%", 4, 17, 20)

    def approved(*breaches: Breach) -> str | None:
        approval = Decision(held.run_id, "approve", "me@host", NOW, "seen")
        waiting = DecidedRun(held, approval)
        return decide(breaches, waiting, None, lambda _: True, NOW).approves_run

    assert approved(accounts, associations) == held.run_id
    another = Breach("max_removed_accounts", "10%", 2, 18, 20)
    assert approved(another, associations) is None


def test_runs_that_had_ended_are_in_the_order_in_which_they_did(url: str) -> None:
    written_by(
        "0003",
        url,
        *(
            "INSERT INTO ledger_runs (number, run_id, source, state, actor, started_at, ended_at,"
            f" counts, plan, job_ids, app_id) VALUES ({number}, 'r{number}', 'hr', '{state}', 'me',"
            f" '2026-07-01 02:0{number}:00', {ended}, '{{}}', '{{}}', '[]', 'a')"
            for number, state, ended in [
                (1, "done", "'2026-07-01 05:00:00'"),
                (2, "failed", "NULL"),
                (3, "done", "'2026-07-01 03:00:00'"),
                (4, "submitted", "NULL"),
            ]
        ),
    )
    with open_ledger(url) as ledger:
        numbers = {run.run_id: run.end_number for run in ledger.runs()}
        assert numbers == {"r1": 3, "r2": 1, "r3": 2, "r4": None}
        accepted = ledger.accepted_into("a")
        assert accepted is not None
        assert accepted.run_id == "r1"
        assert ledger.update_run("r4", state="done").end_number == 4
        assert not ledger.is_repaired("a")


def test_a_run_of_this_version_says_what_steers_it_as_the_migrated_ones_do(
    ledger: Ledger,
) -> None:
    new = ledger.start_run("hr", "me@host", NOW)
    assert (new.breaches, new.request_count, new.next_watermark_at) == ((), None, None)
    moved = ledger.update_run(new.run_id, next_watermark_at=NOW + timedelta(hours=1))
    assert ledger.run(new.run_id) == moved


def test_every_run_of_an_earlier_version_has_a_page_that_says_what_it_lacks(
    ledger: Ledger, tmp_path: Path
) -> None:
    context = RunContext(read_settings(tmp_path, {}), ledger, open_archive(str(tmp_path / "none")))
    runs = ledger.runs()
    assert {run.state for run in runs} == {"done", "held", "submitted"}
    for run in runs:
        page = to_run_page(run, context, Names(b"k", has_ids=False))
        text = to_html(page)
        assert run.run_id in text
        assert page.stages is None
        assert "or is of an earlier version" in text
