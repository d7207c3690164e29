"""An approval is for the very plan that a person saw, whichever version of this program held it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from flows.sync.verdict import decide, seen_breaches
from schemas.plan import Breach
from schemas.run import Run, SeenBreach

NOW = datetime(2026, 7, 1, tzinfo=UTC)
ACCOUNTS = Breach("max_removed_accounts", "10%", 2, 17, 20, is_removal=True)
ASSOCIATIONS = Breach("max_removed_associations", "20%", 4, 17, 20, is_removal=True)
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


def approved(*breaches: Breach, held: Run = HELD) -> bool:
    return decide(breaches, held, "app-1", BASE, lambda: "hash-1").approves_run == "held-1"


def test_the_very_plan_that_was_held_is_let_through() -> None:
    assert approved(ACCOUNTS, ASSOCIATIONS)


def test_neither_the_order_of_guards_nor_what_else_a_report_says_makes_it_another_plan() -> None:
    @dataclass(frozen=True, slots=True)
    class ToldAtLength(Breach):
        advice: str = "look at the export"

    longer = ToldAtLength("max_removed_accounts", "10%", 2, 17, 20, is_removal=True)
    assert approved(ASSOCIATIONS, longer)
    assert approved(ACCOUNTS, ASSOCIATIONS, held=replace(HELD, plan={"verdict": "of old"}))


@pytest.mark.parametrize(
    "change", [{"guard": "another"}, {"found": 18}, {"base": 21}, {"limit": "11%"}]
)
def test_a_plan_of_which_anything_that_was_seen_differs_is_another(
    change: dict[str, object],
) -> None:
    assert not approved(replace(ACCOUNTS, **change), ASSOCIATIONS)  # type: ignore[arg-type]
    assert not approved(ACCOUNTS)
    assert not approved(ACCOUNTS, ASSOCIATIONS, replace(ACCOUNTS, **change))  # type: ignore[arg-type]


def test_what_was_seen_is_kept_in_an_order_of_its_own() -> None:
    assert seen_breaches((ASSOCIATIONS, ACCOUNTS)) == HELD.breaches
