"""Sheets of .xlsx workbooks: text as it is shown, dates as dates, and what nobody can read."""

import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from extractors.delimited.workbook import shown
from extractors.read import probe_source, read_source
from schemas.errors import SourceError, SourceFormatError, SourceIncompleteError
from schemas.raw import Raw
from schemas.snapshot import empty_snapshot
from schemas.source_file.kinds.csv_source import CsvSource
from schemas.tables import FORMULA_ERROR, NO_FORMULA_VALUE, ROW, TOO_MANY_DIGITS
from tests.unit.builders import source_file
from transforms.snapshot.snapshot import to_snapshot

DAY = datetime(2026, 1, 2)  # noqa: DTZ001 - a spreadsheet knows no zones


def book(path: Path, fill: Callable[..., object], **options: object) -> None:
    with xlsxwriter.Workbook(path, options) as workbook:
        fill(workbook, workbook.add_worksheet("Users"))


def read(folder: Path, **options: object) -> Raw:
    source = CsvSource(kind="csv", accounts="a.xlsx", max_age=None, **options)
    return read_source(source, folder, now=datetime.now(UTC), id_columns={"accounts": "id"})


def cells(raw: Raw) -> list[tuple[str, ...]]:
    return raw.accounts.rows.select(pl.exclude(ROW)).rows()


@pytest.mark.parametrize("is_1904", [False, True])
def test_cells_are_the_text_that_is_shown_and_dates_are_dates(is_1904, tmp_path: Path) -> None:
    def fill(workbook, sheet) -> None:
        five = workbook.add_format({"num_format": "00000"})
        ssn = workbook.add_format({"num_format": "000-00-0000"})
        day = workbook.add_format({"num_format": "dd/mm/yyyy"})
        moment = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        sheet.write_row(2, 1, ["id", "ssn", "day", "moment", "n", "t", "b"])
        sheet.write_row(3, 1, [42, 12345678], five)
        sheet.write_number(3, 2, 12345678, ssn)
        sheet.write_datetime(3, 3, DAY, day)
        sheet.write_datetime(3, 4, DAY.replace(hour=3, minute=4), moment)
        sheet.write_row(3, 5, [1.5, " 007 ", True])
        sheet.write_row(5, 1, ["x", "", "", "", 12345678901])

    book(tmp_path / "a.xlsx", fill, date_1904=is_1904)
    raw = read(tmp_path)
    assert raw.accounts.rows.columns == ["id", "ssn", "day", "moment", "n", "t", "b", ROW]
    first = ("00042", "012-34-5678", "2026-01-02", "2026-01-02 03:04:00", "1.5", " 007 ", "true")
    assert cells(raw) == [first, ("x", "", "", "", "12345678901", "", "")]
    assert raw.accounts.rows[ROW].to_list() == [4, 6]
    assert raw.accounts.read_count == 2


@pytest.mark.parametrize(
    ("code", "number", "text"),
    [
        ("00000", "7", "00007"),
        ("000", "12345", "12345"),
        ('"E-"000', "7", "E-007"),
        (r"00\/00", "123", "01/23"),
        ("00", "-7", None),
        ("00", "7.5", None),
    ],
)
def test_a_format_of_zeros_shows_them(code, number, text) -> None:
    assert shown(number, code) == text


def test_what_nobody_can_read_is_a_reject_with_its_reason(tmp_path: Path) -> None:
    def fill(_, sheet) -> None:
        sheet.write_row(0, 0, ["id", "email", "given_name", "family_name", "state"])
        for row in range(1, 4):
            sheet.write_row(row, 0, [f"u{row}", f"u{row}@x.org", "A", "B", "ACTIVE"])
        sheet.write_formula(1, 1, "=NA()", None, "#N/A")
        sheet.write_formula(2, 2, "=A1", None, "")
        sheet.write_formula(3, 4, "=NA()", None, "#N/A")
        sheet.write_row(4, 0, [1234567890123456, "z@x.org", "A", "B", "ACTIVE"])

    book(tmp_path / "a.xlsx", fill)
    raw = read(tmp_path)
    assert [row[1] for row in cells(raw)[:1]] == [FORMULA_ERROR]
    assert cells(raw)[1][2] == NO_FORMULA_VALUE
    assert cells(raw)[3][0] == TOO_MANY_DIGITS
    columns = "columns: {integration_specific_id: id, user_status: state}\n"
    made = to_snapshot(raw, source_file(columns), empty_snapshot(), datetime.now(UTC))
    assert made.rejects.select("row", "column", "code", "is_cell").rows() == [
        (2, "email", "formula_error", True),
        (3, "given_name", "formula_without_value", True),
        (4, "user_status", "formula_error", False),
        (5, "integration_specific_id", "too_many_digits", False),
    ]
    assert made.snapshot.accounts["integration_specific_id"].to_list() == ["u1", "u2"]


def test_a_row_of_formulas_without_a_value_is_a_row(tmp_path: Path) -> None:
    def fill(_, sheet) -> None:
        sheet.write_row(0, 1, ["id", "n"])
        sheet.write_row(1, 1, ["a", "1"])
        for place in ((0, 0), (2, 1), (2, 3)):
            sheet.write_formula(*place, "=1", None, "")

    book(tmp_path / "a.xlsx", fill)
    with pytest.raises(SourceFormatError, match="column 4 is blank"):
        read(tmp_path)

    def without_the_last(workbook, sheet) -> None:
        fill(workbook, sheet)
        sheet.write_string(0, 3, "more")

    book(tmp_path / "a.xlsx", without_the_last)
    raw = read(tmp_path)
    assert raw.accounts.rows["id"].to_list() == ["a", NO_FORMULA_VALUE]
    assert raw.accounts.rows["more"].to_list() == ["", NO_FORMULA_VALUE]


def test_what_is_hidden_is_told(tmp_path: Path) -> None:
    def fill(workbook, sheet) -> None:
        sheet.write_column(0, 0, ["id", "a", "b"])
        sheet.set_row(1, None, None, {"hidden": True})
        workbook.add_worksheet("Other").write(0, 0, "x")
        workbook.add_worksheet("Old").hide()

    book(tmp_path / "a.xlsx", fill)
    raw = read(tmp_path)
    assert cells(raw) == [("a",), ("b",)]
    assert raw.warnings == (
        "a.xlsx: the sheet 'Users' is read, not 'Other', 'Old': see sheet:",
        "a.xlsx: hidden sheets, not read: 'Old'",
        "a.xlsx: 1 hidden rows are read all the same",
    )
    source = CsvSource(kind="csv", accounts="a.xlsx")
    (probe,) = probe_source(source, tmp_path, now=datetime.now(UTC))
    assert probe.columns == ("id",)


def test_a_sheet_is_taken_by_its_name_or_number(tmp_path: Path) -> None:
    def fill(workbook, sheet) -> None:
        sheet.write_column(0, 0, ["id", "a"])
        workbook.add_worksheet("Leavers").write_column(0, 0, ["id", "z"])

    book(tmp_path / "a.xlsx", fill)
    for sheet, name in (("Leavers", "z"), ("2", "z"), ("Users", "a"), ("1", "a")):
        assert cells(read(tmp_path, sheet=sheet)) == [(name,)]
    with pytest.raises(SourceFormatError, match="no sheet 'Gone'; it has 'Users', 'Leavers'"):
        read(tmp_path, sheet="Gone")


def test_lines_above_the_header_are_passed_over(tmp_path: Path) -> None:
    book(tmp_path / "a.xlsx", lambda _, sheet: sheet.write_column(0, 0, ["Report", "id", "a"]))
    assert cells(read(tmp_path, skip_lines=1)) == [("a",)]
    assert cells(read(tmp_path, header=False, blank=("id",)))[1:] == [("",), ("a",)]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([], "is empty"),
        ([["id", ""], ["a", "b"]], "the header, row 1: the name of column 2 is blank"),
        ([["id", "id"], ["a", "b"]], "is there twice"),
    ],
)
def test_a_sheet_without_a_usable_header_is_refused(rows, says, tmp_path: Path) -> None:
    def fill(_, sheet) -> None:
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)

    book(tmp_path / "a.xlsx", fill)
    with pytest.raises((SourceFormatError, SourceIncompleteError), match=says):
        read(tmp_path)


def test_what_unpacks_beyond_measure_is_not_opened(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * (120 << 20))
    with pytest.raises(SourceFormatError, match="times its size"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xd0\xcf\x11\xe0" + b"x" * 99, "encrypted or an old workbook"),
        (b"id,email\n", "no whole .xlsx"),
        (b"PK\x03\x04" + b"x" * 99, "no whole .xlsx"),
    ],
)
def test_what_is_no_workbook_is_told(content, says, tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(content)
    with pytest.raises(SourceError, match=says):
        read(tmp_path)


def test_a_document_type_is_refused(tmp_path: Path) -> None:
    book(tmp_path / "b.xlsx", lambda _, sheet: sheet.write_column(0, 0, ["id", "a"]))
    with (
        zipfile.ZipFile(tmp_path / "b.xlsx") as old,
        zipfile.ZipFile(tmp_path / "a.xlsx", "w") as new,
    ):
        for name in old.namelist():
            text = old.read(name)
            if name.endswith("sheet1.xml"):
                text = text.replace(b"<worksheet", b"<!DOCTYPE x><worksheet", 1)
            new.writestr(name, text)
    with pytest.raises(SourceFormatError, match="document type"):
        read(tmp_path)
