"""Groups as rows, and who is in which: users, groups in groups, and members that are neither."""

import json
from typing import Any

import httpx
import polars as pl
import pytest
from scim_in_memory import Scim, users

from extractors.scim.documents import decode, mark_twice
from extractors.scim.groups import GroupRows, groups_to_rows, to_memberships
from extractors.scim.listing import Paging
from extractors.scim.source import groups_of
from schemas.errors import SourceFormatError, SourceIncompleteError
from schemas.source_file.kinds.scim_source import ScimSource


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


# Groups that the list shows without members.


def alone(*groups: dict[str, Any], list_shows: bool = False) -> Scim:
    """A service that shows the members of a group by itself, and in the list only if told to."""
    bare = [{"id": one["id"], "displayName": one["displayName"]} for one in groups]
    scim = Scim({"/Users": users(2), "/Groups": list(groups) if list_shows else bare})
    for one in groups:
        scim.answers[f"/Groups/{one['id']}"] = lambda _, one=one: httpx.Response(200, json=one)
    return scim


def listed_groups(scim: Scim) -> Any:
    source = ScimSource.model_validate({"kind": "scim", "url": "https://idp.example"})
    listing = groups_of(source, scim.opened(), Paging(10, by_cursor=False, at_once=2))
    assert listing is not None
    return pl.concat(page.rows.members for page in listing.pages).rows()


def test_where_no_group_shows_a_member_each_is_read_by_itself():
    assert listed_groups(alone(group("g", "u1"), group("h"))) == [("g", "u1", "")]


def test_where_one_group_shows_a_member_none_is_read_by_itself():
    scim = alone(group("g", "u1"), group("h"), list_shows=True)
    assert listed_groups(scim) == [("g", "u1", "")]
    assert {path for path, _ in scim.asked} == {"/Groups"}


def test_a_group_that_goes_meanwhile_or_is_another_ends_the_read():
    gone = alone(group("g", "u1"))
    gone.answers["/Groups/g"] = lambda _: httpx.Response(404)
    with pytest.raises(SourceIncompleteError, match="a group went meanwhile"):
        listed_groups(gone)
    other = alone(group("g", "u1"))
    other.answers["/Groups/g"] = lambda _: httpx.Response(200, json=group("h", "u1"))
    with pytest.raises(SourceFormatError, match="another came"):
        listed_groups(other)
