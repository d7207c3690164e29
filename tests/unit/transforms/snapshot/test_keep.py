"""A rejected row is never a removal."""

from functools import cache

import polars as pl
import pytest

from schemas.snapshot import Snapshot, associations_of
from tests.unit.builders import (
    account,
    association,
    entitlement,
    ids,
    normalized,
    raw_table,
    snapshot,
    source_file,
)
from transforms.snapshot.keep_last import kept_records

ROLES = source_file("entitlements: [{type: Role, column: roles}]\n")


@cache
def last() -> Snapshot:
    """What was accepted last."""
    people = [account("a", roles="r;s"), account("b", roles="r"), account("c", roles="t")]
    return snapshot(people, ROLES)


B, C = account("b", roles="r"), account("c", roles="t")
WARNING = "were kept: a rejected row has no readable id, and may be any of them"


def grants(made) -> list[tuple[str, str]]:
    return [(one, other) for one, other, _ in associations_of(made.snapshot).rows()]


@pytest.mark.parametrize(
    "broken",
    [
        {"email": "nobody"},
        {"user_status": "gone"},
        {"user_status": ""},
        {"email": ""},
        {"last_login": "yesterday"},
        {"account_type": "robot"},
        {"username": "\x00"},
    ],
)
def test_a_rejected_row_keeps_the_last_record_and_what_it_held(broken) -> None:
    made = normalized([account("a", roles="new") | broken, B, C], ROLES, last())
    assert made.snapshot.accounts.select(last().accounts.columns).equals(last().accounts)
    assert associations_of(made.snapshot).equals(associations_of(last()))
    assert made.counts["accounts"].kept == 1
    assert made.warnings == ()


def test_entitlements_that_only_a_kept_account_holds_are_kept_with_it() -> None:
    made = normalized([account("a", roles="", email="ann"), B, C], ROLES, last())
    assert made.snapshot.entitlements.equals(last().entitlements)


def test_a_rejected_row_without_a_last_record_is_left_out() -> None:
    made = normalized([account("new", roles="r", email="ann"), B, C], ROLES, last())
    assert ids(made.snapshot) == ["b", "c"]
    assert made.counts["accounts"].kept == 0


def test_an_account_that_is_simply_gone_is_not_kept() -> None:
    made = normalized([B, account("c", roles="t", email="ann")], ROLES, last())
    assert ids(made.snapshot) == ["b", "c"]
    assert grants(made) == [("b", "r"), ("c", "t")]


@pytest.mark.parametrize("key", [None, "nobody's", "b"])
def test_a_row_whose_id_cannot_be_told_keeps_every_missing_account(key) -> None:
    made = normalized(raw_table("accounts", [B], [key]), ROLES, last())
    assert ids(made.snapshot) == ["a", "b", "c"]
    assert grants(made) == [("a", "r"), ("a", "s"), ("b", "r"), ("c", "t")]
    assert made.warnings == (f"2 missing accounts {WARNING}",)


def test_so_does_a_blank_id() -> None:
    made = normalized([B, account(" ", roles="r")], ROLES, last())
    assert ids(made.snapshot) == ["a", "b", "c"]
    assert made.warnings == (f"2 missing accounts {WARNING}",)


def test_a_guessed_id_that_names_a_missing_account_keeps_that_one() -> None:
    made = normalized(raw_table("accounts", [B], ["a"]), ROLES, last())
    assert ids(made.snapshot) == ["a", "b"]
    assert made.warnings == ()


def test_a_header_that_stands_again_keeps_nothing() -> None:
    made = normalized(raw_table("accounts", [B, C], [""]), ROLES, last())
    assert ids(made.snapshot) == ["b", "c"]
    assert made.counts["accounts"].rejected == 1
    assert made.warnings == ()


def test_rows_in_conflict_keep_the_last_record() -> None:
    read = [account("a", roles="x"), account("a", roles="y"), B, C]
    made = normalized(read, ROLES, last())
    assert associations_of(made.snapshot).equals(associations_of(last()))


def test_without_a_last_snapshot_nothing_is_kept() -> None:
    made = normalized([account("a", roles="r", email="ann"), account("", roles=""), B], ROLES)
    assert ids(made.snapshot) == ["b"]
    assert made.warnings == ()


def test_a_kept_account_has_the_attributes_that_the_source_has_now() -> None:
    before = snapshot([account("a", x="1", y="2")], source_file("attributes: {X: x, Y: y}\n"))
    file = source_file("attributes: {Y: y, Z: z}\n")
    made = normalized([account("a", y="9", z="9", email="ann")], file, before)
    assert made.snapshot.accounts.select("Y", "Z").rows() == [("2", None)]
    assert made.snapshot.attribute_labels == ["Y", "Z"]


TABLES = {
    "entitlements": [entitlement("e"), entitlement("f")],
    "associations": [association("a", "e"), association("a", "f"), association("b", "e")],
}


@cache
def apart() -> Snapshot:
    """What was accepted before, of a source whose tables lie apart."""
    return snapshot([account("a"), account("b")], **TABLES)


def test_of_a_kept_account_a_file_of_associations_says_what_it_holds_now() -> None:
    now = [association("a", "f"), association("b", "e")]
    made = normalized(
        [account("a", email="ann"), account("b")],
        None,
        apart(),
        entitlements=TABLES["entitlements"],
        associations=now,
    )
    assert ids(made.snapshot) == ["a", "b"]
    assert grants(made) == [("a", "f"), ("b", "e")]


BOTH = {"entitlements": [entitlement("e", entitlement_type="Group")]}


def test_where_cells_say_a_part_of_it_a_kept_account_keeps_all_it_held() -> None:
    links = raw_table("associations", [association("a", "e")])
    before = snapshot([account("a", roles="r")], ROLES, **BOTH, associations=links)
    none = raw_table("associations", [], columns=list(association("a", "e")))
    made = normalized(
        [account("a", roles="", email="ann")], ROLES, before, **BOTH, associations=none
    )
    assert associations_of(before).rows() == [("a", "e", ""), ("a", "r", "")]
    assert grants(made) == [("a", "e"), ("a", "r")]


def test_a_rejected_entitlement_keeps_the_last_one_and_who_holds_it() -> None:
    broken = [entitlement("e", label="E\x00"), entitlement("f")]
    made = normalized(
        [account("a"), account("b")], None, apart(), **TABLES | {"entitlements": broken}
    )
    assert made.snapshot.entitlements.equals(apart().entitlements)
    assert associations_of(made.snapshot).equals(associations_of(apart()))
    assert made.counts["entitlements"].kept == 1


@pytest.mark.parametrize("table", ["entitlements", "associations"])
def test_a_row_of_another_table_that_cannot_be_told_keeps_all_that_is_missing_there(table) -> None:
    tables = TABLES | {table: raw_table(table, TABLES[table][:1], [None])}
    made = normalized([account("a"), account("b")], None, apart(), **tables)
    assert made.snapshot.entitlements.equals(apart().entitlements)
    assert associations_of(made.snapshot).equals(associations_of(apart()))
    count = {"entitlements": 1, "associations": 2}[table]
    assert made.warnings == (f"{count} missing {table} {WARNING}",)


def test_a_kept_resource_keeps_its_label() -> None:
    row = {"resource_type": "Site", "integration_specific_id": "r", "label": "R"}
    before = snapshot([account("a")], resources=[row])
    made = normalized([account("a")], None, before, resources=[row | {"label": "R\x00"}])
    assert made.snapshot.resources.equals(before.resources)
    made = normalized(
        [account("a")], None, before, resources=[row | {"integration_specific_id": " "}]
    )
    assert made.warnings == (f"1 missing resources {WARNING}",)


@pytest.mark.parametrize("name", ["x:null", '":null', "null", ':null,"', "{:null}"])
def test_an_id_that_looks_like_an_absent_one_is_read_as_it_stands(name) -> None:
    people = [account(name), account("b"), account("c")]
    made = normalized([account(name, email="ann"), account("b")], None, snapshot(people))
    assert ids(made.snapshot) == sorted([name, "b"])
    assert made.warnings == ()
    three = [entitlement(name), entitlement("f"), entitlement("g")]
    before = snapshot([account("a")], entitlements=three)
    broken = [entitlement(name, is_assignable="maybe"), entitlement("f")]
    made = normalized([account("a")], None, before, entitlements=broken)
    kept = made.snapshot.entitlements["integration_specific_id"].to_list()
    assert kept == sorted([name, "f"])
    assert made.warnings == ()


@pytest.mark.parametrize("resource", ["", "r"])
def test_an_entitlement_without_a_readable_id_may_be_any_that_is_missing(resource) -> None:
    before = snapshot([account("a")], entitlements=[entitlement("e"), entitlement("f", "r")])
    unreadable = entitlement("x\ufffd", resource)
    made = normalized([account("a")], None, before, entitlements=[unreadable, entitlement("e")])
    assert made.snapshot.entitlements.equals(before.entitlements)
    assert made.warnings == (f"1 missing entitlements {WARNING}",)


def test_an_entitlement_on_a_resource_without_a_readable_id_may_be_any_that_is_missing() -> None:
    before = snapshot([account("a")], entitlements=[entitlement("e"), entitlement("f", "r")])
    unreadable = entitlement("f", "r\ufffd")
    made = normalized([account("a")], None, before, entitlements=[unreadable])
    assert made.snapshot.entitlements.equals(before.entitlements)
    assert made.warnings == (f"2 missing entitlements {WARNING}",)


def test_only_those_that_no_readable_row_names_are_kept_for_the_unreadable_ones() -> None:
    made = normalized([account("a", roles="", email="ann"), account(" ", roles="")], ROLES, last())
    assert ids(made.snapshot) == ["a", "b", "c"]
    assert made.counts["accounts"].kept == 3
    assert made.warnings == (f"2 missing accounts {WARNING}",)


def test_a_rejected_row_of_many_keeps_its_own_record_alone() -> None:
    people = [account(f"a{number:02}") for number in range(20)]
    before = snapshot([*people, account("gone"), account("broken")])
    again = [*people, account("broken", email="ann")]
    made = normalized(again, None, before)
    assert ids(made.snapshot) == [f"a{number:02}" for number in range(20)] + ["broken"]
    assert made.counts["accounts"].kept == 1
    twice = normalized([*again, account("a05", email="ann")], None, before)
    assert ids(twice.snapshot) == ids(made.snapshot)
    assert twice.counts["accounts"].kept == 2


def test_a_blank_row_of_any_table_keeps_nothing() -> None:
    before = snapshot(
        [account("a"), account("b")], entitlements=[entitlement("e"), entitlement("f")]
    )
    blank = dict.fromkeys(entitlement("e"), " ")
    made = normalized(
        [account("a"), dict.fromkeys(account("a"), "")],
        None,
        before,
        entitlements=[entitlement("e"), blank],
    )
    assert ids(made.snapshot) == ["a"]
    assert made.snapshot.entitlements["integration_specific_id"].to_list() == ["e"]
    assert made.warnings == ()
    assert made.counts["accounts"].rejected == made.counts["entitlements"].rejected == 1


@pytest.mark.parametrize(
    ("keys", "guessed", "kept", "for_unreadable"),
    [
        ([], [], [], 0),
        (["a"], [], ["a"], 0),
        (["a", "x"], ["b", ""], ["a", "b"], 0),
        (["a"], ["x"], ["a", "b", "c"], 2),
        (["a", None], [], ["a", "b", "c"], 2),
        ([], [None], ["a", "b", "c"], 3),
        ([], ["d"], ["a", "b", "c"], 3),
        (["d"], [], [], 0),
    ],
)
def test_it_is_told_how_many_are_kept_for_those_that_cannot_be_read(
    keys, guessed, kept, for_unreadable
) -> None:
    def column(values):
        return pl.Series("id", values, dtype=pl.String)

    last, current = column(list("abcd")).to_frame(), column(["d"]).to_frame()
    carried = kept_records(last, current, column(keys), column(guessed), ["id"])
    assert sorted(carried.records["id"]) == kept
    assert carried.for_unreadable == for_unreadable
    assert type(carried.for_unreadable) is int
