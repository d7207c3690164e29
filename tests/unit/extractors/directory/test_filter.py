"""Filters: parsed as servers parse them, refused with their place, applied to an export."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.directory.filter import Filter, in_brackets, to_filter
from extractors.directory.ldif.match import to_match
from schemas.errors import ConfigError

ENTRY = {
    "objectclass": [b"top", b"inetOrgPerson"],
    "cn": [b"Ann  Lee", b"Annie"],
    "uidnumber": [b"1000"],
    "member": [b"uid=Ann , OU=People,dc=X"],
    "objectcategory": [b"CN=Person,CN=Schema,CN=Configuration,DC=x"],
    "useraccountcontrol": [b"514"],
    "objectguid": [b"\xff\x00(*"],
}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("(objectClass=INETORGPERSON)", True),
        ("cn=ann lee", True),
        ("(cn=ann*)", True),
        ("(cn=*n*ie)", True),
        ("(cn=an*an*)", False),
        ("(cn=*)", True),
        ("(mail=*)", False),
        ("(!(mail=*))", True),
        ("(&(cn=annie)(uidNumber>=999))", True),
        ("(uidNumber<=999)", False),
        ("(|(cn=nobody)(member=UID=ann,ou=people,DC=x))", True),
        ("(objectCategory=person)", True),
        ("(objectCategory=computer)", False),
        ("(userAccountControl:1.2.840.113556.1.4.803:=2)", True),
        ("(userAccountControl:1.2.840.113556.1.4.803:=3)", False),
        ("(userAccountControl:1.2.840.113556.1.4.804:=3)", True),
        (r"(objectGUID=\ff\00\28\2a)", True),
        ("(&)", True),
        ("(|)", False),
    ],
)
def test_a_filter_selects_what_a_server_would(text: str, matches: bool) -> None:
    assert to_match(to_filter(text, "key"))(ENTRY) is matches


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("(cn=a", "at character 6 of the filter: ) is expected"),
        ("(cn=a))", "at character 7 of the filter: more follows"),
        ("(=b)", "at character 2 of the filter: an attribute"),
        ("(cn~a)", "at character 4 of the filter: one of = >= <= ~= is expected"),
        ("cn~a", "at character 3 of the filter: one of = >= <= ~= is expected"),
        (r"(cn=a\z)", "at character 6 of the filter: a backslash takes two hexadecimal digits"),
        ("(!(cn=a)(cn=b))", "! takes one filter"),
        ("(cn>=a*)", "* goes with = only"),
        ("", "an attribute, or one of & | !, is expected"),
        ("(!" * 200, "more than 100 deep"),
    ],
)
def test_what_is_no_filter_is_refused_with_its_place(text: str, place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        to_filter(text, "source.users.filter")

    assert str(caught.value).startswith("source.users.filter: at character ")
    assert caught.value.key == "source.users.filter"
    assert place in str(caught.value)


def test_outer_brackets_may_be_left_out() -> None:
    assert to_filter("cn=a", "key") == to_filter("(cn=a)", "key")
    assert in_brackets(" cn=a ") == "(cn=a)"


@given(st.text())
def test_any_text_is_a_filter_or_refused_in_one_line(text: str) -> None:
    message = ""
    try:
        parsed = to_filter(text, "key")
    except ConfigError as error:
        parsed, message = Filter("&"), str(error)
    assert isinstance(parsed, Filter)
    assert "\n" not in message


@given(st.binary())
def test_an_escaped_value_is_found_again(value: bytes) -> None:
    escaped = "".join(f"\\{octet:02x}" for octet in value)

    wanted = to_filter(f"(uid={escaped})", "key")

    assert wanted.values == (value,)
    assert to_match(wanted)({"uid": [value]})


def test_a_rule_that_needs_a_server_is_named() -> None:
    chain = to_filter("(memberOf:1.2.840.113556.1.4.1941:=cn=a,dc=x)", "key")

    with pytest.raises(ConfigError, match="in a filter needs a server"):
        to_match(chain)
