"""Groups as rows, and who is in which: users, groups in groups, and members that are neither."""

import json
from typing import Any

import polars as pl

from extractors.scim.documents import decode, mark_twice
from extractors.scim.groups import GroupRows, groups_to_rows, to_memberships


def group(group_id: str, *members: Any, **more: Any) -> dict[str, Any]:
    listed = [one if isinstance(one, dict) else {"value": one} for one in members]
    return {"id": group_id, "displayName": group_id.title(), "members": listed} | more


def rows_of(*groups: dict[str, Any]) -> GroupRows:
    return groups_to_rows([decode(json.dumps(one).encode()) for one in groups])


def held(
    users: list[str], *groups: dict[str, Any], claims: Any = (), nested: bool = True
) -> tuple[set[tuple[str, str]], int]:
    """Who is in which group, and how many members are nobody."""
    rows = rows_of(*groups)
    claimed = pl.DataFrame(
        claims or None, schema={"user": pl.String, "group": pl.String}, orient="row"
    )
    found = to_memberships(
        pl.Series(users, dtype=pl.String), rows.groups["id"], rows.members, claimed, nested=nested
    )
    ids = rows.groups["id"].to_list()
    links = found.effective.links.select("account", "group").rows()
    return {(users[account], ids[group]) for account, group in links}, found.unmatched_count


def test_members_without_a_type_are_users_or_groups_by_their_id():
    pairs, unmatched = held(["a", "b"], group("outer", "a", "inner"), group("inner", "b"))
    assert pairs == {("a", "outer"), ("b", "inner"), ("b", "outer")}
    assert unmatched == 0


def test_direct_members_alone_where_the_file_says_so():
    pairs, _ = held(["a", "b"], group("outer", "inner"), group("inner", "b"), nested=False)
    assert pairs == {("b", "inner")}


def test_groups_in_a_circle_come_to_an_end():
    pairs, _ = held(["a"], group("x", "y"), group("y", "z"), group("z", "x", "a"), group("w", "w"))
    assert pairs == {("a", "x"), ("a", "y"), ("a", "z")}


def test_people_who_are_gone_are_counted():
    assert held(["a"], group("g", "a", "gone", "gone"), group("h", "gone", "left"))[1] == 2


def test_an_id_that_a_user_and_a_group_have_is_the_user_unless_the_member_says_otherwise():
    """django-scim2 numbers users and groups from 1, both."""
    assert held(["1"], group("1"), group("g", "1"))[0] == {("1", "g")}
    inner = group("1", "2")
    for member in (
        {"value": "1", "type": "group"},
        {"value": "1", "$ref": "https://x/scim/v2/Groups/1"},
    ):
        assert held(["1", "2"], inner, group("g", member))[0] == {("2", "1"), ("2", "g")}
    named = {"value": "1", "type": "User", "$ref": "https://x/Groups/1"}
    assert held(["1", "2"], inner, group("g", named))[0] == {("2", "1"), ("1", "g")}


def test_a_type_that_is_wrong_does_not_lose_a_member():
    assert held(["a"], group("g", {"value": "a", "type": "Group"}))[0] == {("a", "g")}


def test_groups_that_users_name_count_as_well():
    pairs, _ = held(["a"], group("g"), claims=[("a", "g"), ("a", "unknown"), ("nobody", "g")])
    assert pairs == {("a", "g")}


def test_ids_differ_by_case():
    assert held(["user", "USER"], group("g", "USER"))[0] == {("USER", "g")}


def test_a_group_without_a_name_is_called_by_its_id():
    rows = rows_of(group("g", displayName=None), {"id": "h"}, group("i", displayName=""))
    assert rows.groups["label"].to_list() == ["g", "h", "i"]


def test_a_group_in_which_a_name_stands_twice_has_no_row_and_no_members():
    broken = decode(b'{"id": "g", "members": [{"value": "a"}], "Members": []}')
    mark_twice([broken])
    rows = groups_to_rows([broken])
    assert [key for key, _ in rows.twice] == ["g"]
    assert rows.groups.height == rows.members.height == 0


def test_a_member_that_names_nobody_is_one_that_is_nobody():
    assert held(["a"], group("g", {"display": "a"}, {"value": None}))[1] == 1
