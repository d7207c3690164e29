"""Laws of the CSV reader, on tables and on bytes that no one would think of."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import polars.testing
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from extractors.read import read_source
from schemas.errors import IngestError, SourceFormatError
from schemas.raw import RawTable
from schemas.source_file.kinds.csv_source import CsvSource
from schemas.tables import ROW

_HEADER = ("id", "mail", "note")
_THOROUGH = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_CELLS = st.text(
    st.one_of(
        st.sampled_from(list(',;"\n\r\t |ab0 é“')),
        st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"),
    ),
    max_size=8,
)


@st.composite
def _tables(draw: st.DrawFn) -> list[list[str]]:
    width = draw(st.integers(2, 3))
    return draw(st.lists(st.lists(_CELLS, min_size=width, max_size=width), max_size=6))


def _read(content: bytes, tmp_path: Path, **options: object) -> RawTable:
    (tmp_path / "accounts.csv").write_bytes(content)
    source = CsvSource(kind="csv", accounts="accounts.csv", max_age=None, **options)
    return read_source(source, tmp_path, now=datetime.now(UTC)).accounts


def _written(table: list[list[str]], quoting: int, end: str) -> tuple[bytes, list[int]]:
    """The table as CSV under a header, and the line every row begins on."""
    out, starts = io.StringIO(newline=""), []
    width = len(table[0]) if table else 2
    writer = csv.writer(out, quoting=quoting, lineterminator=end)
    writer.writerow(_HEADER[:width])
    for row in table:
        starts.append(out.getvalue().count("\n") + 1)
        writer.writerow(row)
    return out.getvalue().encode(), starts


def _has_a_record_inside(content: bytes, width: int) -> bool:
    """Whether some physical line below another's open quote is a whole record alone."""
    inside = False
    for line in content.decode().split("\n"):
        text = line.removesuffix("\r")
        if inside:
            alone = list(csv.reader([text], strict=False))
            if text and len(alone) == 1 and len(alone[0]) == width:
                return True
        inside ^= text.count('"') % 2 == 1
    return False


@_THOROUGH
@given(
    table=_tables(),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    end=st.sampled_from(["\n", "\r\n"]),
)
@example(table=[["a\nb", "c"], ["d", "e"]], quoting=csv.QUOTE_MINIMAL, end="\n")
@example(table=[["a\n1,2\nb", "c"]], quoting=csv.QUOTE_MINIMAL, end="\n")
@example(table=[["\r", "\r\n"], ['"', '""']], quoting=csv.QUOTE_ALL, end="\r\n")
def test_what_a_csv_writer_wrote_is_read_back_exactly_or_refused_as_ambiguous(
    table: list[list[str]], quoting: int, end: str, tmp_path: Path
) -> None:
    width = len(table[0]) if table else 2
    # A bare carriage return is quoted by the writer only where it is in the line's end.
    end = "\r\n" if quoting == csv.QUOTE_MINIMAL else end
    content, starts = _written(table, quoting, end)
    try:
        read = _read(content, tmp_path, separator=",")
    except SourceFormatError:
        assert _has_a_record_inside(content, width)
        return
    expected = pl.DataFrame(
        {name: [row[i] for row in table] for i, name in enumerate(_HEADER[:width])} | {ROW: starts},
        schema=dict.fromkeys(_HEADER[:width], pl.String()) | {ROW: pl.UInt32()},
    )
    repeated = [
        start for start, row in zip(starts, table, strict=True) if row == list(_HEADER[:width])
    ]
    expected = expected.filter(~pl.col(ROW).is_in(repeated))
    polars.testing.assert_frame_equal(read.rows, expected)
    assert read.rejects["row"].to_list() == repeated


@_THOROUGH
@given(
    lines=st.lists(st.text(st.sampled_from('a,"\r\0\n é;'), max_size=12), max_size=12),
    header=st.booleans(),
    quote=st.sampled_from(['"', "none", "'"]),
    separator=st.sampled_from([",", "auto"]),
)
def test_every_line_of_a_corrupted_file_is_a_row_a_reject_blank_or_within_one(
    lines: list[str], header: bool, quote: str, separator: str, tmp_path: Path
) -> None:
    content = "\n".join(["id,mail", *lines]).encode()
    try:
        read = _read(content, tmp_path, header=header, quote=quote, separator=separator)
    except IngestError:
        return
    assert read.read_count == read.rows.height + read.rejects.height
    numbers = [*read.rows[ROW], *read.rejects["row"]]
    assert len(set(numbers)) == len(numbers)
    physical = content.decode().split("\n")
    filled = {
        number for number, line in enumerate(physical, 1) if line.strip("\r") and number > header
    }
    assert set(numbers) <= filled
    spans = [
        line for row in read.rows.drop(ROW).rows() for cell in row for line in cell.split("\n")[1:]
    ]
    rejected = [line for value in read.rejects["value"] for line in value.split("\n")[1:]]
    silent = [number for number in filled - set(numbers) if physical[number - 1].strip(" \t\r")]
    assert len(silent) <= len(spans) + len(rejected)


@_THOROUGH
@given(content=st.binary(max_size=200), suffix=st.sampled_from(["", "id,mail\n", "\ufeffid;x\n"]))
def test_arbitrary_bytes_are_read_or_refused_in_one_line(
    content: bytes, suffix: str, tmp_path: Path
) -> None:
    problem = None
    try:
        _read(suffix.encode() + content, tmp_path)
    except IngestError as error:
        problem = str(error)
    assert problem is None or (problem and "\n" not in problem)


@pytest.mark.parametrize("width", [2, 90, 300, 3000])
def test_wide_files_are_read_whole(width: int, tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(width)]
    row = ['"a,b"', *("x" for _ in names[1:])]
    content = "\n".join([",".join(names), ",".join(row), ",".join(row[1:]), ",".join(row)])
    read = _read(content.encode(), tmp_path, separator=",")
    assert read.rows[ROW].to_list() == [2, 4]
    assert read.rows["c0"].to_list() == ["a,b", "a,b"]
    assert read.rejects["row"].to_list() == [3]
