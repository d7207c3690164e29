"""Who looks after a source is told how its runs end: once, without a row, and whatever comes."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from flows.notices.notify import QUIET_FOR, tell_stale
from flows.run.context import RunContext
from flows.run.locks import app_locks
from flows.sync.order import sync_source
from schemas.errors import BusyError, IngestError
from schemas.notices import Message
from schemas.source_file.file import Source
from schemas.source_file.secrets import Secret
from tests.unit.flows.sync.world import APP, World, but
from tests.unit.flows.world import in_memory

ADDRESS = "json://hook.example/canary-4711"


@dataclass
class Channels:
    """Channels in memory: what was delivered, and over which address."""

    delivered: list[tuple[str, Message]] = field(default_factory=list)
    are_down: bool = False

    def deliver(self, addresses: SecretStr, message: Message) -> str | None:
        if self.are_down:
            return "a channel did not take the message"
        self.delivered.append((addresses.get_secret_value(), message))
        return None

    @property
    def titles(self) -> list[str]:
        return [message.title.removeprefix("lumos-ingest: ") for _, message in self.delivered]


@pytest.fixture
def world() -> Iterator[World]:
    with in_memory(World) as world:
        world.has(*but())
        yield world


@pytest.fixture
def channels() -> Channels:
    return Channels()


def told(world: World, channels: Channels, work: Callable[[Source, RunContext], object]) -> None:
    """Does `work` in a workspace that names an address."""
    world.write_source()
    with world.context() as context:
        settings = replace(context.settings, notify=SecretStr(ADDRESS))
        work(world.source, replace(context, settings=settings, deliver=channels.deliver))


def sync(world: World, channels: Channels) -> None:
    """A run, and a failure of it is the ledger's."""
    try:
        told(world, channels, sync_source)
    except IngestError:
        return


def fail(world: World, channels: Channels) -> None:
    world.lumos.is_down = True
    sync(world, channels)
    world.lumos.is_down = False


def test_a_run_that_ends_well_is_told_to_nobody(world: World, channels: Channels) -> None:
    sync(world, channels)
    assert [run.state for run in world.runs()] == ["done"]
    assert channels.delivered == []


def test_a_failure_is_told_and_so_is_the_recovery_from_it_once(
    world: World, channels: Channels
) -> None:
    fail(world, channels)
    sync(world, channels)
    sync(world, channels)
    assert channels.titles == ["hr: failed", "hr: accepted again"]
    [failure, recovery] = [message for _, message in channels.delivered]
    assert (failure.is_good, recovery.is_good) == (False, True)
    assert "503 Service Unavailable" in failure.body


def test_a_failure_that_lasts_is_told_each_night_and_not_each_time(
    world: World, channels: Channels
) -> None:
    for _ in range(3):
        fail(world, channels)
    assert channels.titles == ["hr: failed"]
    world.now += QUIET_FOR
    fail(world, channels)
    assert channels.titles == ["hr: failed", "hr: failed"]


def test_a_held_plan_is_told_with_what_may_be_typed_and_no_row(
    world: World, channels: Channels
) -> None:
    sync(world, channels)
    world.has("a", email="canary-4711@example.com")
    sync(world, channels)
    [(address, message)] = channels.delivered
    [held, _] = world.runs()
    assert (address, message.title) == (ADDRESS, "lumos-ingest: hr: held for a person")
    assert "max_removed_accounts: 9 of 10" in message.body
    assert f"lumos-ingest approve {held.run_id} --reason" in message.body
    assert "canary-4711" not in message.body


def test_the_address_of_the_runs_page_ends_the_message(world: World, channels: Channels) -> None:
    page = "http://prefect.example/flow-runs/flow-run/1"

    def sync_with_page(source: Source, context: RunContext) -> None:
        world.lumos.is_down = True
        with pytest.raises(IngestError):
            sync_source(source, replace(context, link=page))

    told(world, channels, sync_with_page)
    assert channels.delivered[0][1].body.splitlines()[-1] == page


def test_a_message_that_was_not_taken_is_a_warning_and_comes_with_the_next_failure(
    world: World, channels: Channels, caplog: pytest.LogCaptureFixture
) -> None:
    channels.are_down = True
    with caplog.at_level(logging.WARNING):
        fail(world, channels)
    assert "hr: not everyone was told: a channel did not take the message" in caplog.text
    assert "canary-4711" not in caplog.text
    channels.are_down = False
    fail(world, channels)
    assert channels.titles == ["hr: failed"]


def test_a_source_file_names_who_is_told_of_it(
    world: World, channels: Channels, caplog: pytest.LogCaptureFixture
) -> None:
    def resolve(secret: Secret) -> SecretStr:
        return SecretStr(f"json://{secret.env}")

    def sync_to(source: Source, context: RunContext) -> None:
        world.lumos.is_down = True
        with pytest.raises(IngestError):
            sync_source(source, replace(context, resolve=resolve))

    world.more = "notify: [{env: ONE}, {env: TWO}]\n"
    told(world, channels, sync_to)
    assert [address for address, _ in channels.delivered] == ["json://ONE", "json://TWO"]
    world.now += timedelta(days=1)
    world.more = "notify: []\n"
    told(world, channels, sync_to)
    assert len(channels.delivered) == 2
    world.more = "notify: {env: NOT_SET}\n"
    fail(world, channels)
    assert "hr: nobody was told that it failed: a secret is needed here" in caplog.text


def test_that_another_run_is_at_work_is_told_to_nobody(world: World, channels: Channels) -> None:
    sync(world, channels)

    def busy(source: Source, context: RunContext) -> None:
        with app_locks(context) as locks:
            locks.take(APP)
            with pytest.raises(BusyError):
                sync_source(source, context)

    told(world, channels, busy)
    assert channels.delivered == []


def test_a_source_that_is_late_is_told_until_it_is_accepted_again(
    world: World, channels: Channels
) -> None:
    def late(source: Source, context: RunContext) -> None:
        tell_stale(source, "sync", context, "hr: accepted 30h ago, not within 26h")

    told(world, channels, late)
    told(world, channels, late)
    sync(world, channels)
    assert channels.titles == ["hr: not accepted for too long", "hr: accepted again"]
    assert channels.delivered[0][1].body == "hr: accepted 30h ago, not within 26h"
