"""The watermark: from where activity is read, what was sent before, and that it only moves on."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from extractors.activity import Span
from flows.activity.job import to_job
from flows.activity.order import Sending, run_job, send_activity
from loaders.ledger.activity import saved_watermark
from schemas.batches import Watermark
from schemas.errors import BusyError, LumosRefusedError, SourceUnavailableError
from tests.unit.flows.activity.world import Record, World
from tests.unit.flows.world import in_memory

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def world() -> Iterator[World]:
    with in_memory(World) as world:
        yield world


def run(world: World) -> Sending:
    """A run of the activity of the source `log`."""
    world.write_log()
    with world.context() as context:
        return send_activity(world.source, context)


def mark(world: World) -> Watermark | None:
    """The source's watermark."""
    return saved_watermark(world.ledger, "log", "app-1")


def sent(world: World) -> list[Record]:
    """Every record that was taken, in order."""
    return [record for batch in world.batches for record in batch]


@pytest.mark.parametrize("late", [MINUTE, 30 * MINUTE, HOUR])
def test_a_run_that_finds_only_older_records_leaves_the_watermark_where_it_is(
    world: World, late: timedelta
):
    first = world.log("a", world.now)
    run(world)
    world.lines = []
    second = world.log("b", world.now - late)
    outcome = run(world)
    assert mark(world) == Watermark(world.now, outcome.run.run_id)
    assert sent(world) == [first, second]
    world.lines = [first, second]
    assert run(world).run.state == "unchanged"
    assert sent(world) == [first, second]


@pytest.mark.parametrize("later", [MINUTE, 59 * MINUTE, 5 * HOUR])
def test_a_run_that_finds_newer_records_moves_the_watermark_to_the_newest(
    world: World, later: timedelta
):
    world.log("a", world.now)
    run(world)
    world.now += later
    world.log("b", world.now - MINUTE / 2)
    world.log("c", world.now)
    world.log("d", world.now - MINUTE / 3)
    outcome = run(world)
    assert mark(world) == Watermark(world.now, outcome.run.run_id)


def test_a_run_without_records_moves_no_watermark(world: World):
    assert run(world).run.state == "unchanged"
    assert mark(world) is None
    world.log("a", world.now)
    first = run(world)
    world.lines = []
    run(world)
    assert mark(world) == Watermark(world.now, first.run.run_id)


def test_a_first_run_reads_from_the_moment_that_the_file_names(world: World):
    world.more = ", since: '2020-06-30T12:00Z'"
    world.log("a", world.now - 12 * HOUR - MINUTE)
    on_time = world.log("b", world.now - 12 * HOUR)
    run(world)
    assert sent(world) == [on_time]


def test_a_later_run_reads_from_the_overlap_before_the_watermark(world: World):
    world.log("a", world.now)
    run(world)
    assert world.ledger.runs()[0].since is None
    begin = world.now
    world.now += 3 * HOUR
    world.log("b", world.now)
    run(world)
    assert world.ledger.runs()[0].since == begin - HOUR
    run(world)
    assert world.ledger.runs()[0].since == world.now - HOUR


def test_what_lies_at_the_overlaps_border_is_known_as_sent(world: World):
    for minutes in (60, 30, 0):
        world.log(f"a{minutes}", world.now - minutes * MINUTE)
    run(world)
    assert run(world).run.counts["activity_repeated"] == 3
    world.now += HOUR
    world.log("b", world.now)
    assert run(world).run.counts["activity_repeated"] == 3
    assert run(world).run.counts["activity_repeated"] == 2
    assert sent(world) == world.lines


def test_two_events_of_one_moment_are_two_records(world: World):
    world.log("a", world.now)
    run(world)
    other = [world.log("b", world.now), world.log("a", world.now, "ACTIVITY")]
    run(world)
    assert sorted(sent(world)[1:]) == sorted(other)


def test_what_failed_runs_had_sent_is_not_sent_again(world: World):
    for number in range(7):
        world.log(f"a{number}", world.now)
    for refused_from in (1, 3):
        world.refuses_from = refused_from
        with pytest.raises(LumosRefusedError):
            run(world)
    world.refuses_from = None
    run(world)
    assert sent(world) == world.lines
    assert mark(world) == Watermark(world.now, world.ledger.runs()[0].run_id)
    assert run(world).run.counts["activity_repeated"] == 7


def test_what_a_failed_run_had_sent_is_sent_again_where_the_archive_has_let_go_of_it(
    world: World, caplog: pytest.LogCaptureFixture
):
    for number in range(4):
        world.log(f"a{number}", world.now)
    world.refuses_from = 1
    with pytest.raises(LumosRefusedError):
        run(world)
    [failed] = world.ledger.runs()
    world.place.remove(("log", failed.run_id))
    world.refuses_from, world.may_repeat = None, True
    run(world)
    assert sent(world) == [*world.lines[:2], *world.lines]
    wanted = f"the archive has no log/{failed.run_id}/records.parquet"
    assert set(caplog.messages) == {f"log: what run {failed.run_id} sent is sent again: {wanted}"}


def test_a_source_that_cannot_be_read_moves_no_watermark(world: World):
    world.log("a", world.now)
    first = run(world)
    (world.folder / "log.csv").unlink()
    with pytest.raises(SourceUnavailableError), world.context() as context:
        send_activity(world.source, context)
    assert mark(world) == Watermark(world.now, first.run.run_id)


def backfill(world: World, since: timedelta, until: timedelta) -> Sending:
    """A backfill of a window, told from now."""
    world.write_log()
    with world.context() as context:
        span = Span(world.now + since, world.now + until)
        job = replace(to_job(world.source, context), kind="backfill", span=span)
        return run_job(job, context)


def test_a_backfill_sends_its_window_whatever_was_sent_and_moves_no_watermark(world: World):
    lines = [world.log("a", world.now - hours * HOUR) for hours in (0, 1, 2, 3, 4)]
    nightly = run(world)
    before = mark(world)
    assert before == Watermark(world.now, nightly.run.run_id)
    outcome = backfill(world, -3 * HOUR, -HOUR)
    assert outcome.run.state == "done"
    assert sorted(sent(world)[len(lines) :]) == sorted([lines[2], lines[3]])
    assert (outcome.run.since, outcome.run.until) == (world.now - 3 * HOUR, world.now - HOUR)
    assert mark(world) == before


def test_a_backfill_sends_again_what_the_last_overlap_has_sent(world: World):
    line = world.log("a", world.now - MINUTE)
    run(world)
    world.may_repeat = True
    assert backfill(world, -HOUR, MINUTE).run.state == "done"
    assert sent(world) == [line, line]


def test_a_backfill_before_the_first_run_leaves_no_watermark(world: World):
    line = world.log("a", world.now - 2 * HOUR)
    backfill(world, -3 * HOUR, -HOUR)
    assert mark(world) is None
    assert sent(world) == [line]
    world.may_repeat = True
    run(world)
    assert sent(world) == [line, line]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_whoever_lost_its_lease_sends_no_further_batch(world: World, number: int):
    for one in range(6):
        world.log(f"a{one}", world.now)

    def watch(what: str) -> None:
        runs = world.ledger.runs() if what == "after a transaction" else []
        if runs and runs[0].state == "submitted" and len(world.batches) == number:
            world.watch = lambda _: None
            world.loses_its_lease()

    world.watch = watch
    with pytest.raises(BusyError):
        run(world)
    assert len(world.batches) == number
    world.now += 3 * MINUTE
    run(world)
    assert sent(world) == world.lines
