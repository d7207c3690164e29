"""Rows of a connector: checked again, rejected with their key, and the latest activity of each."""

import json
from typing import Any

import polars as pl
import pytest

from extractors.connector.last_activity import EVENTS, with_last_activity
from extractors.connector.rows import SHAPES, to_page_rows
from schemas.errors import SourceFormatError

ACCOUNT = {"integration_specific_id": "00012", "email": "a@example.com", "user_status": "ACTIVE"}
CARD = {
    "entitlement_type": "CARD",
    "integration_specific_id": "gold",
    "integration_specific_resource_id": "",
    "label": "Gold",
}
HELD = {
    "account_id": "00012",
    "integration_specific_entitlement_id": "gold",
    "integration_specific_resource_id": "",
}


def rejects(table: str, **changed: Any) -> tuple[Any, ...]:
    row = {"accounts": ACCOUNT, "entitlements": CARD, "associations": HELD}[table] | changed
    page = to_page_rows(SHAPES[table], [row])
    assert page.rows.height == 0
    return page.rejected.row(0)


def test_text_stays_as_it_is_and_null_is_none():
    page = to_page_rows(SHAPES["accounts"], [ACCOUNT | {"given_name": None, "unknown": 1}])
    row = page.rows.row(0, named=True)
    assert row["integration_specific_id"] == "00012"
    assert row["given_name"] is row["family_name"] is None
    assert "unknown" not in row


@pytest.mark.parametrize("value", [None, 12, 1.5, True, ["a"], {"a": 1}])
def test_an_id_that_is_no_text_is_a_reject(value: Any):
    key, text, reason = rejects("accounts", integration_specific_id=value)
    assert (key, reason) == (None, "integration_specific_id is no text")
    assert json.loads(text)["email"] == "a@example.com"


def test_a_field_that_is_no_text_rejects_the_row_under_its_key():
    assert rejects("accounts", email=7)[0] == "00012"
    key = '{"integration_specific_id":"gold","integration_specific_resource_id":""}'
    assert rejects("entitlements", label=None)[0] == key
    broken = '{"integration_specific_id":"gold","integration_specific_resource_id":null}'
    assert rejects("entitlements", integration_specific_resource_id=None)[0] == broken
    unknown = (
        '{"account_id":"00012","integration_specific_entitlement_id":null,'
        '"integration_specific_resource_id":""}'
    )
    assert rejects("associations", integration_specific_entitlement_id=5)[0] == unknown


def test_whether_something_can_be_assigned_is_a_word():
    cards = [CARD | {"is_assignable": value} for value in (True, False, None)]
    page = to_page_rows(SHAPES["entitlements"], cards)
    assert page.rows["is_assignable"].to_list() == ["true", "false", None]


def test_custom_attributes_come_before_extra_data_and_have_one_text():
    account = ACCOUNT | {
        "custom_attributes": {"floor": "F1", "badge": 7, "gone": None},
        "extra_data": {"floor": "F9", "loans": 3, "gone": {"b": 1, "a": [None]}},
    }
    page = to_page_rows(SHAPES["accounts"], [account], ["floor", "badge", "loans", "gone", "none"])
    assert page.rows.select("floor", "badge", "loans", "gone", "none").row(0) == (
        *("F1", "7", "3", '{"a":[null],"b":1}', None),
    )


def test_where_nobody_says_which_there_are_those_that_come_are_taken():
    accounts = [ACCOUNT | {"custom_attributes": {"b": "1", "email": "x", " ": "x", "*": "x"}}]
    assert to_page_rows(SHAPES["accounts"], accounts, None).rows.columns[-2:] == [
        *("account_type", "b"),
    ]


@pytest.mark.parametrize("response", [None, {}, "x", [1], [ACCOUNT, None]])
def test_what_is_no_list_of_rows_is_an_error(response: Any):
    with pytest.raises(SourceFormatError, match="accounts: the response is no list of rows"):
        to_page_rows(SHAPES["accounts"], response)


def events(*rows: tuple[str, str, str]) -> tuple[list[Any], list[str]]:
    accounts = pl.DataFrame({"integration_specific_id": ["a", "b"]})
    frame = pl.DataFrame(rows or None, schema=EVENTS, orient="row")
    joined, others = with_last_activity(accounts, frame)
    return joined.select("last_login", "last_activity").rows(), others


def test_the_latest_event_of_each_kind_counts_by_its_moment_not_by_its_text():
    rows, others = events(
        ("a", "last_login", "2026-07-02T01:00:00+02:00"),
        ("a", "last_login", "2026-07-01T23:30:00Z"),
        ("a", "last_activity", "2026-07-01T00:00:00Z"),
        ("b", "last_activity", "no time"),
        ("b", "last_activity", "2026-01-01"),
        ("nobody", "last_login", "2026-07-01T23:30:00Z"),
    )
    assert rows == [("2026-07-01T23:30:00Z", "2026-07-01T00:00:00Z"), (None, "2026-01-01")]
    assert others == []


def test_an_event_of_another_kind_is_activity_and_told():
    rows, others = events(("a", "borrowed", "2026-07-01T00:00:00Z"))
    assert rows == [(None, "2026-07-01T00:00:00Z"), (None, None)]
    assert others == ["borrowed"]


def test_a_time_that_cannot_be_read_is_left_for_the_contract_to_judge():
    assert events(("a", "last_login", "yesterday"))[0][0] == ("yesterday", None)
