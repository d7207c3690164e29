"""The plan: what a snapshot changes against the last accepted one."""

from functools import cache

import polars as pl
from polars.testing import assert_frame_equal

from schemas.plan import ACCOUNT_CHANGES, ASSOCIATION_CHANGES, Changes
from tests.unit.builders import account, association, entitlement, snapshot, source_file
from transforms.plan.plan import to_plan

FILE = source_file("attributes: {Cost: cost}\n")
OTHER = source_file("attributes: {Team: team}\n")
E, F = entitlement("e"), entitlement("f")


def taken(people, links=(), file=FILE, catalogue=(E, F)):
    return snapshot(
        people,
        file,
        entitlements=list(catalogue),
        **({"associations": [association(*one) for one in links]} if links else {}),
    )


@cache
def accepted():
    """The snapshot that was accepted last."""
    people = [("a", "1", "ACTIVE"), ("b", "", "ACTIVE"), ("c", "", "SUSPENDED")]
    return taken(
        [account(one, cost=cost, user_status=status) for one, cost, status in people],
        [("a", "e"), ("b", "e"), ("b", "f")],
    )


def test_a_first_plan_adds_everything_and_removes_nothing() -> None:
    plan = to_plan(accepted(), None)
    assert plan.is_first
    assert not plan.is_empty
    assert plan.accounts == Changes(before=0, after=3, added=3)
    assert plan.associations == Changes(before=0, after=3, added=3)
    assert plan.entitlements == Changes(before=0, after=2, added=2)
    assert plan.deactivated == 0
    assert plan.by_status == {"ACTIVE": 2, "SUSPENDED": 1}
    assert plan.attributes_added == ()


def test_a_plan_names_what_is_new_gone_and_different() -> None:
    now = taken(
        [
            account("a", cost="2", user_status="INACTIVE"),
            account("c", cost="", user_status="ACTIVE"),
            account("d", cost=""),
        ],
        [("a", "f"), ("d", "e")],
    )
    plan = to_plan(now, accepted())

    wanted = pl.DataFrame(
        [
            ("a", "changed", ["user_status", "Cost"], "ACTIVE", "SUSPENDED"),
            ("b", "removed", [], "ACTIVE", None),
            ("c", "changed", ["user_status"], "SUSPENDED", "ACTIVE"),
            ("d", "added", [], None, "ACTIVE"),
        ],
        schema=ACCOUNT_CHANGES,
        orient="row",
    )
    assert_frame_equal(plan.account_changes, wanted)
    assert plan.accounts == Changes(before=3, after=3, added=1, changed=2, removed=1)
    assert plan.deactivated == 1
    assert plan.status_flips == {"ACTIVE → SUSPENDED": 1, "SUSPENDED → ACTIVE": 1}
    assert plan.changed_fields == {"user_status": 2, "Cost": 1}
    pairs = pl.DataFrame(
        [
            ("a", "f", "", "added"),
            ("d", "e", "", "added"),
            ("a", "e", "", "removed"),
            ("b", "e", "", "removed"),
            ("b", "f", "", "removed"),
        ],
        schema=ASSOCIATION_CHANGES,
        orient="row",
    )
    assert_frame_equal(plan.association_changes, pairs)
    assert plan.associations == Changes(before=3, after=2, added=2, removed=3)
    assert plan.removed_of_removed_accounts == 2
    assert not plan.is_empty


def test_a_removed_account_is_not_deactivated_as_well() -> None:
    plan = to_plan(taken([account("a", cost="1")]), accepted())
    assert plan.accounts.removed == 2
    assert plan.deactivated == 0


def test_an_absent_value_differs_from_a_present_one() -> None:
    before = taken([account("a", cost="", given_name="Ann"), account("b", cost="1", given_name="")])
    now = taken([account("a", cost="", given_name=""), account("b", cost="1", given_name="Bo")])
    assert to_plan(now, before).changed_fields == {"given_name": 2}
    assert to_plan(before, now).changed_fields == {"given_name": 2}


def test_labels_that_come_and_go_are_named() -> None:
    plan = to_plan(
        taken([account("a", team="")], file=OTHER), taken([account("a", cost="")], file=FILE)
    )
    assert plan.accounts.is_empty
    assert (plan.attributes_added, plan.attributes_removed) == (("Team",), ("Cost",))
    assert not plan.is_empty


def test_a_label_that_goes_changes_the_accounts_that_had_it() -> None:
    plan = to_plan(taken([account("a")], file=None), taken([account("a", cost="1")]))
    assert plan.changed_fields == {"Cost": 1}


def test_an_entitlement_changes_with_its_label_and_its_resources() -> None:
    site = {"resource_type": "Site", "integration_specific_id": "r", "label": "R"}
    people, scoped = [account("a")], [E, entitlement("f", "r")]
    before = snapshot(people, entitlements=scoped, resources=[site])
    now = snapshot(
        people,
        entitlements=[entitlement("e", label="New"), entitlement("f", "r"), entitlement("g")],
        resources=[site | {"label": "S"}],
    )
    plan = to_plan(now, before)
    assert plan.entitlements == Changes(before=2, after=3, added=1, changed=2)
    assert plan.entitlement_changes.select(
        "integration_specific_id", "change", "fields"
    ).rows() == [
        ("e", "changed", ["label"]),
        ("g", "added", []),
        ("f", "changed", ["resource_label"]),
    ]


def test_an_entitlement_that_goes_takes_its_associations_with_it() -> None:
    now = taken(
        [
            account("a", cost="1"),
            account("b", cost=""),
            account("c", cost="", user_status="SUSPENDED"),
        ],
        [("b", "f")],
        catalogue=[F],
    )
    plan = to_plan(now, accepted())
    assert plan.associations == Changes(before=3, after=1, removed=2)
    assert plan.removed_of_removed_accounts == 0
    assert plan.accounts.is_empty
