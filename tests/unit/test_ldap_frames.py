import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from extractors.ldap_frames import to_frame

LAW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
VALUES = st.lists(st.binary(max_size=8) | st.text(max_size=8).map(str.encode), max_size=3)
ENTRIES = st.lists(
    st.tuples(st.text("abc", max_size=3), st.dictionaries(st.sampled_from("abc"), VALUES)),
    max_size=6,
)


def text_frame(columns):
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def test_entries_become_columns_of_text():
    entries = [
        ("uid=a", {"uid": [b"a"], "mail": [b"b@x", b"a@x"], "sn": [b""]}),
        ("uid=b", {"mail": [], "uid": ["ü".encode()]}),
    ]

    assert_frame_equal(
        to_frame(entries, ("uid", "mail", "sn", "title"), "; "),
        text_frame(
            {
                "dn": ["uid=a", "uid=b"],
                "uid": ["a", "ü"],
                "mail": ["a@x; b@x", None],
                "sn": ["", None],
                "title": [None, None],
                "undecodable": [None, None],
            }
        ),
    )


def test_no_entries_are_a_frame_with_all_its_columns():
    assert to_frame([], ("uid",), "; ").schema == dict.fromkeys(
        ["dn", "uid", "undecodable"], pl.String
    )


def test_names_are_found_in_whatever_case_and_with_the_option_binary():
    entries = [
        ("a", {"GIVENNAME": [b"a"], "userCertificate;binary": [b"c"]}),
        ("b", {"givenName": [b"b"]}),
        ("c", {"givenName;lang-de": [b"c"]}),
    ]

    found = to_frame(entries, ("givenname", "usercertificate"), "; ")
    assert found["givenname"].to_list() == ["a", "b", None]
    assert found["usercertificate"].to_list() == ["c", None, None]


def test_bytes_that_are_no_text_mark_their_row_and_nothing_else():
    entries = [
        ("a", {"cn": [b"\xff"], "sn": [b"\xfe"], "uid": [b"a"]}),
        ("b", {"cn": [b"b", b"\xff"], "uid": [b"b"]}),
        ("c", {"cn": [b"c"], "sn": [b"\xfe"]}),
        ("d", {"cn": [b"d"]}),
    ]

    found = to_frame(entries, ("uid", "cn", "sn"), "; ")
    assert found["undecodable"].to_list() == ["cn", "cn", "sn", None]
    assert found["cn"].to_list() == [None, None, "c", "d"]
    assert found["uid"].to_list() == ["a", "b", None, None]


@pytest.mark.parametrize(("form", "said"), [("hex", "00ff; 01"), ("base64", "AP8=; AQ==")])
def test_binary_attributes_are_written_as_asked(form, said):
    entries = [("a", {"objectGUID": [b"\1", b"\0\xff"]}), ("b", {})]

    found = to_frame(entries, ("objectguid",), "; ", {"OBJECTGUID": form})
    assert found["objectguid"].to_list() == [said, None]
    assert found["undecodable"].null_count() == 2


@LAW
@given(ENTRIES)
def test_a_cell_holds_all_values_or_its_row_is_marked(entries):
    found = to_frame(entries, ("a", "b", "c"), "|")

    assert found.height == len(entries)
    for (_, attributes), row in zip(entries, found.to_dicts(), strict=True):
        broken = [name for name in "abc" if not is_text(attributes.get(name, []))]
        assert row["undecodable"] == (broken[0] if broken else None)
        for name in set("abc") - set(broken):
            values = attributes.get(name)
            expected = "|".join(sorted(value.decode() for value in values)) if values else None
            assert sorted(row[name] or "") == sorted(expected or "")
            assert (row[name] is None) == (expected is None)


def is_text(values: list[bytes]) -> bool:
    try:
        return all(value.decode() is not None for value in values)
    except UnicodeDecodeError:
        return False
