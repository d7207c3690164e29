"""The plan: what a snapshot changes against the last accepted one."""

from functools import cache

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from schemas.plan import ACCOUNT_CHANGES, ASSOCIATION_CHANGES, ENTITLEMENT_CHANGES, Changes
from schemas.statuses import UPLOAD_STATUSES
from schemas.tables import ACCOUNTS
from tests.unit.builders import account, association, entitlement, snapshot, source_file
from transforms.plan.plan import snapshot_of_nothing, to_plan

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


def held(count, other=None):
    """A snapshot in which as many accounts hold `e` each, but `other` holds `f` instead."""
    people = [account(f"a{number}", cost="") for number in range(count)]
    return taken(people, [(f"a{n}", "f" if n == other else "e") for n in range(count)])


@pytest.mark.parametrize(
    ("count", "other"), [(count, other) for count in (1, 2, 3, 5) for other in range(count)]
)
def test_as_many_associations_as_before_are_not_the_same_ones(count, other) -> None:
    plan = to_plan(held(count, other), held(count))
    assert plan.associations == Changes(before=count, after=count, added=1, removed=1)
    assert not plan.is_empty
    assert plan.association_changes.rows() == [
        (f"a{other}", "f", "", "added"),
        (f"a{other}", "e", "", "removed"),
    ]


def test_the_same_associations_are_no_change() -> None:
    plan = to_plan(held(3), held(3))
    assert plan.associations == Changes(before=3, after=3)
    assert plan.is_empty
    for frame, schema in (
        (plan.account_changes, ACCOUNT_CHANGES),
        (plan.entitlement_changes, ENTITLEMENT_CHANGES),
        (plan.association_changes, ASSOCIATION_CHANGES),
    ):
        assert_frame_equal(frame, pl.DataFrame(schema=schema))


CLOSED = ["SUSPENDED", "DEPROVISIONED", "ARCHIVED", "MANUALLY_REMOVED", "ACCESS_REMOVED"]
CLOSED += ["NON_CORPORATE_ACCOUNT", "WAITING_MANUAL_REMOVAL"]


@pytest.mark.parametrize("after", UPLOAD_STATUSES)
def test_an_account_that_could_log_in_and_cannot_is_deactivated_whatever_it_is_called(after):
    before = taken([account(one, cost="", user_status=one) for one in UPLOAD_STATUSES])
    plan = to_plan(
        taken([account(one, cost="", user_status=after) for one in UPLOAD_STATUSES]), before
    )
    could = [one for one in UPLOAD_STATUSES if one not in CLOSED]
    assert sorted(could) == ["ACCESS_CREATED", "ACTIVE", "DISCOVERED", "STAGED"]
    assert plan.deactivated == (len(could) if after in CLOSED else 0)
    assert plan.status_flips == {
        f"{one} → {after}": 1 for one in sorted(UPLOAD_STATUSES) if one != after
    }
    assert plan.by_status == {after: len(UPLOAD_STATUSES)}


def test_a_field_that_fills_or_empties_as_a_whole_is_named() -> None:
    def people(**cells):
        return taken(
            [account("a", cost="", given_name="", username="") | cells, account("b", cost="")]
        )

    bare, named = people(), people(given_name="Ann")
    assert to_plan(named, bare).fields_filled == ("given_name",)
    assert to_plan(named, bare).fields_emptied == ()
    assert to_plan(bare, named).fields_filled == ()
    assert to_plan(bare, named).fields_emptied == ("given_name",)
    assert to_plan(named, named).fields_filled == to_plan(named, named).fields_emptied == ()


def test_nothing_fills_on_a_first_plan_and_nothing_empties_with_the_last_account() -> None:
    assert to_plan(accepted(), None).fields_filled == ()
    assert to_plan(accepted(), None).fields_emptied == ()
    gone = to_plan(snapshot_of_nothing(accepted()), accepted())
    assert gone.fields_emptied == ()
    assert gone.accounts == Changes(before=3, after=0, removed=3)
    assert gone.associations == Changes(before=3, after=0, removed=3)


def test_every_field_of_an_account_is_compared() -> None:
    one = {"given_name": "A", "family_name": "B", "username": "u", "account_type": "user"}
    one |= {"last_login": "2026-01-01T00:00:00Z", "last_activity": "2026-01-01T00:00:00Z"}
    other = {"email": "b@example.com", "given_name": "C", "family_name": "D", "username": "v"}
    other |= {"account_type": "service", "user_status": "STAGED", "cost": "2"}
    other |= {"last_login": "2026-01-02T00:00:00Z", "last_activity": "2026-01-02T00:00:00Z"}
    before = taken([account("a", cost="1", **one)])
    for field, value in other.items():
        name = "Cost" if field == "cost" else field
        plan = to_plan(taken([account("a", cost="1") | one | {field: value}]), before)
        assert plan.changed_fields == {name: 1}
        assert plan.account_changes["fields"].to_list() == [[name]]
    everything = to_plan(taken([account("a") | one | other]), before)
    assert list(everything.changed_fields) == [*ACCOUNTS, "Cost"][1:]


def test_a_label_that_stays_is_neither_new_nor_gone() -> None:
    more = source_file("attributes: {Cost: cost, Team: team}\n")
    both = taken([account("a", cost="", team="")], file=more)
    one = taken([account("a", cost="")])
    assert to_plan(both, one).attributes_added == ("Team",)
    assert to_plan(both, one).attributes_removed == ()
    assert to_plan(one, both).attributes_added == ()
    assert to_plan(one, both).attributes_removed == ("Team",)


def test_an_entitlement_that_is_gone_is_named_with_its_resource() -> None:
    site = {"resource_type": "Site", "integration_specific_id": "r", "label": "R"}
    before = snapshot([account("a")], entitlements=[E, F, entitlement("e", "r")], resources=[site])
    plan = to_plan(snapshot([account("a")], entitlements=[E], resources=[site]), before)
    assert plan.entitlements == Changes(before=3, after=1, removed=2)
    assert plan.entitlement_changes.rows() == [("f", "", "removed", []), ("e", "r", "removed", [])]


def test_the_most_frequent_comes_first_then_the_alphabet() -> None:
    people = [("a", "STAGED"), ("b", "ACTIVE"), ("c", "SUSPENDED"), ("d", "SUSPENDED")]
    plan = to_plan(taken([account(one, cost="", user_status=word) for one, word in people]), None)
    assert list(plan.by_status.items()) == [("SUSPENDED", 2), ("ACTIVE", 1), ("STAGED", 1)]
