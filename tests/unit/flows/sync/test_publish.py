"""Publishing: what is sent is what was planned, under a lease, part by part, and read back."""

import time
from collections.abc import Iterator
from datetime import timedelta

import httpx
import polars as pl
import pytest
from pydantic import SecretStr

from flows.sync.publish import READ_BACKS, tell_slow
from loaders.lumos.client import LumosApi
from schemas.errors import (
    BusyError,
    IngestError,
    JobFailedError,
    JobTimeoutError,
    LumosRefusedError,
    LumosUnavailableError,
    ReadBackError,
)
from schemas.run import Run
from tests.unit.flows.sync.world import APP, Account, Fault, World, but, states
from tests.unit.flows.world import in_memory


@pytest.fixture
def world() -> Iterator[World]:
    with in_memory(World) as world:
        world.has(*but())
        yield world


def fails(world: World, kind: type[IngestError]) -> Run:
    """The run that ended with an error of that kind, whose line it has; its lease has run out."""
    with pytest.raises(kind) as caught:
        world.sync()
    world.now += timedelta(minutes=3)
    run = world.runs()[0]
    assert run.error == str(caught.value)
    return run


def frames(world: World, run: Run) -> list[str]:
    """What the archive has of a run."""
    return sorted(parts[2] for parts in world.place.frames if parts[1] == run.run_id)


def test_an_accepted_run_says_what_was_sent_and_lies_in_the_archive(world: World):
    run = world.sync().run
    assert (run.state, run.job_ids, run.error, run.app_id) == ("done", ("job-1",), None, APP)
    assert run.ended_at == world.now
    assert run.content_hash is not None
    assert {"accounts.parquet", "held.parquet"} < set(frames(world, run))


def test_the_snapshot_and_its_hash_are_kept_before_the_upload_is_sent(world: World):
    assert world.crashes_at("before POST /accounts/upload")
    [run] = world.runs()
    assert run.state == "planned"
    assert run.content_hash is not None
    assert {"accounts.parquet", "held.parquet"} < set(frames(world, run))
    assert world.uploads() == []


def test_the_job_is_kept_before_it_is_asked_about(world: World):
    assert world.crashes_at("before GET /accounts/upload/job-1")
    [run] = world.runs()
    assert (run.state, run.job_ids) == ("submitted", ("job-1",))


PARTS = "upload: {accounts_per_request: 4}\n"


@pytest.fixture
def parted(world: World) -> World:
    """A world whose source sends four accounts a request, to a Lumos that adds them up."""
    world.more, world.lumos.is_snapshot = PARTS, False
    return world


def test_an_upload_in_parts_sends_every_account_once_in_order(parted: World):
    run = parted.sync().run
    assert parted.uploads() == [list("abcd"), list("efgh"), list("ij")]
    assert run.job_ids == ("job-1", "job-2", "job-3")
    assert parted.holds() == parted.says()


def test_a_part_is_sent_when_the_job_of_the_one_before_has_ended(parted: World):
    under_way: list[int] = []

    def watch(what: str) -> None:
        if what == "before POST /accounts/upload":
            under_way.append(sum(not job.is_over for job in parted.lumos.jobs))

    parted.watch = watch
    parted.sync()
    assert under_way == [0, 0, 0]


def test_an_upload_in_parts_has_the_hash_of_one_in_one(world: World):
    whole = world.sync().run
    world.more, world.lumos.is_snapshot = PARTS, False
    assert world.sync().run.content_hash == whole.content_hash


@pytest.mark.parametrize("sent", [1, 2])
def test_a_run_goes_on_with_the_parts_that_are_left_split_as_it_began(parted: World, sent: int):
    posts: list[str] = []

    def watch(what: str) -> None:
        posts.extend([what] if what == "before POST /accounts/upload" else [])
        if len(posts) == sent + 1:
            parted.crash_at = what

    parted.watch = watch
    assert parted.crashes_at("never")
    parted.watch = lambda _: None
    parted.more = "upload: {accounts_per_request: 3, unchanged: skip}\n"
    outcome = parted.sync()
    assert parted.uploads() == [list("abcd"), list("efgh"), list("ij")]
    assert outcome.run.state == "unchanged"
    assert states(parted) == ["done", "unchanged"]


def loses_before(world: World, number: int) -> None:
    """The run's lease is lost once `number` uploads were taken and the next one is about to go."""

    def watch(what: str) -> None:
        run = world.runs()[0] if what == "after a transaction" and world.runs() else None
        if run and run.state in {"planned", "submitted"} and len(run.job_ids) == number:
            world.watch = lambda _: None
            world.loses_its_lease()

    world.watch = watch


@pytest.mark.parametrize("number", [0, 1, 2])
def test_whoever_lost_its_lease_sends_no_further_part(parted: World, number: int):
    loses_before(parted, number)
    run = fails(parted, BusyError)
    assert len(parted.uploads()) == number
    assert len(run.job_ids) == number


@pytest.mark.parametrize("fault", ["unreachable", "unanswered"])
def test_whoever_lost_its_lease_tries_no_request_again(world: World, fault: Fault):
    world.attempts, world.lumos.faults = 3, [fault]
    posts: list[str] = []

    def watch(what: str) -> None:
        if what == "before POST /accounts/upload":
            posts.append(what)
        if what == "after POST /accounts/upload":
            world.loses_its_lease()

    world.watch = watch
    run = fails(world, BusyError)
    assert len(posts) == 1
    assert run.state == "planned"


def test_an_upload_that_lumos_cannot_take_at_once_is_tried_again(world: World):
    world.attempts, world.lumos.faults = 3, ["unreachable", "unanswered"]
    assert world.sync().run.state == "done"
    assert world.uploads() == [but()] * 2


def test_whoever_lost_its_lease_while_it_read_plans_nothing(world: World):
    def watch(what: str) -> None:
        if what == "after a frame was kept":
            world.watch = lambda _: None
            world.loses_its_lease()

    world.watch = watch
    run = fails(world, BusyError)
    assert (run.state, run.content_hash) == ("failed", None)
    assert world.uploads() == []
    assert "accounts.parquet" not in frames(world, run)


def test_whoever_lost_its_lease_while_it_waited_writes_over_nothing(world: World):
    def watch(what: str) -> None:
        if what == "after GET /accounts/upload/job-1":
            [run] = world.runs()
            world.ledger.update_run(run.run_id, state="failed", error="ended by another")

    world.watch = watch
    with pytest.raises(BusyError, match="was ended by another process"):
        world.sync()
    [run] = world.runs()
    assert (run.state, run.error) == ("failed", "ended by another")


@pytest.mark.parametrize("more", ["", "upload: {verify: false}\n"])
def test_whoever_lost_its_lease_while_it_waited_accepts_nothing(world: World, more: str):
    def watch(what: str) -> None:
        if what == "after GET /accounts/upload/job-1":
            world.loses_its_lease()

    world.more, world.watch = more, watch
    with pytest.raises(BusyError, match="the lease on"):
        world.sync()
    assert states(world) == ["submitted"]


def test_a_failure_is_not_written_over_how_another_has_ended_the_run_meanwhile(world: World):
    world.lumos.faults = ["refused"]
    is_refused = False

    def watch(what: str) -> None:
        nonlocal is_refused
        if what == "after a transaction" and is_refused:
            world.watch = lambda _: None
            [run] = world.runs()
            world.ledger.update_run(run.run_id, state="done")
        is_refused = is_refused or what == "after POST /accounts/upload"

    world.watch = watch
    with pytest.raises(LumosRefusedError):
        world.sync()
    assert states(world) == ["done"]


def test_a_stored_snapshot_that_is_not_the_planned_one_is_never_sent(world: World):
    world.sync()
    world.add("k")
    assert world.crashes_at("before POST /accounts/upload")
    left = world.runs()[0]
    key = ("hr", left.run_id, "accounts.parquet")
    is_new = pl.col("integration_specific_id") == "k"
    another = pl.when(is_new).then(pl.lit("SUSPENDED")).otherwise("user_status")
    world.place.frames[key] = world.place.frames[key].with_columns(user_status=another)
    outcome = world.sync()
    assert outcome.recovered == (left.run_id,)
    [failed] = [run for run in world.runs() if run.run_id == left.run_id]
    assert failed.state == "failed"
    said = f"the archived snapshot of run {left.run_id} is not the one that was planned"
    assert failed.error == said
    assert len(world.uploads()) == 2
    assert world.holds() == world.says()


def test_a_run_without_a_token_says_what_to_set(world: World):
    with pytest.raises(IngestError, match="LUMOS_API_TOKEN"):
        world.sync_without_lumos()


@pytest.mark.parametrize(
    ("fault", "kind", "state"),
    [
        ("refused", LumosRefusedError, "failed"),
        ("unreachable", LumosUnavailableError, "planned"),
        ("unanswered", LumosUnavailableError, "planned"),
        ("fails", JobFailedError, "failed"),
        ("forgotten", LumosRefusedError, "failed"),
        ("never ends", JobTimeoutError, "submitted"),
        ("alters", ReadBackError, "failed"),
    ],
)
def test_an_upload_that_ends_badly_is_over_only_where_nothing_is_under_way(
    world: World, fault: Fault, kind: type[IngestError], state: str
):
    world.more = "upload: {poll: {give_up_after: 0s}}\n" if fault == "never ends" else ""
    world.lumos.faults = [fault]
    run = fails(world, kind)
    assert run.state == state
    assert (run.ended_at is not None) == (state == "failed")


def test_what_the_app_holds_otherwise_is_counted_and_kept_in_the_archive(world: World):
    world.lumos.faults = ["alters"]
    run = fails(world, ReadBackError)
    assert run.error == (
        f"app {APP} does not hold what job job-1 was sent: 1 other status; "
        f"the list is in the archive under hr/{run.run_id}"
    )
    kept = world.place.frames[("hr", run.run_id, "differences.parquet")]
    assert kept.rows() == [("a", "ACTIVE", "SUSPENDED", "other status")]


def test_accounts_that_show_a_moment_late_are_read_back_again(world: World):
    held = world.lumos.accounts
    asked: list[str] = []

    def watch(what: str) -> None:
        if what == "before GET /accounts":
            asked.append(what)
            world.lumos.accounts = {APP: {}} if len(asked) in {2, 3} else held

    world.watch = watch
    before = world.now
    assert world.sync().run.state == "done"
    assert len(asked) == 1 + READ_BACKS
    assert world.now - before >= timedelta(seconds=4)


def test_where_what_changed_is_to_be_verified_the_whole_app_is_not_read(world: World):
    world.sync()
    asked: list[str] = []
    world.watch = asked.append
    world.more = "upload: {verify: changed}\n"
    world.add("a", user_status="SUSPENDED")
    assert world.sync().run.state == "done"
    # Accounts of each of two statuses, those listed under the new one, and the sample: the first
    # page, which tells how many there are, and the only one that can be picked.
    assert asked.count("before GET /accounts") == 5


def test_what_is_not_as_it_should_be_is_told_exactly_where_only_changes_are_verified(world: World):
    world.sync()
    world.more = "upload: {verify: changed}\n"
    world.add("b", user_status="SUSPENDED")
    world.lumos.faults = ["alters"]
    run = fails(world, ReadBackError)
    assert "1 other status" in str(run.error)


def test_a_first_run_reads_everything_back_whatever_is_to_be_verified(world: World):
    world.more = "upload: {verify: changed}\n"
    world.lumos.faults = ["alters"]
    fails(world, ReadBackError)


def test_reading_back_that_a_narrow_limit_makes_slow_is_told_of(caplog: pytest.LogCaptureFixture):
    """A hundred requests a minute, of which ten are left: 4,010 pages take 40 windows more."""
    told = httpx.Response(
        200,
        json={},
        headers={
            "x-ratelimit-limit": "100",
            "x-ratelimit-remaining": "10",
            "x-ratelimit-reset": str(time.time() + 60),
        },
    )
    api = LumosApi(
        "https://x.example", SecretStr("t"), transport=httpx.MockTransport(lambda _: told)
    )
    tell_slow("hr", api, 401_000)
    api.get("/info")
    tell_slow("hr", api, 1_000)
    assert caplog.text == ""
    tell_slow("hr", api, 401_000)
    assert "takes at least 40 minutes under Lumos's rate limit" in caplog.text


def test_an_upload_that_is_not_to_be_verified_is_not_read_back(world: World):
    world.sync()
    world.more = "upload: {verify: false}\n"
    world.lumos.faults = ["alters"]
    assert world.sync().run.state == "done"


def test_a_held_run_says_when_why_and_of_what(world: World):
    world.sync()
    world.rows = dict(list(world.rows.items())[:5])
    run = world.sync().run
    assert (run.state, run.ended_at) == ("held", world.now)
    assert "max_removed_accounts" in str(run.error)
    assert run.content_hash is not None


def test_an_accepted_run_counts_its_requests(parted: World):
    counts = parted.sync().run.counts
    assert counts["requests"] == 3
    assert counts["bytes"] > 0


def test_a_run_that_was_accepted_late_keeps_no_error(world: World):
    world.more = "upload: {poll: {give_up_after: 0s}}\n"
    late = fails(world, JobTimeoutError)
    world.more = ""
    world.sync()
    [run] = [one for one in world.runs() if one.run_id == late.run_id]
    assert (run.state, run.error) == ("done", None)


def test_a_job_under_way_is_waited_for_without_the_archive(world: World):
    world.more = "upload: {verify: false}\n"
    assert world.crashes_at("before GET /accounts/upload/job-1")
    [left] = world.runs()
    world.place.remove(("hr", left.run_id))
    with pytest.raises(IngestError):
        world.sync()
    [run] = [one for one in world.runs() if one.run_id == left.run_id]
    assert run.state == "done"


def ended_elsewhere(world: World, point: str) -> None:
    """Another process ends the run as this one comes to the point."""

    def watch(what: str) -> None:
        if what == point:
            world.watch = lambda _: None
            world.ledger.update_run(world.runs()[0].run_id, state="failed", error="elsewhere")

    world.watch = watch
    with pytest.raises(BusyError, match="ended by another process meanwhile"):
        world.sync()
    [run] = world.runs()
    assert (run.state, run.error) == ("failed", "elsewhere")


def test_a_run_that_another_process_ended_is_not_planned(world: World):
    def watch(what: str) -> None:
        if what == "after a frame was kept" and "accounts.parquet" in frames(
            world, world.runs()[0]
        ):
            world.watch = lambda _: None
            world.ledger.update_run(world.runs()[0].run_id, state="failed", error="elsewhere")

    world.watch = watch
    with pytest.raises(BusyError, match="ended by another process meanwhile"):
        world.sync()
    assert world.uploads() == []
    assert world.runs()[0].error == "elsewhere"


def test_a_run_that_another_process_ended_is_not_held(world: World):
    world.sync()
    world.rows = dict(list(world.rows.items())[:5])

    def watch(what: str) -> None:
        newest = world.runs()[0]
        if what == "after a frame was kept" and "accounts.parquet" in frames(world, newest):
            world.watch = lambda _: None
            world.ledger.update_run(newest.run_id, state="failed", error="elsewhere")

    world.watch = watch
    with pytest.raises(BusyError, match="ended by another process meanwhile"):
        world.sync()
    assert world.runs()[0].error == "elsewhere"


def test_a_job_is_not_written_into_a_run_that_another_process_ended(world: World):
    ended_elsewhere(world, "after POST /accounts/upload")


def test_pages_that_make_no_whole_list_are_told_as_such(world: World):
    page = world.lumos._page

    def short(accounts: dict[str, Account], number: int) -> httpx.Response:
        answer = page(accounts, number).json()
        items = answer["items"][:7] if world.lumos.jobs else answer["items"]
        return httpx.Response(200, json={**answer, "items": items})

    world.lumos._page = short  # type: ignore[method-assign]
    assert "page 1 is short" in str(fails(world, ReadBackError).error)


def test_a_list_that_is_whole_the_second_time_is_enough(world: World):
    page, asked = world.lumos._page, list[int]()

    def short_once(accounts: dict[str, Account], number: int) -> httpx.Response:
        answer = page(accounts, number).json()
        asked.extend([number] if world.lumos.jobs else [])
        items = answer["items"][:7] if len(asked) == 1 else answer["items"]
        return httpx.Response(200, json={**answer, "items": items})

    world.lumos._page = short_once  # type: ignore[method-assign]
    assert world.sync().run.state == "done"
    assert asked == [1, 1]


def test_what_the_app_holds_otherwise_is_counted_by_kind_the_most_first(world: World):
    page = world.lumos._page

    def otherwise(accounts: dict[str, Account], number: int) -> httpx.Response:
        answer = page(accounts, number).json()
        if not world.lumos.jobs:
            return httpx.Response(200, json=answer)
        suspended, _, _, *others = answer["items"]
        items = [{**suspended, "status": "SUSPENDED"}, *others]
        return httpx.Response(200, json={"items": items, "total": len(items)})

    world.lumos._page = otherwise  # type: ignore[method-assign]
    said = str(fails(world, ReadBackError).error)
    assert "was sent: 2 missing, 1 " in said
