"""Batches and watermarks in the ledger, in SQLite and in PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from loaders.ledger.activity import (
    done_since,
    done_windows,
    save_batches,
    save_done,
    save_job,
    save_watermark,
    saved_batches,
    saved_watermark,
)
from loaders.ledger.ledger import Ledger, open_ledger
from schemas.batches import Batch, Watermark
from schemas.run import RunScope

pytest_plugins = ["tests.postgresql_server"]

NOW = datetime(2026, 7, 1, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
NIGHTLY = RunScope("hr", "app-1", "activity")


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'ledger.db'}"
    else:
        url = request.getfixturevalue("new_database")()
    with open_ledger(url) as ledger:
        yield ledger


def started(ledger: Ledger, **more) -> str:
    kind = more.pop("kind", "activity")
    return ledger.start_run("hr", "me@host", NOW, "app-1", kind=kind, **more).run_id


def test_batches_are_kept_in_order_with_their_jobs_and_ends(ledger: Ledger):
    run_id = started(ledger)
    made = [Batch(n, n * 2, 2, f"hash-{n}") for n in range(2500)]
    save_batches(ledger, run_id, made)
    assert saved_batches(ledger, run_id) == made
    save_job(ledger, run_id, 7, "job-7")
    save_done(ledger, run_id, 7, NOW)
    assert saved_batches(ledger, run_id)[7] == Batch(7, 14, 2, "hash-7", "job-7", NOW)
    assert saved_batches(ledger, started(ledger)) == []


def test_a_watermark_only_moves_on(ledger: Ledger):
    assert saved_watermark(ledger, "hr", "app-1") is None
    for hours, run_id in ((1, "a"), (3, "b"), (2, "c")):
        save_watermark(ledger, "hr", "app-1", Watermark(NOW + hours * HOUR, run_id))
    assert saved_watermark(ledger, "hr", "app-1") == Watermark(NOW + 3 * HOUR, "b")
    assert saved_watermark(ledger, "hr", "app-2") is None
    assert saved_watermark(ledger, "crm", "app-1") is None


def test_a_watermark_keeps_its_run_in_the_archive(ledger: Ledger):
    run_id = started(ledger)
    ledger.update_run(run_id, state="done", ended_at=NOW)
    assert run_id not in ledger.needed_runs("hr")
    save_watermark(ledger, "hr", "app-1", Watermark(NOW, run_id))
    assert run_id in ledger.needed_runs("hr")


def test_runs_of_activity_are_no_accepted_snapshots_and_no_open_syncs(ledger: Ledger):
    run_id = started(ledger)
    ledger.update_run(run_id, state="submitted", content_hash="x")
    assert ledger.open_runs("app-1") == []
    ledger.update_run(run_id, state="done", ended_at=NOW)
    assert ledger.accepted_run("hr") is None
    assert ledger.accepted_into("app-1") is None
    ledger.update_run(run_id, state="failed")
    assert ledger.doubtful_runs("app-1") == []
    assert ledger.held_run("hr") is None


def test_a_window_is_told_from_another_and_done_ones_are_known(ledger: Ledger):
    first, second = (NOW, NOW + HOUR), (NOW + HOUR, NOW + 2 * HOUR)
    for since, until in (first, second):
        started(ledger, kind="backfill", since=since, until=until)
    [run] = ledger.runs_of(RunScope("hr", "app-1", "backfill", *first), ("reading",))
    assert (run.since, run.until) == first
    assert done_windows(ledger, "hr", "app-1") == set()
    ledger.update_run(run.run_id, state="unchanged", ended_at=NOW)
    assert done_windows(ledger, "hr", "app-1") == {first}


def test_only_runs_of_the_same_scope_that_were_reading_are_abandoned(ledger: Ledger):
    reading, sync = started(ledger), started(ledger, kind="sync")
    other = started(ledger, kind="backfill", since=NOW, until=NOW + HOUR)
    ledger.abandon_reading(NIGHTLY, NOW)
    states = {run.run_id: run.state for run in ledger.runs()}
    assert states == {reading: "failed", sync: "reading", other: "reading"}


def test_what_failed_runs_had_done_since_the_watermark_is_known(ledger: Ledger):
    before, marked, failed = started(ledger), started(ledger), started(ledger)
    for run_id in (before, marked, failed):
        save_batches(ledger, run_id, [Batch(0, 0, 1, "h"), Batch(1, 1, 1, "i")])
        save_done(ledger, run_id, 0, NOW)
    for run_id in (before, failed):
        ledger.update_run(run_id, state="failed", ended_at=NOW)
    found = done_since(ledger, NIGHTLY, Watermark(NOW, marked))
    assert [(run_id, batch.position) for run_id, batch in found] == [(failed, 0)]
    assert len(done_since(ledger, NIGHTLY, None)) == 2
