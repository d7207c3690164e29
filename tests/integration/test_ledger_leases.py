import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from loaders.ledger.leases import app_lease
from loaders.ledger.ledger import Ledger, open_ledger
from loaders.ledger.tables import leases
from schemas.errors import BusyError, StateError

pytest_plugins = ["tests.ledgers"]

HOLDER = Path(__file__).with_name("lease_holder.py")


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


class Holder:
    """Another process that is about to take the lease."""

    def __init__(self, url: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, HOLDER, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.says() == "ready"

    def says(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def go_on(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def holders(ledger: Ledger, url: str) -> Iterator[list[Holder]]:
    started = [Holder(url), Holder(url)]
    yield started
    for holder in started:
        holder.close()


def kept(ledger: Ledger) -> list[str]:
    """The keys of the leases there are."""
    found = ledger.in_transaction(lambda c: c.execute(sa.select(leases.c.key)).scalars().all())
    return list(found)


def seem_elsewhere(ledger: Ledger) -> None:
    """Make the lease look like one of another machine."""
    change = leases.update().values(holder="elsewhere:7:1", place="another")
    ledger.in_transaction(lambda connection: connection.execute(change))


def test_a_lease_is_held_by_one_and_given_back(ledger: Ledger, url: str) -> None:
    clock = Clock()
    with open_ledger(url) as other:
        with app_lease(ledger, "app", now=clock) as lease:
            lease.check()
            with pytest.raises(BusyError) as caught, app_lease(other, "app", now=clock):
                pass
            with app_lease(other, "another app", now=clock):
                assert sorted(kept(ledger)) == ["another app", "app"]
        with app_lease(other, "app", now=clock):
            pass
    text = str(caught.value)
    assert f"at work on app: process {os.getpid()} on " in text
    assert "since 2026-11-23 02:00:00 UTC" in text
    assert "ends at 02:02:00 UTC" in text
    assert kept(ledger) == []


def test_a_lease_is_given_back_by_a_run_that_fails(ledger: Ledger) -> None:
    def fail() -> None:
        with app_lease(ledger, "app", now=Clock()):
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert kept(ledger) == []


def test_two_processes_never_hold_one_lease(holders: list[Holder]) -> None:
    for holder in holders:
        holder.go_on()
    said = [holder.says() for holder in holders]
    assert sorted(said) == ["busy", "held"]


def test_the_lease_of_a_killed_process_is_free_at_once(
    ledger: Ledger, holders: list[Holder]
) -> None:
    holders[0].go_on()
    assert holders[0].says() == "held"
    holders[0].process.send_signal(signal.SIGKILL)
    holders[0].process.wait()
    holders[1].go_on()
    assert holders[1].says() == "held"


def test_the_lease_of_a_stopped_process_is_not_free(ledger: Ledger, holders: list[Holder]) -> None:
    holders[0].go_on()
    assert holders[0].says() == "held"
    holders[0].process.send_signal(signal.SIGSTOP)
    holders[1].go_on()
    assert holders[1].says() == "busy"


def test_a_lease_of_another_machine_is_free_only_when_it_has_run_out(
    ledger: Ledger, url: str
) -> None:
    clock = Clock()
    with open_ledger(url) as other, app_lease(ledger, "app", now=clock) as lost:
        seem_elsewhere(ledger)
        clock.time += timedelta(minutes=2, microseconds=-1)
        with (
            pytest.raises(BusyError, match="process 7 on elsewhere"),
            app_lease(other, "app", now=clock),
        ):
            pass
        clock.time += timedelta(microseconds=1)
        with app_lease(other, "app", now=clock) as lease:
            with pytest.raises(BusyError, match="ran out and another run took it"):
                lost.check()
            lease.check()
    assert kept(ledger) == []


def test_a_lost_lease_is_not_given_back_for_its_new_holder(ledger: Ledger, url: str) -> None:
    clock = Clock()
    with open_ledger(url) as other:
        first = app_lease(ledger, "app", now=clock)
        first.__enter__()
        clock.time += timedelta(minutes=3)
        with app_lease(other, "app", now=clock) as lease:
            first.__exit__(None, None, None)
            assert kept(ledger) == ["app"]
            lease.check()


def test_a_lease_is_renewed_for_as_long_as_it_is_held(ledger: Ledger, url: str) -> None:
    clock = Clock()
    renewed = threading.Event()

    def now() -> datetime:
        if threading.current_thread().name == "lease app":
            renewed.set()
        return clock.time

    ttl = timedelta(seconds=0.2)
    with open_ledger(url) as other, app_lease(ledger, "app", now=now, ttl=ttl):
        clock.time += timedelta(minutes=10)
        renewed.clear()
        assert renewed.wait(30)
        renewed.clear()
        # By the second renewal the first one is certainly written.
        assert renewed.wait(30)
        with pytest.raises(BusyError), app_lease(other, "app", now=clock):
            pass


def test_a_ledger_that_is_gone_at_the_end_leaves_the_lease_to_run_out(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    drop = sa.text("ALTER TABLE ledger_leases RENAME TO gone")
    with app_lease(ledger, "app", now=Clock()) as lease:
        ledger.in_transaction(lambda connection: connection.execute(drop))
        with pytest.raises(StateError):
            lease.check()
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    assert "is left to run out" in caplog.text
