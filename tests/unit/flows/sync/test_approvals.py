"""An approval is for the very plan that a person saw, whichever version of this program held it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from flows.sync.verdict import IN_LUMOS, decide, seen_breaches
from loaders.ledger.decisions import DecidedRun
from schemas.plan import Breach
from schemas.run import Decision, Run, SeenBreach

NOW = datetime(2026, 7, 1, tzinfo=UTC)
ACCOUNTS = Breach("max_removed_accounts", "10%", 2, 17, 20)
ASSOCIATIONS = Breach("max_removed_associations", "20%", 4, 17, 20)
HELD = Run(
    "held-1",
    "hr",
    "held",
    "me@host",
    NOW,
    app_id="app-1",
    base_run_id="base-1",
    content_hash="hash-1",
    breaches=(
        SeenBreach("max_removed_accounts", 17, 20, "10%"),
        SeenBreach("max_removed_associations", 17, 20, "20%"),
    ),
)
BASE = Run("base-1", "hr", "done", "me@host", NOW, app_id="app-1")


APPROVAL = Decision("held-1", "approve", "you@host", NOW, "seen", NOW + timedelta(days=7))


def approved(*breaches: Breach, held: Run = HELD) -> bool:
    """Whether the approval of `held` is good for a plan that is the same but for these breaches."""
    verdict = decide(breaches, DecidedRun(held, APPROVAL), None, lambda _: True, NOW)
    return verdict.approves_run == "held-1"


def test_the_very_plan_that_was_held_is_let_through() -> None:
    assert approved(ACCOUNTS, ASSOCIATIONS)


def test_neither_the_order_of_guards_nor_what_else_a_report_says_makes_it_another_plan() -> None:
    @dataclass(frozen=True, slots=True)
    class ToldAtLength(Breach):
        advice: str = "look at the export"

    longer = ToldAtLength("max_removed_accounts", "10%", 2, 17, 20)
    assert approved(ASSOCIATIONS, longer)
    assert approved(ACCOUNTS, ASSOCIATIONS, held=replace(HELD, plan={"verdict": "of old"}))


@pytest.mark.parametrize(
    "change",
    [{"guard": "another"}, {"found": 18}, {"base": 19}, {"limit": "11%"}, {"table": "roles"}],
)
def test_a_plan_of_which_anything_that_was_seen_is_worse_is_another(
    change: dict[str, object],
) -> None:
    assert not approved(replace(ACCOUNTS, **change), ASSOCIATIONS)  # type: ignore[arg-type]
    assert not approved(ACCOUNTS, ASSOCIATIONS, replace(ACCOUNTS, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize("change", [{"found": 16}, {"base": 21}, {"found": 16, "base": 19}])
def test_a_plan_that_breaks_what_was_seen_less_badly_is_let_through(
    change: dict[str, int],
) -> None:
    assert approved(replace(ACCOUNTS, **change), ASSOCIATIONS)  # type: ignore[arg-type]


def test_a_plan_that_breaks_fewer_guards_than_were_seen_is_let_through() -> None:
    assert approved(ACCOUNTS)
    assert approved(ASSOCIATIONS)


def test_fewer_are_a_larger_share_of_fewer_still() -> None:
    assert not approved(replace(ACCOUNTS, found=16, base=18))


def test_a_guard_that_nobody_may_lift_is_lifted_by_no_approval() -> None:
    empty = Breach("min_accounts", "1", 1, 0, 0)
    assert not approved(empty, held=replace(HELD, breaches=seen_breaches((empty,))))


def test_what_lumos_holds_and_what_was_accepted_last_are_seen_apart() -> None:
    live = replace(ACCOUNTS, table=IN_LUMOS)
    assert not approved(live)
    assert approved(live, ACCOUNTS, held=replace(HELD, breaches=seen_breaches((ACCOUNTS, live))))
    assert not approved(ACCOUNTS, held=replace(HELD, breaches=seen_breaches((live,))))


def test_what_was_seen_is_kept_in_an_order_of_its_own() -> None:
    assert seen_breaches((ASSOCIATIONS, ACCOUNTS)) == HELD.breaches
    live = replace(ACCOUNTS, table=IN_LUMOS)
    assert seen_breaches((live, ACCOUNTS)) == seen_breaches((ACCOUNTS, live))


def test_an_approval_holds_until_it_lapses() -> None:
    def said(after: timedelta) -> str | None:
        waiting = DecidedRun(HELD, APPROVAL)
        return decide((ACCOUNTS,), waiting, None, lambda _: True, NOW + after).bearing

    assert said(timedelta(days=7) - timedelta(seconds=1)) == "approves"
    assert said(timedelta(days=7)) == "lapsed"
