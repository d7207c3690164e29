"""Decisions in the ledger, SQLite and PostgreSQL: whoever decides at the same time, one holds."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from loaders.ledger.decisions import (
    Standing,
    add_decision,
    check_approved,
    decisions_on,
    newest_decisions,
    newest_rejection,
    runs_called,
    save_decision,
    sources_with_held_runs,
    waiting_run,
)
from loaders.ledger.ledger import Ledger, open_ledger
from schemas.errors import BusyError, ConfigError, GuardError, StateError
from schemas.run import Decision, DecisionKind, Run

pytest_plugins = ["tests.ledgers"]

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def held(ledger: Ledger, source: str = "hr", **changes: object) -> Run:
    run = ledger.start_run(source, "me@host", NOW, "app")
    return ledger.update_run(run.run_id, state="held", ended_at=NOW, **changes)


def said(run: Run, kind: DecisionKind, reason: str = "why") -> Decision:
    lapses_at = NOW + timedelta(days=7) if kind == "approve" else None
    return Decision(run.run_id, kind, "you@host", NOW, reason, lapses_at)


def undecided(standing: Standing) -> None:
    if standing.decision is not None:
        raise ConfigError("somebody has decided")


def whatever(_: Standing) -> None:
    """Lets anyone decide."""


def test_a_decision_is_read_as_it_was_written_and_the_newest_holds(ledger: Ledger) -> None:
    run, other = held(ledger), held(ledger, "crm")
    approval, rejection = said(run, "approve", "é; 'x'"), said(run, "reject")
    for decision in (approval, rejection):
        save_decision(ledger, decision, whatever)
    save_decision(ledger, said(other, "approve"), whatever)
    assert decisions_on(ledger, run.run_id) == [rejection, approval]
    assert newest_decisions(ledger)[run.run_id] == rejection
    waiting = waiting_run(ledger, "hr")
    assert waiting is not None
    assert (waiting.run, waiting.decision) == (run, rejection)
    assert waiting_run(ledger, "lms") is None
    assert sources_with_held_runs(ledger) == ["crm", "hr"]


def test_how_a_run_stands_is_known_when_it_is_decided_on(ledger: Ledger) -> None:
    run = held(ledger)
    before = save_decision(ledger, said(run, "approve"), whatever)
    assert before == Standing(run, None, run, None)
    later = ledger.start_run("hr", "me@host", NOW, "app")
    ledger.update_run(later.run_id, approves_run_id=run.run_id)
    standing = save_decision(ledger, said(run, "reject"), whatever)
    assert (standing.furthest, standing.carried_out_by) == (run, None)
    later = ledger.update_run(later.run_id, state="submitted")
    standing = save_decision(ledger, said(run, "reject"), whatever)
    assert (standing.furthest, standing.carried_out_by) == (later, later)
    with pytest.raises(StateError, match="no run"):
        save_decision(ledger, Decision("none", "reject", "you@host", NOW, "why"), whatever)


def test_the_newest_rejection_is_of_that_app_and_against_that_run(ledger: Ledger) -> None:
    first, second = held(ledger, base_run_id="b"), held(ledger)
    for run in (first, second):
        save_decision(ledger, said(run, "reject"), whatever)
    save_decision(ledger, said(held(ledger, base_run_id="b"), "approve"), whatever)
    found = newest_rejection(ledger, "hr", "app", "b")
    assert found is not None
    assert (found.run, found.decision) == (first, said(first, "reject"))
    found = newest_rejection(ledger, "hr", "app", None)
    assert found is not None
    assert found.run == second
    for elsewhere in (("crm", "app", "b"), ("hr", "another", "b"), ("hr", None, "b")):
        assert newest_rejection(ledger, *elsewhere) is None


def test_of_many_that_approve_at_once_one_is_kept(url: str, ledger: Ledger) -> None:
    run = held(ledger)
    together = threading.Barrier(6)

    def decides(number: int) -> bool:
        with open_ledger(url) as own:
            together.wait()
            try:
                save_decision(own, said(run, "approve", str(number)), undecided)
            except ConfigError:
                return False
            return True

    with ThreadPoolExecutor(6) as threads:
        kept = list(threads.map(decides, range(6)))
    assert kept.count(True) == 1
    [decision] = decisions_on(ledger, run.run_id)
    assert decision.reason == str(kept.index(True))


@pytest.mark.parametrize("_again", range(5))
def test_a_plan_is_carried_out_or_rejected_whoever_is_first(
    url: str, ledger: Ledger, _again: int
) -> None:
    """A rejection that came too late is refused; one that did not, ends the run that plans."""
    run = held(ledger)
    save_decision(ledger, said(run, "approve"), whatever)
    carrying = ledger.start_run("hr", "me@host", NOW, "app")
    ledger.update_run(carrying.run_id, approves_run_id=run.run_id)
    together = threading.Barrier(2)

    def in_time(standing: Standing) -> None:
        if standing.carried_out_by is not None:
            raise ConfigError("too late")

    def at_once(work: Callable[[Ledger], object]) -> bool:
        with open_ledger(url) as own:
            together.wait()
            try:
                work(own)
            except (ConfigError, GuardError):
                return False
            return True

    check = partial(check_approved, run_id=run.run_id)
    works: list[Callable[[Ledger], object]] = [
        lambda own: save_decision(own, said(run, "reject"), in_time),
        lambda own: own.update_run(
            carrying.run_id, expect=("reading",), along=check, state="planned"
        ),
    ]
    with ThreadPoolExecutor(2) as threads:
        is_rejected, is_planned = threads.map(at_once, works)
    assert is_rejected != is_planned
    now = ledger.run(carrying.run_id)
    assert now is not None
    assert now.state == ("planned" if is_planned else "reading")
    assert len(decisions_on(ledger, run.run_id)) == 1 + is_rejected


def test_a_decision_goes_along_with_the_end_of_its_run_or_is_not_kept(ledger: Ledger) -> None:
    run = held(ledger)
    abandons = partial(add_decision, decision=said(run, "abandon"))
    with pytest.raises(BusyError):
        ledger.update_run(run.run_id, expect=("submitted",), along=abandons, state="failed")
    assert decisions_on(ledger, run.run_id) == []
    ledger.update_run(run.run_id, expect=("held",), along=abandons, state="failed")
    assert len(decisions_on(ledger, run.run_id)) == 1


def test_runs_are_found_by_how_their_ids_begin(ledger: Ledger) -> None:
    first, second = held(ledger), held(ledger, "crm")
    assert runs_called(ledger, "20261123T02") == [second, first]
    assert runs_called(ledger, first.run_id.partition("-")[2]) == [first]
    for nothing in ("%", "_", "0261123", "x"):
        assert runs_called(ledger, nothing) == []
