"""Users as rows: which are active, who manages whom, what each holds, and which cannot be told."""

import json
from typing import Any

import pytest
from scim_in_memory import user

from extractors.scim.documents import decode, mark_twice
from extractors.scim.users import UserRows, to_user_columns, users_to_rows
from schemas.source_file.columns import Named
from schemas.source_file.kinds.scim_source import ScimSource


def rows_of(*users: Any, columns: frozenset[str] = frozenset(), **options: Any) -> UserRows:
    source = ScimSource.model_validate({"kind": "scim", "url": "https://idp.example", **options})
    to_rows = users_to_rows(to_user_columns(source, Named(columns, frozenset())))
    decoded = [decode(one if isinstance(one, bytes) else json.dumps(one).encode()) for one in users]
    mark_twice(decoded)
    return to_rows(decoded)


def status(active: Any, **options: Any) -> str | None:
    return rows_of(user(1, active=active), **options).frame["user_status"][0]


@pytest.mark.parametrize(
    ("active", "expected"),
    [(True, "ACTIVE"), (False, "INACTIVE"), ("True", "ACTIVE"), ("FALSE", "INACTIVE")],
)
def test_active_is_true_or_false_as_such_or_as_text(active: Any, expected: str):
    assert status(active) == expected


@pytest.mark.parametrize("active", ["yes", "1", 1, 0, "", [], [True], {"value": True}])
def test_whatever_else_active_is_has_no_status(active: Any):
    assert (status(active) or "").startswith("active:")


def test_without_active_there_is_no_status_unless_the_file_says_so():
    absent = user(1)
    del absent["active"]
    assert rows_of(absent).frame["user_status"][0] is None
    assert status(None) is None
    assert rows_of(absent, active_absent="suspended").frame["user_status"][0] == "SUSPENDED"
    assert status(False, active_absent="ACTIVE") == "INACTIVE"
    assert (status("yes", active_absent="ACTIVE") or "").startswith("active:")


def test_active_as_a_column_of_its_own_is_one_of_two_words_or_as_it_stands():
    users = [user(n, active=active) for n, active in enumerate([True, "False", "Yes", None])]
    rows = rows_of(*users, columns=frozenset({"active"}))
    assert rows.frame["active"].to_list() == ["true", "false", "Yes", None]


@pytest.mark.parametrize(
    "document",
    [
        b'{"id": "u1", "active": true, "Active": false}',
        b'{"id": "u1", "active": true, "active": false}',
        b'{"id": "u1", "active": true, "name": {"givenName": "a", "GIVENNAME": "b"}}',
        b'{"id": "u1", "emails": [{"value": "a"}, {"value": "b", "VALUE": "c"}]}',
    ],
)
def test_two_spellings_of_one_name_have_no_row(document: bytes):
    """scim-patch stores `Active: false` beside `active: true`."""
    rows = rows_of(document, user(2))
    assert [key for key, _ in rows.twice] == ["u1"]
    assert rows.frame["integration_specific_id"].to_list() == ["u2"]


def test_a_name_that_stands_twice_outside_a_user_is_that_users_no_more():
    rows = rows_of(user(1), user(2))
    assert rows.twice == []


def test_a_manager_is_told_by_the_id():
    extension = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    columns = frozenset({f"{extension}:manager", "manager"})
    managed = user(1, **{extension: {"manager": {"value": "u9", "$ref": "../Users/u9"}}})
    rows = rows_of(managed, user(2, **{extension: {"manager": "u8"}}), user(3), columns=columns)
    assert rows.frame["manager"].to_list() == ["u9", "u8", None]
    assert rows.frame[f"{extension}:manager"].to_list() == ["u9", "u8", None]


def test_roles_and_entitlements_are_held():
    rows = rows_of(
        user(
            1,
            roles=[{"value": "admin", "display": "Administrator"}, "clerk", {"display": "Guest"}],
            entitlements=[{"value": "seat"}, {"value": None}, {"value": ""}],
        )
    )
    assert rows.held.rows() == [
        ("u1", "Role", "admin", "Administrator"),
        ("u1", "Role", "clerk", "clerk"),
        ("u1", "Role", "Guest", "Guest"),
        ("u1", "Entitlement", "seat", "seat"),
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            {"id": "06b0", "value": "Admin", "displayName": "Administrator"},
            ("Admin", "Administrator"),
        ),
        ({"id": "06b0", "displayName": "Administrator"}, ("06b0", "Administrator")),
        ("{not json", ("{not json", "{not json")),
    ],
)
@pytest.mark.parametrize("is_text", [True, False])
def test_a_roles_value_may_be_a_whole_object_or_its_text(
    value: Any, expected: tuple[str, str], *, is_text: bool
):
    written = json.dumps(value) if is_text and isinstance(value, dict) else value
    assert rows_of(user(1, roles=[{"value": written}])).held.rows() == [("u1", "Role", *expected)]


def test_roles_that_the_file_reads_as_a_column_are_that_column_alone():
    rows = rows_of(user(1, roles=[{"value": "a"}]), columns=frozenset({"roles.value"}))
    assert rows.held.height == 0
    assert rows.frame["roles.value"].to_list() == ["a"]


def test_groups_that_a_user_names_are_told_by_their_id():
    rows = rows_of(user(1, groups=[{"value": "g1", "display": "One"}, {"value": "g2"}]), user(2))
    assert rows.claims.rows() == [("u1", "g1"), ("u1", "g2")]


def test_half_a_character_is_damage_and_no_end_of_the_read():
    broken = b'{"id": "u1", "userName": "m\\ud800ller"}'
    assert rows_of(broken).frame["username"].to_list() == ["m\ufffdller"]


def test_ids_are_never_retyped():
    rows = rows_of(user(1, id="00012"), user(2, id=" x "), user(3, id=42))
    assert rows.frame["integration_specific_id"].to_list() == ["00012", " x ", "42"]


def test_a_field_that_the_file_fills_by_itself_is_not_read_a_second_time():
    source = ScimSource.model_validate({"kind": "scim", "url": "https://idp.example"})
    named = Named(frozenset({"userName"}), frozenset({"email", "integration_specific_id"}))
    assert set(to_user_columns(source, named).cells) == {
        "given_name", "family_name", "username", "user_status", "userName",
    }  # fmt: skip
