"""Plain frames as raw rows: numbered, counted, as text that says what the value was."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.python.frames import check_raw, raw_of
from extractors.python.text import NotTextError, to_text_columns
from schemas.errors import FunctionError, SourceIncompleteError
from schemas.raw import Raw, RawTable, ReaderState
from schemas.tables import REJECTS, ROW

PEOPLE = pl.DataFrame({"id": ["00012", "b"], "mail": ["a@example.com", None]})


def text_of(values: list[object], dtype: pl.DataType | None = None) -> list[str | None]:
    return to_text_columns(pl.DataFrame({"x": pl.Series(values, dtype=dtype)}))["x"].to_list()


def test_rows_are_numbered_from_one_and_counted_and_text_stays_as_it_is():
    raw = raw_of(accounts=PEOPLE, proof="2 of 2 people")
    assert raw.accounts.rows.to_dict(as_series=False) == {
        "id": ["00012", "b"],
        "mail": ["a@example.com", None],
        ROW: [1, 2],
    }
    assert raw.accounts.rows.schema[ROW] == pl.UInt32
    assert (raw.accounts.read_count, raw.accounts.rejects.height) == (2, 0)
    assert (raw.proof, raw.entitlements, raw.associations) == (("2 of 2 people",), None, None)
    assert raw.taken_at.tzinfo is not None


def test_each_table_has_its_own_numbers():
    grants = pl.DataFrame({"who": ["b"], "what": ["admin"]})
    raw = raw_of(accounts=PEOPLE, associations=grants, proof=["2 people", "1 grant"])
    assert raw.associations is not None
    assert (raw.associations.name, raw.associations.rows[ROW].to_list()) == ("associations", [1])
    assert raw.proof == ("2 people", "1 grant")


@pytest.mark.parametrize(
    ("values", "dtype", "text"),
    [
        ([12, -3, None], pl.Int64(), ["12", "-3", None]),
        ([2**64 - 1], pl.UInt64(), ["18446744073709551615"]),
        ([12.0, 0.1, -0.0, None], pl.Float64(), ["12", "0.1", "0", None]),
        ([1e21, 1e-7], pl.Float64(), ["1000000000000000000000", "0.0000001"]),
        ([0.1, 1e-7], pl.Float32(), ["0.1", "0.0000001"]),
        ([Decimal("1.10"), Decimal("20.00")], pl.Decimal(10, 2), ["1.1", "20"]),
        ([True, False, None], pl.Boolean(), ["true", "false", None]),
        ([date(2026, 8, 31)], pl.Date(), ["2026-08-31"]),
        ([time(6, 30), time(6, 30, 0, 5000)], pl.Time(), ["06:30:00", "06:30:00.005"]),
        (
            [datetime.fromisoformat("2026-08-31T06:30:00")],
            pl.Datetime("us"),
            ["2026-08-31T06:30:00"],
        ),
        ([b"\x01\xff"], pl.Binary(), ["01ff"]),
        (["A", None], pl.Categorical(), ["A", None]),
        (["A", None], pl.Enum(["A"]), ["A", None]),
        ([None, None], pl.Null(), [None, None]),
        (["00012", " x ", ""], pl.String(), ["00012", " x ", ""]),
    ],
)
def test_a_value_has_one_form_as_text(
    values: list[object], dtype: pl.DataType, text: list[str | None]
):
    assert text_of(values, dtype) == text


def test_a_time_with_a_zone_is_told_in_utc_to_its_last_digit():
    local = pl.Series([1_756_614_600_000_000_001]).cast(pl.Datetime("ns", "UTC"))
    frame = pl.DataFrame({"x": local.dt.convert_time_zone("Europe/Paris")})
    assert to_text_columns(frame)["x"].to_list() == ["2025-08-31T04:30:00.000000001Z"]


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_a_whole_number_is_read_back_as_it_was(numbers: list[int]):
    assert [int(one or "") for one in text_of(list(numbers), pl.Int64())] == numbers


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_a_float_is_read_back_as_it_was(numbers: list[float]):
    text = text_of(list(numbers), pl.Float64())
    assert [float(one or "") for one in text] == numbers
    assert not any(set(one or "") & set("eE+") for one in text)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (pl.Series([[1]]), r"column 'x' is List\(Int64\), which has no one form"),
        (pl.Series([{"a": 1}]), "column 'x' is Struct"),
        (pl.Series([timedelta(1)]), "column 'x' is Duration"),
        (pl.Series([object()], dtype=pl.Object), "column 'x' is Object"),
        (pl.Series([1.0, float("nan")]), "column 'x' has a NaN or an infinity"),
        (pl.Series([float("-inf")]), "column 'x' has a NaN or an infinity"),
    ],
)
def test_what_has_no_one_form_as_text_is_refused_by_its_column(values: pl.Series, said: str):
    with pytest.raises(NotTextError, match=said):
        to_text_columns(pl.DataFrame({"x": values}))
    with pytest.raises(FunctionError, match=f"raw_of: accounts: {said}"):
        raw_of(accounts=pl.DataFrame({"x": values}), proof="all")


@pytest.mark.parametrize("proof", ["", "  ", (), ["2 pages", ""]])
def test_a_frame_without_a_proof_is_refused(proof: object):
    with pytest.raises(FunctionError, match="the read has no proof: say what shows"):
        raw_of(accounts=PEOPLE, proof=proof)  # type: ignore[arg-type]


def test_a_read_without_an_account_is_not_whole():
    with pytest.raises(SourceIncompleteError, match="an empty snapshot is never uploaded"):
        raw_of(accounts=PEOPLE.clear(), proof="0 of 0")


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ([{"id": "a"}], "accounts is a list, not a polars DataFrame"),
        (PEOPLE.lazy(), "accounts is a LazyFrame, not a polars DataFrame"),
        (None, "accounts is None"),
        (PEOPLE.with_row_index(ROW), "a column 'source row'"),
        (pl.DataFrame(), "it has no column"),
    ],
)
def test_what_is_no_frame_of_rows_is_refused(frame: object, said: str):
    with pytest.raises(FunctionError, match=said):
        raw_of(accounts=frame, proof="all")  # type: ignore[arg-type]


def test_a_time_of_the_data_needs_a_zone():
    with pytest.raises(FunctionError, match="taken_at has no zone"):
        raw_of(accounts=PEOPLE, proof="all", taken_at=datetime(2026, 8, 1))  # noqa: DTZ001
    at = datetime(2026, 8, 1, tzinfo=UTC)
    assert raw_of(accounts=PEOPLE, proof="all", taken_at=at).taken_at == at


def by_hand(**changes: object) -> Raw:
    """A read with an accounts table made by hand."""
    made = raw_of(accounts=PEOPLE, proof="all")
    return replace(made, accounts=replace(made.accounts, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (by_hand(read_count=3), "read_count is not its rows and rejects"),
        (by_hand(dropped_count=1, read_count=3), "read_count is not its rows and rejects"),
        (by_hand(rows=PEOPLE), "does not number its rows"),
        (by_hand(rows=PEOPLE.with_columns(pl.lit(1, pl.UInt32).alias(ROW))), "does not number"),
        (by_hand(rows=PEOPLE.with_columns(n=1).with_row_index(ROW)), "not every column is text"),
        (by_hand(rejects=pl.DataFrame()), "its rejects are not of their form"),
        (by_hand(name="people"), "no RawTable of that name"),
        (replace(by_hand(), accounts=PEOPLE), "no RawTable of that name"),
        (replace(by_hand(), state=ReaderState({"n": 1}, {})), "no ReaderState"),  # type: ignore[dict-item]
        (replace(by_hand(), state={"n": "1"}), "no ReaderState"),
    ],
)
def test_a_read_that_a_person_made_by_hand_is_looked_at(raw: Raw, said: str):
    with pytest.raises(FunctionError, match=said):
        check_raw(raw)


def test_a_read_by_hand_may_have_rows_that_could_not_be_split():
    reject = {"table": "accounts", "file": "people.txt", "row": 3, "reason": "too few fields"}
    rejects = pl.DataFrame([reject], schema=REJECTS)
    rows = PEOPLE.with_columns(pl.int_range(1, 3, dtype=pl.UInt32).alias(ROW))
    table = RawTable("accounts", rows, rejects, 3, "people.txt")
    check_raw(replace(by_hand(), accounts=table, state=ReaderState({"n": "1"}, {"all": PEOPLE})))


# A proof that says how many.


@pytest.mark.parametrize(
    "proof",
    ["2 of 2", "2 of 2 accounts, all pages", "2 of 2 rows", "7 of 7 pages",
     "1 of 1 associations", "3 of 3 rows", "12 of 12 departments", "all", "release 3.1 of 4"],
)  # fmt: skip
def test_a_proof_of_as_many_as_came_is_one(proof: str):
    grants = pl.DataFrame({"account_id": ["00012"], "role": ["r"]})
    assert raw_of(accounts=PEOPLE, associations=grants, proof=proof).proof == (proof,)


@pytest.mark.parametrize(
    "proof",
    ["42 of 42", "42 of 42 accounts", "1,042 of 1,042 people", "42 of 42 rows", "41 of 42 pages",
     "1 of 2", "2 of 2 associations", "all: 3 of 3 users", "42 of 42 Accounts."],
)  # fmt: skip
def test_a_proof_of_more_than_came_ends_the_read(proof: str):
    grants = pl.DataFrame({"account_id": ["00012"], "role": ["r"]})
    with pytest.raises(SourceIncompleteError, match="run again"):
        raw_of(accounts=PEOPLE, associations=grants, proof=proof)


def test_a_total_is_a_proof_and_is_compared():
    assert raw_of(accounts=PEOPLE, total=2).proof == ("2 of 2 accounts",)
    for total in (1, 3):
        with pytest.raises(SourceIncompleteError):
            raw_of(accounts=PEOPLE, total=total)


def test_an_account_that_came_twice_is_one_of_those_that_were_told():
    twice = pl.DataFrame({"id": ["a", "b", "b"]})
    raw = raw_of(accounts=twice, proof="3 of 3 accounts")
    with pytest.raises(SourceIncompleteError, match="the proof says 3 accounts, and 2 came"):
        check_raw(raw, "id")
    check_raw(raw_of(accounts=twice, proof="3 of 3 rows"), "id")
    check_raw(raw, "another")
