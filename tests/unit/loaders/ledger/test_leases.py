"""Leases: one holder at a time, for as long as it says so in time."""

import logging
import os
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from loaders.ledger.engine import to_engine
from loaders.ledger.leases import Holding, app_lease, forget, holdings
from loaders.ledger.ledger import Ledger
from loaders.ledger.processes import this_process
from loaders.ledger.tables import leases, metadata
from schemas.errors import BusyError, StateError

BEGIN = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
TTL = timedelta(minutes=2)
INSTANT = timedelta(microseconds=1)
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


class Clock:
    """A clock that is set by hand; the thread that renews a lease never reads it."""

    def __init__(self) -> None:
        self.time = BEGIN

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine() -> Iterator[sa.Engine]:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        engine = to_engine(f"sqlite:///{folder}/ledger.db")
        metadata.create_all(engine)
        yield engine
        engine.dispose()


@pytest.fixture
def ledger(engine: sa.Engine) -> Ledger:
    return Ledger(engine)


def kept(ledger: Ledger) -> list[Any]:
    """The leases there are."""
    return list(ledger.in_transaction(lambda c: c.execute(leases.select()).all()))


def seems_of(ledger: Ledger, **holder: str) -> None:
    """Makes every lease look like one of another process."""
    change = leases.update().values(**holder)
    ledger.in_transaction(lambda connection: connection.execute(change))


def take(ledger: Ledger, clock: Clock, key: str = "app") -> str:
    """The token of a lease that is taken and given back."""
    with app_lease(ledger, key, now=clock) as lease:
        lease.check()
        return next(row.token for row in kept(ledger) if row.key == key)


ELSEWHERE = {"holder": "elsewhere:7:1", "place": "another"}


def test_a_lease_is_written_down_with_its_holder_and_its_end(ledger: Ledger, clock: Clock):
    with app_lease(ledger, "app", now=clock) as lease:
        [row] = kept(ledger)
        us = this_process()
        assert row.key == lease.key == "app"
        assert (row.holder, row.place) == (str(us), us.place)
        assert (row.taken_at, row.expires_at) == (BEGIN, BEGIN + TTL)
    assert kept(ledger) == []


def test_no_two_leases_have_one_token(ledger: Ledger, clock: Clock):
    tokens = {take(ledger, clock) for _ in range(20)}
    assert len(tokens) == 20
    assert {len(token) for token in tokens} == {32}


def test_a_lease_that_is_held_is_refused_with_its_holder_and_its_end(ledger: Ledger, clock: Clock):
    with app_lease(ledger, "app", now=clock):
        clock.time += timedelta(seconds=90)
        with pytest.raises(BusyError) as caught:
            take(ledger, clock)
        assert str(caught.value) == (
            f"another run is at work on app: process {os.getpid()} on {this_process().host}, since"
            " 2026-11-23 02:00:00 UTC: wait for it to end; if it was lost with its"
            " machine, its lease ends at 02:02:00 UTC"
        )
        take(ledger, clock, "another app")
        [row] = kept(ledger)
        assert row.expires_at == BEGIN + TTL


@pytest.mark.parametrize("after", [timedelta(0), TTL / 2, TTL - INSTANT])
def test_a_lease_of_another_machine_is_not_free_until_it_has_run_out(
    ledger: Ledger, clock: Clock, after: timedelta
):
    with app_lease(ledger, "app", now=clock) as lease:
        seems_of(ledger, **ELSEWHERE)
        clock.time += after
        with pytest.raises(BusyError, match="process 7 on elsewhere"):
            take(ledger, clock)
        lease.check()


@pytest.mark.parametrize("after", [TTL, TTL + INSTANT, 10 * TTL])
def test_a_lease_that_has_run_out_is_taken_over(ledger: Ledger, clock: Clock, after: timedelta):
    with app_lease(ledger, "app", now=clock) as lost:
        seems_of(ledger, **ELSEWHERE)
        [before] = kept(ledger)
        clock.time += after
        with app_lease(ledger, "app", now=clock) as lease:
            [row] = kept(ledger)
            assert row.token != before.token
            assert (row.holder, row.place) == (str(this_process()), this_process().place)
            assert (row.taken_at, row.expires_at) == (clock.time, clock.time + TTL)
            with pytest.raises(BusyError) as caught:
                lost.check()
            lease.check()
        assert str(caught.value) == (
            "the lease on app ran out and another run took it: nothing more is sent; run"
            " again when that one has ended"
        )
        with pytest.raises(BusyError):
            lost.check()


def test_a_check_makes_a_lease_last_from_then_on(ledger: Ledger, clock: Clock):
    with app_lease(ledger, "app", now=clock) as lease:
        for _ in range(5):
            clock.time += TTL - INSTANT
            lease.check()
            [row] = kept(ledger)
            assert row.expires_at == clock.time + TTL
            assert row.taken_at == BEGIN


def test_a_lease_that_nobody_took_outlives_its_end(ledger: Ledger, clock: Clock):
    with app_lease(ledger, "app", now=clock) as lease:
        clock.time += 10 * TTL
        lease.check()
        with pytest.raises(BusyError):
            take(ledger, clock)


def test_checking_one_lease_leaves_the_others_as_they_are(ledger: Ledger, clock: Clock):
    with app_lease(ledger, "a", now=clock) as lease, app_lease(ledger, "b", now=clock):
        clock.time += TTL / 2
        lease.check()
        assert {row.key: row.expires_at for row in kept(ledger)} == {
            "a": clock.time + TTL,
            "b": BEGIN + TTL,
        }


def test_the_lease_of_a_dead_process_is_free_at_once(ledger: Ledger, clock: Clock):
    us = this_process()
    with app_lease(ledger, "app", now=clock) as lost:
        seems_of(ledger, holder=f"{us.host}:{us.pid}:1")
        take(ledger, clock)
        with pytest.raises(BusyError):
            lost.check()


def test_a_lost_lease_is_not_given_back_for_its_new_holder(ledger: Ledger, clock: Clock):
    lost = app_lease(ledger, "app", now=clock)
    lost.__enter__()
    clock.time += TTL
    with app_lease(ledger, "app", now=clock) as lease, app_lease(ledger, "b", now=clock):
        lost.__exit__(None, None, None)
        assert {row.key for row in kept(ledger)} == {"app", "b"}
        lease.check()


def test_a_lease_is_given_back_by_a_run_that_fails(ledger: Ledger, clock: Clock):
    with pytest.raises(KeyError), app_lease(ledger, "app", now=clock):
        raise KeyError
    assert kept(ledger) == []


def test_a_lease_that_another_takes_over_first_is_refused(
    engine: sa.Engine, ledger: Ledger, clock: Clock
):
    steals: list[str] = []

    def another_comes_first(
        connection: sa.Connection, _cursor: Any, statement: str, *_: Any
    ) -> None:
        if statement.startswith("UPDATE") and not steals:
            steals.append(statement)
            connection.execute(leases.update().values(token="another's"))

    with app_lease(ledger, "app", now=clock):
        clock.time += TTL
        sa.event.listen(engine, "before_cursor_execute", another_comes_first)
        with pytest.raises(BusyError) as caught:
            take(ledger, clock)
    wanted = "another run came in between on app: run again when it has ended"
    assert str(caught.value) == wanted


def test_taking_a_lease_over_is_noted(
    ledger: Ledger, clock: Clock, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    with app_lease(ledger, "app", now=clock):
        assert caplog.messages == []
        clock.time += TTL
        take(ledger, clock)
    assert caplog.messages == ["took over the lease on app: its holder is gone"]


SHORT = timedelta(seconds=0.2)


class Renewals:
    """A clock that knows how often the thread that renews a lease has read it."""

    def __init__(self) -> None:
        self.time = BEGIN
        self.count = 0
        self._renewed = threading.Condition()

    def __call__(self) -> datetime:
        if threading.current_thread().name == "lease app":
            with self._renewed:
                self.count += 1
                self._renewed.notify_all()
        return self.time

    def wait_for(self, count: int) -> bool:
        """Waits for so many renewals; whether they came."""
        with self._renewed:
            return self._renewed.wait_for(lambda: self.count >= count, timeout=20)


def test_a_lease_is_renewed_several_times_a_lifetime_for_as_long_as_it_is_held(ledger: Ledger):
    renewals = Renewals()
    with app_lease(ledger, "app", now=renewals, ttl=SHORT):
        renewals.time += timedelta(hours=1)
        assert renewals.wait_for(3)
        [row] = kept(ledger)
        assert row.expires_at == renewals.time + SHORT
    count = renewals.count
    assert not [thread for thread in threading.enumerate() if thread.name == "lease app"]
    assert renewals.count == count


def test_a_lease_that_was_lost_is_not_renewed_again(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
):
    renewals = Renewals()
    with app_lease(ledger, "app", now=renewals, ttl=SHORT):
        [thread] = [one for one in threading.enumerate() if one.name == "lease app"]
        seems_of(ledger, token="another's")
        thread.join(20)
        assert not thread.is_alive()
    [warning] = caplog.messages
    assert warning.startswith("the lease on app ran out and another run took it")
    assert len(kept(ledger)) == 1


def test_a_ledger_that_is_out_of_reach_for_a_while_does_not_end_the_renewals(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
):
    renewals, rename = Renewals(), "ALTER TABLE {} RENAME TO {}"
    with app_lease(ledger, "app", now=renewals, ttl=SHORT) as lease:
        ledger.in_transaction(lambda c: c.exec_driver_sql(rename.format("ledger_leases", "gone")))
        with pytest.raises(StateError):
            lease.check()
        seen = renewals.count
        assert renewals.wait_for(seen + 2)
        ledger.in_transaction(lambda c: c.exec_driver_sql(rename.format("gone", "ledger_leases")))
        renewals.time += timedelta(hours=1)
        seen = renewals.count
        assert renewals.wait_for(seen + 2)
        [row] = kept(ledger)
        assert row.expires_at == renewals.time + SHORT
    assert caplog.messages
    for message in caplog.messages:
        assert message.startswith("the lease on app could not be renewed: the ledger ")


def test_a_ledger_that_is_gone_at_the_end_leaves_the_lease_to_run_out(
    ledger: Ledger, clock: Clock, caplog: pytest.LogCaptureFixture
):
    with app_lease(ledger, "app", now=clock):
        ledger.in_transaction(lambda c: c.exec_driver_sql("DROP TABLE ledger_leases"))
    [message] = caplog.messages
    assert message.startswith("the lease on app is left to run out: the ledger ")


# Who holds what.


def test_the_leases_under_a_prefix_are_told_by_key_with_their_holders(ledger: Ledger, clock: Clock):
    with (
        app_lease(ledger, "run_2", now=clock) as second,
        app_lease(ledger, "run_1", now=clock) as first,
        app_lease(ledger, "runs", now=clock),
    ):
        us = this_process()
        wanted = [
            Holding("run_1", first.token, us, is_alive=True),
            Holding("run_2", second.token, us, is_alive=True),
        ]
        assert holdings(ledger, "run_", clock.time) == wanted
        assert holdings(ledger, "other", clock.time) == []
        run_out = [holding.is_alive for holding in holdings(ledger, "run_", BEGIN + TTL)]
        assert run_out == [False, False]
    assert holdings(ledger, "run_", clock.time) == []


def test_the_holder_of_a_lease_elsewhere_is_told_with_its_place(ledger: Ledger, clock: Clock):
    with app_lease(ledger, "app", now=clock):
        seems_of(ledger, **ELSEWHERE)
        [holding] = holdings(ledger, "app", clock.time)
        assert str(holding.holder) == ELSEWHERE["holder"]
        assert holding.holder.place == ELSEWHERE["place"]
        assert holding.is_alive


def test_a_lease_is_forgotten_but_not_one_that_another_has_taken_since(
    ledger: Ledger, clock: Clock
):
    with app_lease(ledger, "app", now=clock), app_lease(ledger, "b", now=clock):
        [holding] = holdings(ledger, "app", clock.time)
        seems_of(ledger, token="another's")
        forget(ledger, holding)
        assert [row.key for row in kept(ledger)] == ["app", "b"]
        [holding] = holdings(ledger, "app", clock.time)
        forget(ledger, holding)
        assert [row.key for row in kept(ledger)] == ["b"]
