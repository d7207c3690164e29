"""Watermarks in the ledger only move on."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from loaders.ledger.activity import save_watermark, saved_watermark
from loaders.ledger.engine import to_engine
from loaders.ledger.ledger import Ledger
from loaders.ledger.tables import metadata
from schemas.batches import Watermark

NOW = datetime(2026, 7, 1, 2, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        engine = to_engine(f"sqlite:///{folder}/ledger.db")
        metadata.create_all(engine)
        with Ledger(engine) as ledger:
            yield ledger


def test_a_source_has_no_watermark_before_its_first_run(ledger: Ledger):
    assert saved_watermark(ledger, "hr", "app-1") is None


@pytest.mark.parametrize("back", [INSTANT, timedelta(hours=1), timedelta(days=400)])
def test_a_watermark_is_never_moved_back(ledger: Ledger, back: timedelta):
    save_watermark(ledger, "hr", "app-1", Watermark(NOW, "later"))
    save_watermark(ledger, "hr", "app-1", Watermark(NOW - back, "earlier"))
    assert saved_watermark(ledger, "hr", "app-1") == Watermark(NOW, "later")


@pytest.mark.parametrize("on", [timedelta(0), INSTANT, timedelta(days=400)])
def test_a_watermark_moves_on_and_names_the_run_that_moved_it(ledger: Ledger, on: timedelta):
    save_watermark(ledger, "hr", "app-1", Watermark(NOW, "first"))
    save_watermark(ledger, "hr", "app-1", Watermark(NOW + on, "second"))
    assert saved_watermark(ledger, "hr", "app-1") == Watermark(NOW + on, "second")


def test_every_source_has_a_watermark_of_its_own_in_every_app(ledger: Ledger):
    marks = {
        (source, app_id): Watermark(NOW + number * INSTANT, f"run-{number}")
        for number, (source, app_id) in enumerate(
            [("hr", "app-1"), ("hr", "app-2"), ("crm", "app-1"), ("crm", "app-2")]
        )
    }
    for (source, app_id), mark in reversed(marks.items()):
        save_watermark(ledger, source, app_id, mark)
    for (source, app_id), mark in marks.items():
        assert saved_watermark(ledger, source, app_id) == mark
