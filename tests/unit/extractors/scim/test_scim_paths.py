"""Attributes by path: what a source file may name of a user, and the text that a user has there."""

import json
from typing import Any

import pytest
from scim_in_memory import user

from extractors.scim.documents import decode
from extractors.scim.paths import AttributePath
from schemas.errors import ConfigError

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def text(path: str, resource: dict[str, Any]) -> str | None:
    folded = decode(json.dumps(resource).encode())
    return AttributePath(path).to_cell("; ")(folded)


MAILS = {
    "emails": [
        {"value": "home@example.com", "type": "home"},
        {"value": "old@example.com", "type": "other", "primary": True},
        {"value": "work@example.com", "type": "Work"},
    ]
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("userName", "clerk1"),
        ("USERNAME", "clerk1"),
        ("name.givenName", "Given1"),
        ("name.middleName", None),
        ("nothing", None),
        ("userName.part", None),
        ("active", "true"),
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName", "clerk1"),
        ("urn:ietf:params:scim:schemas:core:2.0:User:name.familyName", "Family1"),
        (f"{ENTERPRISE}:department", "Desk"),
        (f"{ENTERPRISE.upper()}:DEPARTMENT", "Desk"),
        (f"{ENTERPRISE}:manager.value", "u9"),
        ("department", "Desk"),
        ("manager.displayName", "Boss"),
        ("urn:example:flat:User:badge", "17"),
        ("urn:example:flat:User:shift", None),
        ("meta.resourceType", "User"),
    ],
)
def test_an_attribute_is_found_by_its_path_in_any_case(path: str, expected: str | None):
    extension = {"department": "Desk", "manager": {"value": "u9", "displayName": "Boss"}}
    more = {
        ENTERPRISE: extension,
        "urn:example:flat:User:badge": 17,
        "meta": {"resourceType": "User"},
    }
    assert text(path, user(1, **more)) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("emails", "old@example.com"),
        ("emails.value", "old@example.com"),
        ("emails.type", "other"),
        ('emails[type eq "work"].value', "work@example.com"),
        ('emails[type eq "work"]', "work@example.com"),
        ('emails[TYPE EQ "WORK"].VALUE', "work@example.com"),
        ("emails[primary eq true].value", "old@example.com"),
        ("emails[not (primary eq true)].value", "work@example.com"),
        ('emails[type eq "home" or type eq "work"].value', "work@example.com"),
        ('emails[value co "@" and type sw "h"].value', "home@example.com"),
        (
            'emails[value ew "@example.com" and type ne "home" and primary pr].value',
            "old@example.com",
        ),
        ('emails[type eq "none"].value', None),
    ],
)
def test_of_several_addresses_the_one_that_is_meant_is_taken(path: str, expected: str | None):
    assert text(path, MAILS) == expected


@pytest.mark.parametrize(
    ("mails", "expected"),
    [
        ([("a", "home", True), ("b", "work", True)], "b"),  # a new primary leaves the old one
        ([("b", "work", True), ("a", "home", True)], "b"),
        ([("a", "home", None), ("b", "work", None)], "b"),
        ([("a", "home", None), ("b", "other", None)], "a"),
        ([("a", None, None), ("b", None, "true")], "b"),
        ([("a", "home", False), ("b", "work", False)], "b"),
    ],
)
def test_an_address_is_the_primary_then_that_of_work_then_the_first(mails: Any, expected: str):
    items = [{"value": value, "type": kind, "primary": first} for value, kind, first in mails]
    assert text("emails", {"emails": items}) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["a", "b"], "a; b"),
        ([{"value": "a"}, {"value": "b"}], "a; b"),
        ([], None),
        (None, None),
        ("", ""),
        (7, "7"),
        (7.50, "7.5"),
        (False, "false"),
        ({"b": 1, "a": [2]}, '{"a":[2],"b":1}'),
        ({"value": "a", "display": "A"}, "a"),
    ],
)
def test_a_value_has_one_text(value: Any, expected: str | None):
    assert text("custom", {"custom": value}) == expected


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("", "write name.givenName"),
        ("emails[", "write name.givenName"),
        ("emails[]", "ends too early"),
        ("emails[type eq].value", "ends too early"),
        ('emails[type is "work"].value', "'is' is none of"),
        ("emails[type eq work].value", "a text stands in quotes"),
        ('emails[(type eq "work"].value', "a bracket is not closed"),
        ('emails[type eq "work" emails].value', "nothing may stand before"),
        ('emails[type eq "work].value', "a text has no end"),
        ("name..givenName", "'' is no attribute's name"),
        ("first name", "'first name' is no attribute's name"),
    ],
)
def test_what_is_no_path_is_said_before_anything_is_read(path: str, says: str):
    with pytest.raises(ConfigError) as error:
        AttributePath(path)
    assert says in str(error.value)


@pytest.mark.parametrize("path", ["password", "PASSWORD", "urn:x:User:password", "x.clientSecret"])
def test_a_password_is_never_read(path: str):
    with pytest.raises(ConfigError, match="holds a password: it is never read"):
        AttributePath(path)
