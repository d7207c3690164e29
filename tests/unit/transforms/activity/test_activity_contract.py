"""Records that keep their contract at a glance keep it by pandera's masks."""

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.contracts import ACTIVITY_CONTRACT
from schemas.tables import ACTIVITY
from transforms.activity.records import activity_failures, keeps_contract
from transforms.tables.conform import failures

AT = datetime(2026, 11, 1, tzinfo=UTC)
GOOD = ("a1", "a@example.com", "LOGIN", AT, "app", None)


def records(*rows: tuple[object, ...]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=ACTIVITY, orient="row")


@pytest.mark.parametrize(
    ("field", "value"),
    [(0, "a\x07"), (1, "no address"), (1, "a\ufffd@example.com"), (2, "OTHER"), (2, None)],
)
def test_one_record_that_breaks_it_is_found_among_others(field: int, value: str | None) -> None:
    bad = (*GOOD[:field], value, *GOOD[field + 1 :])
    made = records(GOOD, bad, GOOD)
    assert not keeps_contract(made)
    assert activity_failures(made)["index"].unique().to_list() == [1]


@pytest.mark.parametrize("blank", [None, " ", ""])
def test_a_record_of_nobody_is_found(blank: str | None) -> None:
    made = records(GOOD, (blank, None, "LOGIN", AT, "app", None))
    assert not keeps_contract(made)
    assert activity_failures(made)["index"].to_list() == [1]


@pytest.mark.parametrize("row", [GOOD, (None, *GOOD[1:]), ("a1", None, *GOOD[2:])])
def test_what_keeps_it_is_known_at_a_glance(row: tuple[object, ...]) -> None:
    assert keeps_contract(records(GOOD, row))
    assert activity_failures(records(GOOD, row)).is_empty()


CELLS = st.none() | st.sampled_from(["a1", " ", "", "a@example.com", "a\x07", "no address"])
ROWS = st.tuples(
    CELLS, CELLS, st.sampled_from(["LOGIN", "ACTIVITY", "OTHER", None]),
    st.none() | st.just(AT), st.just("app"), CELLS,
)  # fmt: skip


@given(st.lists(ROWS, max_size=5))
def test_both_ways_tell_the_same(rows: list[tuple[object, ...]]) -> None:
    made = records(*rows)
    assert activity_failures(made).equals(failures(made, ACTIVITY_CONTRACT))
