"""Several rows of one account: the newest, or merged; else those that differ are rejects."""

import pytest

from schemas.snapshot import associations_of
from tests.unit.builders import account, normalized, snapshot, source_file

NEWEST = source_file("several_rows: {newest: changed}\nentitlements: [{type: R, column: roles}]\n")
MERGE = source_file("several_rows: merge\nentitlements: [{type: R, column: roles}]\n")


def held(made) -> list[tuple[str, str]]:
    return [(one, other) for one, other, _ in associations_of(made.snapshot).rows()]


def old(**cells: str):
    return account("a", changed="2026-01-01", roles="x", user_status="ACTIVE", **cells)


def new(**cells: str):
    usual = {"changed": "2026-02-01", "roles": "y", "user_status": "SUSPENDED"}
    return account("a", **(usual | cells))


@pytest.mark.parametrize("rows", [[old(), new()], [new(), old()], [new(), old(), new()]])
def test_the_newest_row_counts_and_the_others_are_counted_as_dropped(rows) -> None:
    made = normalized([*rows, account("b", changed="", roles="z")], NEWEST)
    assert made.snapshot.accounts["user_status"].to_list() == ["SUSPENDED", "ACTIVE"]
    assert held(made) == [("a", "y"), ("b", "z")]
    count = made.counts["accounts"]
    assert (count.read, count.accepted, count.dropped) == (len(rows) + 1, 2, 1)
    assert "1 rows have a newer row of their account" in made.warnings[0]


@pytest.mark.parametrize("changed", ["", "soon", "2026-01-01"])
def test_where_nobody_knows_the_newest_the_rows_are_rejects(changed) -> None:
    before = snapshot([old()], NEWEST)
    made = normalized([old(), new(changed=changed)], NEWEST, before)
    assert made.counts["accounts"].rejected == 2
    assert made.counts["accounts"].kept == 1
    assert made.snapshot.accounts["user_status"].to_list() == ["SUSPENDED"]


def test_merged_rows_hold_what_each_of_them_names() -> None:
    rows = [account("a", roles="x;y", username="ann"), account("a", roles="z", username="")]
    made = normalized(rows, MERGE)
    assert made.snapshot.accounts["username"].to_list() == ["ann"]
    assert held(made) == [("a", "x"), ("a", "y"), ("a", "z")]
    count = made.counts["accounts"]
    assert (count.read, count.accepted, count.merged) == (2, 1, 1)


def test_rows_that_disagree_are_not_merged() -> None:
    rows = [account("a", roles="x"), account("a", roles="y", user_status="SUSPENDED")]
    made = normalized(rows, MERGE)
    assert made.counts["accounts"].rejected == 2
    assert made.rejects["code"].unique().to_list() == ["conflict"]


def test_a_row_that_cannot_be_read_takes_the_other_rows_of_its_account_along() -> None:
    before = snapshot([account("a", roles="x;y")], MERGE)
    rows = [account("a", roles="x"), account("a", roles="y", user_status="?")]
    made = normalized(rows, MERGE, before)
    assert made.counts["accounts"].kept == 1
    assert held(made) == [("a", "x"), ("a", "y")]


def test_without_a_word_rows_that_differ_in_what_they_hold_are_rejects() -> None:
    file = source_file("entitlements: [{type: R, column: roles}]\n")
    made = normalized([account("a", roles="x"), account("a", roles="y")], file)
    assert made.counts["accounts"].rejected == 2
