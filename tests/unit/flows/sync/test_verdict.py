"""The verdict: what holds a plan, what lets a held one through, and what Lumos's accounts say."""

from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest

from flows.sync.verdict import (
    COULD_IN_LUMOS,
    IN_LUMOS,
    Bearing,
    Verdict,
    decide,
    live_breaches,
    seen_breaches,
)
from loaders.ledger.decisions import DecidedRun
from loaders.lumos.accounts import read_accounts
from schemas.plan import Breach
from schemas.run import Decision, Run
from schemas.snapshot import Snapshot
from schemas.source_file.guards import Guards
from schemas.statuses import CAN_LOG_IN, GONE, UPLOAD_STATUSES
from tests.unit.builders import NOW, account, snapshot, source_file
from tests.unit.flows.sync.world import APP, World
from tests.unit.flows.world import in_memory

REMOVED = Breach("max_removed_accounts", "10%", 4, 28, 49)
DROPPED = Breach("max_removed_associations", "20%", 4, 28, 49)
CLOSED = Breach("max_deactivated_accounts", "10%", 4, 28, 49)
EMPTY = Breach("min_accounts", "1", 1, 0, 0)
REJECTED = Breach("max_rejected_rows", "1%", 1, 5, 100, table="accounts")


HELD = Run("held", "hr", "held", "me@host", NOW, content_hash="hash")
APPROVAL = Decision("held", "approve", "you@host", NOW, "closed", NOW + timedelta(days=7))
REJECTION = Decision("held", "reject", "you@host", NOW, "cut off")


def waiting(*breaches: Breach, decision: Decision | None = APPROVAL) -> DecidedRun:
    """A run that those breaches held, and what was decided of it."""
    return DecidedRun(replace(HELD, breaches=seen_breaches(breaches)), decision)


def decided(
    *breaches: Breach,
    held: DecidedRun | None = None,
    rejected: DecidedRun | None = None,
    is_same: bool = True,
) -> Verdict:
    """The verdict on a plan that breaks them, today."""
    return decide(breaches, held, rejected, lambda _: is_same, NOW)


def not_asked(_: Run) -> bool:
    raise AssertionError("the snapshot is compared where that decides nothing")


def test_a_plan_that_breaks_nothing_passes_whatever_was_held():
    for held in (None, waiting(), waiting(REMOVED), waiting(REMOVED, decision=REJECTION)):
        verdict = decide((), held, held, not_asked, NOW)
        assert verdict == Verdict(())
        assert not verdict.is_held
        assert str(verdict) == "the guards let it pass"


@pytest.mark.parametrize("breaches", [(REMOVED,), (EMPTY,), (CLOSED, REJECTED)])
def test_a_breach_holds_the_plan_while_nobody_has_decided(breaches: tuple[Breach, ...]):
    for held in (None, waiting(*breaches, decision=None)):
        verdict = decide(breaches, held, None, not_asked, NOW)
        assert verdict == Verdict(breaches)
        assert verdict.is_held
        assert str(verdict) == f"held: {'; '.join(map(str, breaches))}"


@pytest.mark.parametrize("breaches", [(REMOVED,), (DROPPED,), (CLOSED,), (REMOVED, CLOSED)])
def test_the_very_plan_that_was_approved_is_let_through(breaches: tuple[Breach, ...]):
    verdict = decided(*breaches, held=waiting(*breaches))
    assert verdict == Verdict(breaches, APPROVAL, "approves")
    assert (verdict.approves_run, verdict.stale_approval_of) == ("held", None)
    assert not verdict.is_held
    said = "; ".join(map(str, breaches))
    assert str(verdict) == f"approved by a person, held as run held: {said}"


@pytest.mark.parametrize("other", [EMPTY, REJECTED])
@pytest.mark.parametrize("approvable", [(), (REMOVED,), (REMOVED, DROPPED, CLOSED)])
def test_one_breach_that_nobody_may_lift_keeps_the_plan_held(
    approvable: tuple[Breach, ...], other: Breach
):
    for breaches in ((*approvable, other), (other, *approvable)):
        verdict = decide(breaches, waiting(*breaches), None, not_asked, NOW)
        assert verdict.bearing == "other_plan"
        assert verdict.is_held


def test_an_approval_that_is_of_another_plan_holds_this_one():
    for verdict in (
        decided(REMOVED, held=waiting(REMOVED), is_same=False),
        decided(REMOVED, held=waiting(CLOSED)),
    ):
        assert verdict == Verdict((REMOVED,), APPROVAL, "other_plan")
        assert (verdict.approves_run, verdict.stale_approval_of) == (None, "held")
        assert verdict.is_held
        assert str(verdict) == (
            f"held: {REMOVED}; the source has moved since run held was held: its approval was of "
            "another plan"
        )


def test_an_approval_that_has_lapsed_holds_the_plan():
    verdict = decide((REMOVED,), waiting(REMOVED), None, not_asked, NOW + timedelta(days=7))
    assert verdict == Verdict((REMOVED,), APPROVAL, "lapsed")
    assert verdict.is_held
    assert verdict.approves_run is None
    assert str(verdict) == f"held: {REMOVED}; the approval of run held has lapsed"


def test_a_plan_that_was_rejected_says_so_whenever_it_comes_again():
    rejected = waiting(REMOVED, decision=REJECTION)
    for held in (None, rejected, waiting(REMOVED, decision=None), waiting(CLOSED)):
        verdict = decided(REMOVED, held=held, rejected=rejected)
        assert verdict == Verdict((REMOVED,), REJECTION, "rejects")
        assert verdict.is_held
        assert str(verdict) == f"held: {REMOVED}; the same plan was rejected as run held"
    assert decided(REMOVED, held=rejected, rejected=rejected, is_same=False) == Verdict((REMOVED,))


def test_a_share_of_the_guards_own_table_is_seen_without_its_name():
    of_all = replace(REMOVED, table="accounts", of="accounts")
    of_some = replace(REMOVED, table="accounts", of="accounts that could log in")
    assert [one.table for one in seen_breaches((of_all,))] == [""]
    assert [one.table for one in seen_breaches((replace(of_all, of=""),))] == [""]
    assert [one.table for one in seen_breaches((of_some,))] == ["accounts that could log in"]


def test_a_held_run_that_does_not_say_what_was_seen_lets_nothing_through():
    assert decided(REMOVED, held=waiting()).is_held


def test_neither_who_decided_nor_why_is_in_what_may_be_logged():
    for bearing in get_args(Bearing):
        text = str(Verdict((REMOVED,), APPROVAL, bearing))
        assert "you@host" not in text
        assert "closed" not in text


def lived(holds: dict[str, str], now: Snapshot, guards: str = "{}") -> tuple[Breach, ...]:
    """The breaches of a snapshot in an app that holds these statuses."""
    bounds: Guards = source_file(f"guards: {guards}\n").guards
    with in_memory(World) as world:
        world.lumos.accounts[APP] = {
            one: {"unique_identifier": one, "status": status} for one, status in holds.items()
        }
        with world.context() as context:
            assert context.api is not None
            return live_breaches(read_accounts(context.api, APP), now, bounds)


def people(count: int, start: int = 0, status: str = "ACTIVE") -> Snapshot:
    """A snapshot of as many accounts, numbered from `start`."""
    numbers = range(start, start + count)
    return snapshot([account(f"a{number:03}", user_status=status) for number in numbers])


def active(count: int, status: str = "ACTIVE") -> dict[str, str]:
    """What an app holds with as many accounts, numbered from 0."""
    return {f"a{number:03}": status for number in range(count)}


@pytest.mark.parametrize(("count", "allowed"), [(2, 1), (19, 1), (20, 2), (130, 13)])
def test_up_to_the_share_of_what_lumos_holds_may_be_removed(count: int, allowed: int):
    assert lived(active(count), people(count, start=allowed)) == ()
    [breach] = lived(active(count), people(count, start=allowed + 1))
    assert breach == Breach(
        *("max_removed_accounts", "10%", allowed, allowed + 1, count),
        table="accounts",
        of=IN_LUMOS,
    )


@pytest.mark.parametrize(("count", "allowed"), [(2, 1), (10, 1), (29, 2)])
def test_up_to_the_share_of_what_lumos_holds_may_be_deactivated(count: int, allowed: int):
    def closing(closed: int) -> Snapshot:
        return snapshot(
            [
                account(f"a{n:03}", user_status="SUSPENDED" if n < closed else "ACTIVE")
                for n in range(count)
            ]
        )

    assert lived(active(count), closing(allowed)) == ()
    [breach] = lived(active(count), closing(allowed + 1))
    assert breach == Breach(
        *("max_deactivated_accounts", "10%", allowed, allowed + 1, count),
        table="accounts",
        of=COULD_IN_LUMOS,
    )


@pytest.mark.parametrize("status", UPLOAD_STATUSES)
def test_only_an_account_that_lumos_does_not_show_as_gone_can_be_removed(status: str):
    held = active(3, status)
    found = lived(held, people(3, start=3), "{max_removed_accounts: 0}")
    assert [one.found for one in found] == ([] if status in GONE else [3])


@pytest.mark.parametrize("after", UPLOAD_STATUSES)
def test_an_account_that_could_log_in_and_cannot_or_the_reverse_is_counted(after: str):
    held = {f"a{number:03}": status for number, status in enumerate(UPLOAD_STATUSES)}
    now = people(len(held), status=after)
    found = lived(held, now, "{max_deactivated_accounts: 0, max_activated_accounts: 0}")
    opens = after in CAN_LOG_IN
    guard = "max_activated_accounts" if opens else "max_deactivated_accounts"
    count = len(UPLOAD_STATUSES) - len(CAN_LOG_IN) if opens else len(CAN_LOG_IN)
    assert [(one.guard, one.found, one.base) for one in found] == [(guard, count, len(CAN_LOG_IN))]


def test_an_app_that_holds_nothing_can_lose_nothing():
    assert lived({}, people(3)) == ()


def test_an_account_whose_status_lumos_does_not_tell_can_be_removed():
    held = {"a000": None, "a001": None}
    found = lived(held, people(1, start=5), "{max_removed_accounts: 0}")  # type: ignore[arg-type]
    assert [(one.guard, one.found, one.base) for one in found] == [("max_removed_accounts", 2, 2)]


def test_an_account_whose_status_lumos_does_not_tell_is_not_activated():
    assert lived({"a000": None}, people(1), "{max_activated_accounts: 0}") == ()  # type: ignore[dict-item]


def test_of_those_that_could_log_in_few_may_be_gone_however_many_could_not():
    held = active(60, "SUSPENDED") | active(5)
    assert (
        lived(held, people(59, start=1, status="SUSPENDED"), "{max_deactivated_accounts: 4}") == ()
    )
    [breach] = lived(held, people(58, start=2, status="SUSPENDED"), "{max_deactivated_accounts: 4}")
    assert (breach.guard, breach.found, breach.base) == ("max_removed_accounts", 2, 5)
