"""Two versions of a table, matched by key."""

import polars as pl
import pytest

from transforms.plan.plan import Matched, differing, matched

NUMBER = pl.UInt32


def table(keys: str, **columns: list[str | None]) -> pl.DataFrame:
    """A table with a row a letter."""
    return pl.DataFrame({"key": list(keys), **columns}, schema_overrides={"key": pl.String})


def told(rows: Matched) -> tuple[list[int | None], ...]:
    """The five columns of row numbers, each of which is UInt32."""
    columns = (rows.now, rows.before, rows.added, rows.removed, rows.now_of_before)
    assert [column.dtype for column in columns] == [NUMBER] * 5
    return tuple(column.to_list() for column in columns)


@pytest.mark.parametrize(
    ("now", "before", "wanted"),
    [
        ("", "", ([], [], [], [], [])),
        ("ab", "ab", ([0, 1], [0, 1], [], [], [0, 1])),
        ("ab", "ba", ([0, 1], [1, 0], [], [], [1, 0])),
        ("ab", "", ([], [], [0, 1], [], [])),
        ("", "ab", ([], [], [], [0, 1], [None, None])),
        ("abd", "acd", ([0, 2], [0, 2], [1], [1], [0, None, 2])),
        ("ab", "cd", ([], [], [0, 1], [0, 1], [None, None])),
        ("b", "abc", ([0], [1], [], [0, 2], [None, 0, None])),
    ],
)
def test_every_row_is_in_both_or_new_or_gone(now: str, before: str, wanted) -> None:
    assert told(matched(table(now), table(before), ["key"])) == wanted


def test_a_key_of_two_columns_is_matched_as_a_whole() -> None:
    now = table("ab", scope=["x", "y"])
    before = table("ab", scope=["x", "x"])
    assert told(matched(now, before, ["key", "scope"])) == ([0], [0], [1], [1], [0, None])
    assert told(matched(now, before, ["key"])) == ([0, 1], [0, 1], [], [], [0, 1])


def test_only_rows_that_differ_are_told_with_the_fields_that_do() -> None:
    now = table("abcd", x=["1", "2", None, "4"], y=["1", None, "3", "4"])
    before = table("dcba", x=["4", None, "2", "0"], y=["4", "3", "2", "0"])
    found = differing(now, before, matched(now, before, ["key"]), ["x", "y"])
    assert found.rows() == [(0, 3, ["x", "y"]), (1, 2, ["y"])]


@pytest.mark.parametrize("lacking", ["now", "before"])
def test_a_field_that_one_version_lacks_is_null_there(lacking: str) -> None:
    whole, part = table("ab", x=["1", None]), table("ab")
    now, before = (part, whole) if lacking == "now" else (whole, part)
    found = differing(now, before, matched(now, before, ["key"]), ["x"])
    assert found.rows() == [(0, 0, ["x"])]


def test_rows_that_are_new_or_gone_do_not_differ() -> None:
    now, before = table("ac", x=["1", "2"]), table("ab", x=["1", "3"])
    found = differing(now, before, matched(now, before, ["key"]), ["x"])
    assert found.rows() == []
    assert found.columns == ["now", "before", "fields"]
