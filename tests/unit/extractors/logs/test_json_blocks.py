"""A block of JSON lines read by polars is what it is line by line, or is not read so at all."""

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.logs.json_blocks import block_rows, to_schema
from extractors.logs.json_records import Block, json_lines
from extractors.logs.paths import cell_of, getter, is_inexact

PATHS = ("id", "actor.name", "deep.er.x", "at")

_LEAF = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=6), st.just("1e5"), st.just("1.50"),
    st.floats(allow_nan=False, allow_infinity=False), st.just([]), st.just({"a": 1}),
)  # fmt: skip
_RECORD = st.fixed_dictionaries(
    {},
    optional={
        "id": _LEAF,
        "at": _LEAF,
        "actor": st.one_of(_LEAF, st.fixed_dictionaries({}, optional={"name": _LEAF, "z": _LEAF})),
        "deep": st.fixed_dictionaries({"er": st.fixed_dictionaries({"x": _LEAF})}),
        "other": _LEAF,
        "actor.name": st.text(min_size=1, max_size=3),
    },
)


def line_by_line(content: bytes) -> list[tuple[str | None, ...]] | None:
    """The cells; None where a line is no record."""
    reads = list(json_lines(Block(content, 1, content.count(b"\n"))))
    if any(one.record is None for one in reads) or len(reads) != content.count(b"\n"):
        return None
    rows = []
    for one in reads:
        values = [getter(path)(one.record or {}) for path in PATHS]
        if any(map(is_inexact, values)):
            values = [getter(path)(one.as_written()) for path in PATHS]
        rows.append(tuple(map(cell_of, values)))
    return rows


def by_polars(content: bytes) -> list[tuple[str | None, ...]] | None:
    schema = to_schema(PATHS)
    assert schema is not None
    rows = block_rows(content, content.count(b"\n"), PATHS, schema)
    return None if rows is None else rows.rows()


@settings(max_examples=150, deadline=None)
@given(st.lists(_RECORD, min_size=1, max_size=4), st.booleans())
def test_a_block_is_exact_or_not_read(records: list[dict[str, object]], ascii_only: bool) -> None:
    lines = [json.dumps(one, ensure_ascii=ascii_only) for one in records]
    content = ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass")
    try:
        content.decode()
    except UnicodeDecodeError:
        return
    found = by_polars(content)
    assert found is None or found == line_by_line(content)


def test_what_is_usual_is_read_so() -> None:
    records = [
        {"id": "a", "actor": {"name": "Zoë"}, "deep": {"er": {"x": 12}}, "at": "2026-07-01"},
        {"id": 12345678901234567890, "actor": None, "at": True, "noise": [1, {"b": 2.5}]},
    ]
    content = "".join(json.dumps(one) + "\n" for one in records).encode()
    assert by_polars(content) == [
        ("a", "Zoë", "12", "2026-07-01"),
        ("12345678901234567890", None, None, "true"),
    ]


@pytest.mark.parametrize(
    "line",
    ['{"id": 1.50}', '{"id": 1e5}', '{"id": {"a": 1}}', '{"id": [1]}', '{"actor": "x"}', "[]", "",
     '{"id": "a"', "no json"],
)  # fmt: skip
def test_what_may_be_rewritten_or_is_no_record_is_not(line: str) -> None:
    assert by_polars(f'{{"id": "a"}}\n{line}\n'.encode()) is None


@pytest.mark.parametrize(
    "paths", [("t[0].id",), ("t.0.id",), ("a", "a.b"), ("a.b", "a"), ("a..b",)]
)
def test_paths_that_polars_cannot_follow_are_not_given_to_it(paths: tuple[str, ...]) -> None:
    assert to_schema(paths) is None


def test_a_path_with_dots_is_a_key_of_its_own_or_keys_within_one_another() -> None:
    schema = to_schema(("user.name",))
    assert schema == {"user": pl.Struct({"name": pl.String()}), "user.name": pl.String()}
