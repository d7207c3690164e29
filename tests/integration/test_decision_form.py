"""What a filled-in form decides: just what it shows, of a plan that still waits."""

from collections.abc import Iterator

import pytest

from flows.orchestration.decide_flow import Form, keep_decision, shown_in_form, to_form
from flows.sync.held import reject
from loaders.ledger.decisions import decisions_on
from schemas.errors import ConfigError
from schemas.run import Run
from tests.unit.flows.sync.world import World, but
from tests.unit.flows.world import in_memory


@pytest.fixture
def world() -> Iterator[World]:
    with in_memory(World) as world:
        world.has(*but())
        world.sync()
        world.has("a")
        world.sync()
        yield world


def held(world: World) -> Run:
    return world.runs()[0]


def answered(world: World, **changed: str) -> Form:
    """The form as a person hands it in."""
    written = {"decision": "approve", "reason": "they have left", "decided_by": "Ada"}
    return to_form(held(world))(**{**written, **changed})


def decide(world: World, form: Form) -> None:
    with world.context() as context:
        keep_decision(world.source, held(world), form, context)


def test_the_form_names_the_plans_hash_its_verdict_and_its_counts(world: World) -> None:
    shown = shown_in_form(held(world))
    assert shown["plan_hash"] == held(world).content_hash
    assert "max_removed_accounts: 9 of 10" in shown["verdict"]
    assert "accounts: 0 added, 0 changed, 9 removed" in shown["counts"]


def test_an_approved_plan_is_carried_out_by_the_next_run(world: World) -> None:
    decide(world, answered(world))
    [decision] = decisions_on(world.ledger, held(world).run_id)
    assert (decision.actor, decision.reason) == ("Ada (Prefect's form)", "they have left")
    world.may_take_away = 9
    assert world.sync().run.approved_by == "Ada (Prefect's form)"
    assert list(world.holds()) == ["a"]


def test_a_rejected_plan_is_held_again(world: World) -> None:
    decide(world, answered(world, decision="reject"))
    assert world.sync().run.state == "held"


@pytest.mark.parametrize("changed", ["plan_hash", "verdict", "counts"])
def test_a_form_that_was_changed_decides_nothing(world: World, changed: str) -> None:
    with pytest.raises(ConfigError, match="nothing was decided"):
        decide(world, answered(world, **{changed: "another"}))
    assert decisions_on(world.ledger, held(world).run_id) == []


@pytest.mark.parametrize("blank", ["reason", "decided_by"])
def test_a_form_without_a_reason_or_a_name_decides_nothing(world: World, blank: str) -> None:
    with pytest.raises(ConfigError, match="nothing was decided"):
        decide(world, answered(world, **{blank: " "}))
    assert decisions_on(world.ledger, held(world).run_id) == []


def test_a_form_of_a_plan_that_was_decided_on_elsewhere_changes_nothing_and_names_nobody(
    world: World,
) -> None:
    form = answered(world)
    with world.context() as context:
        reject(held(world), "no", context)
    with pytest.raises(ConfigError, match="waits for no decision any more") as caught:
        decide(world, form)
    assert "@" not in str(caught.value)


def test_a_form_of_a_plan_that_another_has_taken_the_place_of_changes_nothing(
    world: World,
) -> None:
    form, first = answered(world), held(world)
    world.has("a", "b")
    world.sync()
    with world.context() as context, pytest.raises(ConfigError, match="no decision any more"):
        keep_decision(world.source, first, form, context)
