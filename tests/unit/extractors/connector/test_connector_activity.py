"""Activity records of a connector, in both forms that they come in."""

from typing import Any

import pytest

from extractors.connector.activity import to_records
from schemas.errors import SourceFormatError
from schemas.source_file.file import to_source

RECORD = {"id": "r1", "timestamp": "2026-07-20T10:00:00Z", "actor": {"account_id": "00001"}}


@pytest.mark.parametrize(
    "event",
    [
        "ACCOUNT_LOGIN",
        {
            "anyof_schema_1_validator": None,
            "anyof_schema_2_validator": None,
            "actual_instance": "ACCOUNT_LOGIN",
            "any_of_schemas": ["str", "ActivityType"],
        },
    ],
)
def test_an_event_is_a_word_as_such_or_wrapped(event: Any):
    page = to_records([{**RECORD, "activity_type": event}])
    assert page.rows.rows() == [("00001", "ACCOUNT_LOGIN", "2026-07-20T10:00:00Z")]
    assert page.rejected.height == 0


@pytest.mark.parametrize(
    "changed",
    [{"activity_type": {}}, {"activity_type": 1}, {"actor": {}}, {"actor": "00001"},
     {"timestamp": 1}, {"timestamp": None}],
)  # fmt: skip
def test_a_record_that_does_not_say_who_what_and_when_is_a_reject(changed: dict[str, Any]):
    page = to_records([{**RECORD, "activity_type": "ACCOUNT_LOGIN", **changed}])
    assert page.rows.height == 0
    assert page.rejected.height == 1


def test_what_is_no_list_of_records_is_an_error():
    with pytest.raises(SourceFormatError):
        to_records({"accounts": []})


def test_a_connector_with_an_activity_block_is_where_activity_is_read():
    text = "app: {name: X}\nsource: {kind: connector, url: http://127.0.0.1:1}\n"
    block = "activity: {app: X}\n"
    assert to_source(text, "x", "x.yaml").file.activity_origin is None
    file = to_source(text + block, "x", "x.yaml").file
    assert file.activity_origin is file.source
