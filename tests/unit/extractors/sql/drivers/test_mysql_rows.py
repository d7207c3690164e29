"""PyMySQL's rows a column at a time: the same text as a cell at a time, type by type."""

import struct

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymysql.constants import FIELD_TYPE
from pymysql.converters import decoders, through

from extractors.sql.drivers.mysql_rows import Cells, Form, cut_row, to_column
from extractors.sql.session.values import column_text

FORMS = {
    "whole": (FIELD_TYPE.LONGLONG, "ascii"),
    "small": (FIELD_TYPE.TINY, "ascii"),
    "year": (FIELD_TYPE.YEAR, "ascii"),
    "double": (FIELD_TYPE.DOUBLE, "ascii"),
    "float": (FIELD_TYPE.FLOAT, "ascii"),
    "decimal": (FIELD_TYPE.NEWDECIMAL, "ascii"),
    "moment": (FIELD_TYPE.TIMESTAMP, "ascii"),
    "time": (FIELD_TYPE.DATETIME, "ascii"),
    "day": (FIELD_TYPE.DATE, "ascii"),
    "wait": (FIELD_TYPE.TIME, "ascii"),
    "text": (FIELD_TYPE.VAR_STRING, "utf8"),
    "letter": (FIELD_TYPE.STRING, "utf8"),
    "long text": (FIELD_TYPE.BLOB, "utf8"),
    "bytes": (FIELD_TYPE.BLOB, None),
    "short bytes": (FIELD_TYPE.STRING, None),
    "bits": (FIELD_TYPE.BIT, None),
    "document": (FIELD_TYPE.JSON, "utf8"),
}
CELLS: dict[str, list[str | None]] = {
    "whole": ["0", "-1", "9223372036854775807", "18446744073709551615", "00042", None],
    "small": ["0", "1", "-128", "007", None],
    "year": ["2026", "0000", "1901", None],
    "double": ["0", "-0", "0.1", "1e22", "1e-7", "1.7976931348623157e308", "123456789012", None],
    "float": ["0.1", "1e10", "-3.5", "16777216", None],
    "decimal": ["1.50", "-0.00", "-0.50", "0001.50", "100", "12345678901234567890.10", "0", None],
    "moment": ["2026-07-02 03:04:05", "2026-07-02 03:04:05.120000", "0000-00-00 00:00:00", None],
    "time": [
        *("2026-07-02 03:04:05.000001", "1000-01-01 00:00:00", "9999-12-31 23:59:59.999999"),
        *("0001-01-01 00:00:00", "0000-01-01 00:00:00", "2026-02-30 00:00:00", None),
    ],
    "day": ["2026-01-02", "0000-00-00", "0000-01-01", "0999-01-01", "2026-00-10", None],
    "wait": ["26:03:04", "-01:02:03.500000", "00:00:00", "838:59:59", None],
    "text": ["", " a ", "ä😀", "a\0b", 'a"b\n', "0042", None],
    "letter": ["b", "", None],
    "long text": ["x" * 70_000, "é", None],
    "bytes": ["\0\x7f", "", None],
    "short bytes": ["ab", None],
    "bits": ["\1", "\0", None],
    "document": ['{"a": 1.0}', "null", None],
}
every_form = pytest.mark.parametrize("name", FORMS)


def form_of(name: str) -> Form:
    kind, encoding = FORMS[name]
    converter = decoders.get(kind)
    return Form(kind, encoding, None if converter is through else converter)


def cell(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


def as_a_cell_at_a_time(cells: Cells, form: Form, zone: str | None) -> pl.Series:
    return column_text("c", form.values(cells), zone)


def same(cells: Cells, form: Form, zone: str | None) -> None:
    column = to_column("c", cells, form, zone, list)
    assert column.to_list() == as_a_cell_at_a_time(cells, form, zone).to_list()
    assert column.dtype == pl.String


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Paris"])
@every_form
def test_a_column_at_a_time_gives_the_text_of_a_cell_at_a_time(name: str, zone: str | None) -> None:
    form, cells = form_of(name), [cell(text) for text in CELLS[name]]
    same(cells, form, zone)
    for one in cells:
        same([one], form, zone)
        same([one, None, one], form, zone)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("whole", "42"),
        ("double", "0.1"),
        ("decimal", "-1.50"),
        ("moment", "2026-07-02 03:04:05"),
        ("day", "2026-01-02"),
        ("text", "ä"),
        ("bytes", "ab"),
    ],
)
def test_ordinary_cells_need_no_object_each(name: str, text: str) -> None:
    assert form_of(name).text("c", [cell(text), None], None) is not None


@given(
    st.lists(st.one_of(st.none(), st.from_regex(r"\A-?[0-9]{1,21}(\.[0-9]{1,9})?\Z")), max_size=5)
)
def test_any_decimal_is_written_alike(texts: list[str | None]) -> None:
    same([cell(text) for text in texts], form_of("decimal"), None)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=5))
def test_any_float_is_written_alike(numbers: list[float]) -> None:
    same([repr(number).encode() for number in numbers], form_of("double"), None)


_DIGITS = r"\A[0-9]{4}-[01]\d-[0-3]\d [0-2]\d:[0-6]\d:[0-6]\d(\.\d{1,6})?\Z".replace(r"\d", "[0-9]")


@given(st.from_regex(_DIGITS), st.sampled_from([None, "UTC"]))
def test_any_time_is_written_alike_also_one_that_cannot_be(text: str, zone: str | None) -> None:
    same([text.encode()], form_of("time"), zone)
    same([text[:10].encode()], form_of("day"), zone)


def test_a_text_that_is_no_utf_8_is_the_drivers_own_error() -> None:
    with pytest.raises(UnicodeDecodeError):
        to_column("c", [b"\xff"], form_of("text"), None, list)


def packet_of(cells: Cells) -> bytes:
    def written(one: bytes | None) -> bytes:
        if one is None:
            return b"\xfb"
        size = len(one)
        if size < 251:
            return bytes([size]) + one
        if size < 1 << 16:
            return b"\xfc" + struct.pack("<H", size) + one
        if size < 1 << 24:
            return b"\xfd" + struct.pack("<I", size)[:3] + one
        return b"\xfe" + struct.pack("<Q", size) + one

    return b"".join(map(written, cells))


def test_a_row_is_cut_into_cells_of_any_length() -> None:
    sizes = (0, 1, 250, 251, 255, 256, 65_535, 65_536, 1 << 24)
    row: Cells = [None, *(b"x" * size for size in sizes), None]
    cells: Cells = [b"before"]
    cut_row(packet_of(row), len(row), cells)
    assert cells == [b"before", *row]


@pytest.mark.parametrize("cut", [b"", b"\x03ab", b"\x01a\x01b\x01c", b"\x01a\xfc\x01"])
def test_a_row_that_is_not_as_wide_as_its_columns_are_many_is_refused(cut: bytes) -> None:
    with pytest.raises(ValueError, match="a row that ends"):
        cut_row(cut, 2, [])
