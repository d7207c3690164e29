"""Duplicates: the same row twice is merged and counted, two that differ are both rejected."""

import pytest

from tests.unit.builders import (
    account,
    association,
    entitlement,
    ids,
    normalized,
    reasons,
    source_file,
)
from transforms.tables.conform import CONFLICT

ROLES = source_file("entitlements: [{type: Role, column: roles}]\n")


def counted(made, table: str = "accounts") -> tuple[int, int, int, int]:
    count = made.counts[table]
    return count.read, count.accepted, count.merged, count.rejected


def test_equal_rows_are_merged_and_counted() -> None:
    made = normalized([account("a"), account("b"), account("a"), account("a")])
    assert ids(made.snapshot) == ["a", "b"]
    assert counted(made) == (4, 2, 2, 0)


def test_rows_that_differ_only_in_what_is_not_read_are_equal() -> None:
    made = normalized([account("a", shoe="42"), account("a", shoe="43", email=" a@example.com ")])
    assert counted(made) == (2, 1, 1, 0)


@pytest.mark.parametrize("other", [{"email": "b@example.com"}, {"user_status": "INACTIVE"}])
def test_rows_that_differ_under_one_id_are_all_rejected(other) -> None:
    made = normalized([account("a"), account("a", **other), account("a"), account("b")])
    assert ids(made.snapshot) == ["b"]
    assert reasons(made) == [("integration_specific_id", CONFLICT)] * 3
    assert made.rejects["key"].to_list() == ["a"] * 3
    assert counted(made) == (4, 1, 0, 3)


def test_what_an_account_holds_in_its_cells_makes_rows_differ() -> None:
    made = normalized([account("a", roles="r"), account("a", roles="s")], ROLES)
    assert counted(made) == (2, 0, 0, 2)


def test_a_broken_row_rejects_the_sound_one_of_its_id() -> None:
    made = normalized([account("a"), account("a", email="ann")])
    assert ids(made.snapshot) == []
    assert counted(made) == (2, 0, 0, 2)


def test_equal_broken_rows_are_rejects_not_merged() -> None:
    made = normalized([account("a", email="ann"), account("a", email="ann")])
    assert counted(made) == (2, 0, 0, 2)


def test_blank_ids_are_no_duplicates_of_one_another() -> None:
    made = normalized([account(""), account("", email="b@example.com"), account("")])
    assert [reason for _, reason in reasons(made)] == ["is blank"] * 3


def test_ids_that_only_look_alike_are_different() -> None:
    made = normalized([account(one) for one in ("12", "012", " 12", "a", "A")])
    assert counted(made) == (5, 5, 0, 0)


def test_an_entitlement_is_told_apart_by_its_resource() -> None:
    rows = [entitlement("e"), entitlement("e", "r"), entitlement("e", "r")]
    assert counted(normalized([account("a")], entitlements=rows), "entitlements") == (3, 2, 1, 0)


def test_one_entitlement_under_two_types_is_rejected() -> None:
    rows = [entitlement("e"), entitlement("e", entitlement_type="Group"), entitlement("f")]
    made = normalized([account("a")], entitlements=rows)
    assert counted(made, "entitlements") == (3, 1, 0, 2)
    assert {reason for _, reason in reasons(made)} == {CONFLICT}


def test_an_association_said_twice_is_merged() -> None:
    made = normalized(
        [account("a")],
        entitlements=[entitlement("e")],
        associations=[association("a", "e"), association("a", "e")],
    )
    assert counted(made, "associations") == (2, 1, 1, 0)


def test_a_piece_said_twice_and_in_a_file_too_is_one_association() -> None:
    made = normalized([account("a", roles="r; r;;")], ROLES, associations=[association("a", "r")])
    assert counted(made, "associations") == (3, 1, 2, 0)
