import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from schemas.tables import ACTIVITY
from transforms.activity.bodies import to_bodies, to_body

CONTRACT = json.loads(
    (Path(__file__).parents[2] / "lumos_contract.json")
    .read_text("utf-8")
    .replace('"$ref": "', '"$ref": "#/$defs/')
)
SCHEMA = {"$ref": "#/$defs/ActivityRecordInput", "$defs": CONTRACT["schemas"]}
AT = datetime(2026, 7, 1, 10, 0, 0, 250000, tzinfo=UTC)


def records(*rows: tuple[str | None, str | None, str | None]) -> pl.DataFrame:
    """Logins, a second apart, of (account, e-mail address, app inside the source)."""
    made = [
        (who, email, "LOGIN", AT + timedelta(seconds=n), 'app "1"', app)
        for n, (who, email, app) in enumerate(rows)
    ]
    return pl.DataFrame(made, schema=ACTIVITY, orient="row")


def test_a_body_says_what_lumos_s_contract_wants_and_leaves_out_what_is_absent():
    body = json.loads(
        to_body(
            records(
                ('a"\\\né', "a@x.example", None), (None, "b@x.example", "0oa1"), ("c", None, None)
            )
        )
    )
    assert body["records"] == [
        {
            "account": {"external_id": 'a"\\\né', "email": "a@x.example"},
            "event": {"type": "LOGIN"},
            "timestamp": "2026-07-01T10:00:00.250Z",
            "source_app_id": 'app "1"',
        },
        {
            "account": {"email": "b@x.example"},
            "event": {"type": "LOGIN"},
            "timestamp": "2026-07-01T10:00:01.250Z",
            "source_app_id": 'app "1"',
            "app": {"instance_identifier": "0oa1"},
        },
        {
            "account": {"external_id": "c"},
            "event": {"type": "LOGIN"},
            "timestamp": "2026-07-01T10:00:02.250Z",
            "source_app_id": 'app "1"',
        },
    ]
    assert list(Draft202012Validator(SCHEMA).iter_errors(body)) == []


@given(
    st.lists(
        st.tuples(st.text(min_size=1, max_size=30), st.none(), st.none()), min_size=0, max_size=60
    ),
    st.integers(1, 7),
    st.integers(100, 900),
)
@settings(deadline=None)
def test_batches_hold_every_record_once_in_order_and_keep_both_limits(
    rows: list[tuple[str, None, None]], most: int, most_bytes: int
):
    made = records(*rows)
    batches = list(to_bodies(made, most, most_bytes))
    at = 0
    for start, count, body in batches:
        assert start == at
        assert 1 <= count <= most
        assert len(body) <= most_bytes or count == 1
        assert body == to_body(made.slice(start, count))
        assert [one["account"]["external_id"] for one in json.loads(body)["records"]] == [
            who for who, _, _ in rows[start : start + count]
        ]
        at += count
    assert at == len(rows)


def test_a_batch_is_no_smaller_than_it_must_be():
    made = records(*[(f"a{n}", None, None) for n in range(10)])
    size = len(to_body(made.slice(0, 5)))
    assert [count for _, count, _ in to_bodies(made, 1000, size)] == [5, 5]
    assert [count for _, count, _ in to_bodies(made, 1000, size - 1)] == [4, 4, 2]
