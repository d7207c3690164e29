"""One file: which lines are rows, which are rejects, and which files are refused."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from extractors.delimited.dialect import to_dialect
from extractors.delimited.file import read_csv_file
from extractors.delimited.rows import to_rows
from extractors.delimited.structure import Structure
from extractors.exports.export import Export
from extractors.exports.find import find_export
from extractors.exports.text import to_text_file
from extractors.logs.file import read_log_batches
from extractors.read import probe_source, read_source
from extractors.zones.zones import DropZones
from schemas.errors import ConfigError, SourceFormatError, SourceIncompleteError
from schemas.raw import Raw, RawTable
from schemas.source_file.kinds.csv_source import ActivitySource, CsvSource
from schemas.source_file.logs import ANY_LOG
from schemas.tables import ONE_FIELD, REJECTS, ROW, UNREADABLE_LINE


def _raw(content: bytes | str, folder: Path, **options: object) -> Raw:
    written = content.encode() if isinstance(content, str) else content
    (folder / "a.csv").write_bytes(written)
    source = CsvSource(kind="csv", accounts="a.csv", max_age=None, **options)
    return read_source(source, folder, now=datetime.now(UTC), id_columns={"accounts": "id"})


def _read(content: bytes | str, folder: Path, **options: object) -> RawTable:
    return _raw(content, folder, **options).accounts


def _rows(columns: dict[str, list[str]], lines: list[int]) -> pl.DataFrame:
    schema = dict.fromkeys(columns, pl.String()) | {ROW: pl.UInt32()}
    return pl.DataFrame(columns | {ROW: lines}, schema=schema)


def _code(why: str) -> str:
    return ONE_FIELD if why.startswith("1 field ") else UNREADABLE_LINE


def _rejects(*lines: tuple[int, str | None, str, str]) -> pl.DataFrame:
    rows = [
        ("accounts", "a.csv", row, key, None, _code(why), why, text, False, None)
        for row, key, why, text in lines
    ]
    return pl.DataFrame(rows, schema=REJECTS, orient="row")


def test_cells_are_text_exactly_as_written(tmp_path: Path) -> None:
    read = _read('id,note\n00012, x \n"a,""b""",\n"",1e5\n', tmp_path)
    expected = _rows({"id": ["00012", 'a,"b"', ""], "note": [" x ", "", "1e5"]}, [2, 3, 4])
    assert_frame_equal(read.rows, expected)
    assert (read.read_count, read.origin, read.name) == (3, "a.csv", "accounts")
    assert_frame_equal(read.rejects, _rejects())


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_last_line_needs_no_end_and_blank_lines_are_no_rows(end: str, tmp_path: Path) -> None:
    read = _read(end.join(["", "id,note", "1,a", "", "  ", "2,b"]), tmp_path)
    assert_frame_equal(read.rows, _rows({"id": ["1", "2"], "note": ["a", "b"]}, [3, 6]))
    assert read.rejects.is_empty()


def test_a_header_without_rows_is_an_empty_table(tmp_path: Path) -> None:
    read = _read("id,note\n", tmp_path)
    assert_frame_equal(read.rows, _rows({"id": [], "note": []}, []))


def test_a_short_and_a_long_line_are_rejects_with_the_id_they_carry(tmp_path: Path) -> None:
    read = _read('note,id\nx\nx,2,y\n"x,y","3",z\na,4\n,,\n', tmp_path)
    assert_frame_equal(read.rows, _rows({"note": ["a"], "id": ["4"]}, [5]))
    assert_frame_equal(
        read.rejects,
        _rejects(
            (2, None, "1 field where the header has 2", "x"),
            (3, "2", "3 fields where the header has 2", "x,2,y"),
            (4, "3", "3 fields where the header has 2", '"x,y","3",z'),
            (6, None, "3 fields where the header has 2", ",,"),
        ),
    )
    assert read.read_count == 5


def test_the_header_again_is_a_reject_that_no_record_matches(tmp_path: Path) -> None:
    read = _read("id,note\n1,a\nid,note\n2,b\n", tmp_path)
    assert read.rows[ROW].to_list() == [2, 4]
    assert_frame_equal(read.rejects, _rejects((3, "", "the header line again", "id,note")))


@pytest.mark.parametrize(
    "line",
    ['2,5" disk', '2,a "b" c', '"2"x,b', '"a" ,"b"', '2,a"b\r"c', '2"', '2,x"y,"z"'],
)
def test_a_stray_quote_is_a_reject_and_takes_no_other_line_with_it(
    line: str, tmp_path: Path
) -> None:
    read = _read(f'id,note\n1,a\n{line}\n"3","c,d"\n4,d\n', tmp_path)
    assert_frame_equal(
        read.rows, _rows({"id": ["1", "3", "4"], "note": ["a", "c,d", "d"]}, [2, 4, 5])
    )
    assert_frame_equal(read.rejects, _rejects((3, None, "a stray quote", line)))


def test_a_stray_quote_that_may_go_on_in_the_next_line_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceFormatError, match=r"a\.csv: line 3: a stray quote"):
        _read('id,note\n1,a\n"2"x,"b\n3,c\n', tmp_path)


def test_a_carriage_return_outside_quotes_is_a_reject(tmp_path: Path) -> None:
    for content in ("id,note\na\r,b\n1,c\n", 'id,note\na\r,b\n1,"c"\n'):
        read = _read(content, tmp_path)
        assert_frame_equal(read.rows, _rows({"id": ["1"], "note": ["c"]}, [3]))
        assert read.rejects["row"].to_list() == [2]


def test_a_record_of_several_lines_counts_from_its_first(tmp_path: Path) -> None:
    read = _read('id,note\n1,"a\n\nb\r\nc"\n2,"d"\n3,"e\nf",x\n4,"g\nh"\n', tmp_path)
    expected = _rows({"id": ["1", "2", "4"], "note": ["a\n\nb\r\nc", "d", "g\nh"]}, [2, 6, 9])
    assert_frame_equal(read.rows, expected)
    reason = "3 fields where the header has 2"
    assert_frame_equal(read.rejects, _rejects((7, "3", reason, '3,"e\nf",x')))


def test_a_stray_quote_and_a_record_of_several_lines_in_one_file(tmp_path: Path) -> None:
    read = _read('id,note\n1,"a\nb"\n2,5" x\n\n3,"c\nd"\n4,e\n', tmp_path)
    expected = _rows({"id": ["1", "3", "4"], "note": ["a\nb", "c\nd", "e"]}, [2, 6, 8])
    assert_frame_equal(read.rows, expected)
    assert read.rejects["row"].to_list() == [4]


def test_a_record_inside_an_open_quote_reads_two_ways(tmp_path: Path) -> None:
    with pytest.raises(SourceFormatError, match=r"line 2: .* line 3, inside it, is a whole record"):
        _read('id,note\n1,"a\n2,b\n3,c"\n4,d\n', tmp_path)


def test_the_header_inside_an_open_quote_reads_two_ways(tmp_path: Path) -> None:
    with pytest.raises(SourceFormatError, match=r"line 2: .* line 3, inside it"):
        _read('id,note\n1,"a\nid,note\n3"\n4,d\n', tmp_path)


def test_a_quote_that_never_closes_is_named_by_the_line_it_opens_in(tmp_path: Path) -> None:
    with pytest.raises(SourceFormatError, match=r"a\.csv: line 3: .* never closes"):
        _read('id,note\n1,a\n2,"b\nc\n', tmp_path)


def test_text_after_the_quote_of_several_lines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceFormatError, match=r"line 2: .* text follows"):
        _read('id,note\n1,"a\nb" c\n2,d\n', tmp_path)


def test_a_single_column_file_keeps_lines_with_commas_of_their_own_apart(tmp_path: Path) -> None:
    read = _read('id\n1\n\n"2\n3"\n""\n4,5\n', tmp_path)
    assert_frame_equal(read.rows, _rows({"id": ["1", "2\n3", ""]}, [2, 4, 6]))
    assert read.rejects["key"].to_list() == ["4"]


def test_a_blank_line_of_a_single_column_is_no_row(tmp_path: Path) -> None:
    assert_frame_equal(_read("id\n1\n\n2\n", tmp_path).rows, _rows({"id": ["1", "2"]}, [2, 4]))


def test_a_check_and_a_parser_that_do_not_agree_refuse_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,note\n1,a\n2,b\n", encoding="utf-8")
    export = find_export(
        "accounts", "a.csv", DropZones(CsvSource(kind="csv", accounts="a.csv"), tmp_path)
    )
    text = to_text_file(export, "utf-8", '"', tmp_path)
    dialect = to_dialect(text, CsvSource(kind="csv", accounts="a.csv"))
    assert to_rows(text, dialect, Structure(3), tmp_path).height == 2
    with pytest.raises(SourceFormatError, match=r"a\.csv: reads two ways: the lines make 3 rows"):
        to_rows(text, dialect, Structure(4), tmp_path)
    with pytest.raises(SourceFormatError, match="reads two ways"):
        to_rows(text, replace(dialect, columns=("id",)), Structure(3), tmp_path)


def _read_log(export: Export, source: CsvSource) -> object:
    log = ActivitySource(kind="csv", activity=source.accounts)
    return list(read_log_batches(export, log, ANY_LOG))


@pytest.mark.parametrize("read", [read_csv_file, _read_log])
def test_a_file_that_is_being_written_changed_before_it_is_wrong(
    read: Callable[[Export, CsvSource], object], tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("id,n\n1,a\n", "utf-8")
    source = CsvSource(kind="csv", accounts="a.csv")
    with DropZones(source, tmp_path) as zones:
        export = find_export("accounts", "a.csv", zones)
        (tmp_path / "a.csv").write_text('id,n\n1,"half\n', "utf-8")
        with pytest.raises(SourceIncompleteError, match="changed while it was read"):
            read(export, source)
        with pytest.raises(SourceFormatError, match="a quote opens here and never closes"):
            read(find_export("accounts", "a.csv", zones), source)


def test_a_nul_stays_in_its_row(tmp_path: Path) -> None:
    read = _read("id,note\n1,a\0b\n2,c\n", tmp_path)
    assert_frame_equal(read.rows, _rows({"id": ["1", "2"], "note": ["a\0b", "c"]}, [2, 3]))


def test_without_quoting_a_quote_is_a_character(tmp_path: Path) -> None:
    read = _read('id;"n"\n1;"a\n2;b"\n', tmp_path, quote="none")
    assert_frame_equal(read.rows, _rows({"id": ["1", "2"], '"n"': ['"a', 'b"']}, [2, 3]))


def test_another_quote_is_obeyed(tmp_path: Path) -> None:
    read = _read("id,note\n1,'a,b'\n2,\"c\n", tmp_path, quote="'")
    assert_frame_equal(read.rows, _rows({"id": ["1", "2"], "note": ["a,b", '"c']}, [2, 3]))


def test_lines_above_the_header_are_skipped_whatever_they_hold(tmp_path: Path) -> None:
    read = _read('an "odd\n\x0ctitle,,,\nid,note\n1,a\n', tmp_path, skip_lines=2)
    assert_frame_equal(read.rows, _rows({"id": ["1"], "note": ["a"]}, [4]))


def test_columns_without_a_header_are_numbered(tmp_path: Path) -> None:
    read = _read("1,a\n2\n", tmp_path, header=False, separator=",")
    assert_frame_equal(read.rows, _rows({"column_1": ["1"], "column_2": ["a"]}, [1]))
    assert read.rejects["reason"].to_list() == ["1 field where the first record has 2"]


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("id,", "column 2 is blank"),
        ("id, ", "column 2 is blank"),
        ("id,note,id", "column 3 is there twice"),
        ("id,no\tte", "column 2 has a control character"),
        ("id,source row", "column 2 is 'source row', which means something else"),
        ("id,*", "column 2 is '\\*', which means something else"),
        ("id,^n.*$", "column 2 is "),
        ('id,no"te', "stray or unclosed quote"),
        ('id,"no', "stray or unclosed quote"),
    ],
)
def test_an_unusable_header_is_refused_with_the_columns_number(
    header: str, problem: str, tmp_path: Path
) -> None:
    with pytest.raises(SourceFormatError, match=f"a.csv: the header, line 1.*{problem}"):
        _read(f"{header}\n1,2\n", tmp_path, separator=",")


def test_header_names_are_kept_as_written(tmp_path: Path) -> None:
    read = _read('\ufeff"id", Note \n1,a\n', tmp_path)
    assert read.rows.columns == ["id", " Note ", ROW]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found(separator: str, tmp_path: Path) -> None:
    lines = [("id", "note"), ("1", "a"), ("2", "b: c"), ("3",)]
    content = "\n".join(separator.join(line) for line in lines * 1)
    more = f"\n4{separator}d" * 10
    read = _read(content + more, tmp_path)
    assert read.rows.columns == ["id", "note", ROW]
    assert read.rejects["row"].to_list() == [4]


def test_a_small_file_with_a_bad_line_keeps_its_separator(tmp_path: Path) -> None:
    read = _read("id;note\n1;a\n2;b;c\n", tmp_path)
    assert read.rows.columns == ["id", "note", ROW]
    assert read.rejects["row"].to_list() == [3]


def test_a_separator_inside_cells_does_not_decide(tmp_path: Path) -> None:
    read = _read("id,roles\n1,a;b\n2,c;d\n", tmp_path)
    assert read.rows["roles"].to_list() == ["a;b", "c;d"]


def test_two_separators_that_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceFormatError, match="reads two ways, with , and ; between fields"):
        _read("id,a;note\n1,2;3\n", tmp_path)


def test_a_file_without_any_separator_is_one_column(tmp_path: Path) -> None:
    assert_frame_equal(_read("id\n1\n", tmp_path).rows, _rows({"id": ["1"]}, [2]))


def test_a_separator_that_is_the_quote_is_a_wrong_source_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="same character"):
        _read("id,a\n", tmp_path, separator=",", quote=",")


@pytest.mark.parametrize("content", ["", "\n \n", "\ufeff"])
def test_an_empty_export_is_incomplete(content: str, tmp_path: Path) -> None:
    with pytest.raises(SourceIncompleteError, match=r"a\.csv: .*(is empty|no line after)"):
        _read(content, tmp_path)


def test_more_lines_skipped_than_there_are_is_incomplete(tmp_path: Path) -> None:
    with pytest.raises(SourceIncompleteError, match="no line after the first 2"):
        _read("id\n1\n", tmp_path, skip_lines=5)


@pytest.mark.parametrize("start", ["<!DOCTYPE html>", "\n  <HTML><body>", '<?xml version="1.0"?>'])
def test_a_page_that_stands_in_for_an_export_is_refused(start: str, tmp_path: Path) -> None:
    with pytest.raises(SourceFormatError, match="web page or XML"):
        _read(f"{start}\nid,note\n", tmp_path)


def test_a_spreadsheet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceFormatError, match="spreadsheet or a zip"):
        _read(b"PK\x03\x04rest", tmp_path)


@pytest.mark.parametrize("content", ["id,note\r1,a\r", "id,note\r1,a\r2,b\n", "id,note\r\r\n1,a"])
def test_bare_carriage_returns_as_line_ends_are_refused(content: str, tmp_path: Path) -> None:
    with pytest.raises(SourceFormatError, match="line 1 has bare carriage returns"):
        _read(content, tmp_path)


@pytest.mark.parametrize(
    ("encoding", "detected"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("cp1252", "cp1252"),
    ],
)
def test_the_encoding_is_found_from_the_bytes(encoding: str, detected: str, tmp_path: Path) -> None:
    content = 'id,note\r\n1,"Zoë\r\nx"\r\n2,€\r\n'.encode(encoding)
    raw = _raw(content, tmp_path)
    expected = _rows({"id": ["1", "2"], "note": ["Zoë\r\nx", "€"]}, [2, 4])
    assert_frame_equal(raw.accounts.rows, expected)
    source = CsvSource(kind="csv", accounts="a.csv", max_age=None)
    (probe,) = probe_source(source, tmp_path, now=datetime.now(UTC))
    assert f", {detected}, " in probe.said
    assert [w for w in raw.warnings if "read as Windows-1252" in w] == list(raw.warnings)
    assert len(raw.warnings) == (encoding == "cp1252")


def test_a_byte_that_windows_1252_does_not_have_asks_for_the_encoding(tmp_path: Path) -> None:
    with pytest.raises(SourceFormatError, match="line 3 has bytes that are not cp1252: state"):
        _read(b"id,note\n1,\xe9\n2,\x81\n", tmp_path)


def test_damaged_utf_8_is_not_taken_for_windows_1252(tmp_path: Path) -> None:
    content = "id,note\n1,Zoë\n2,Zoé\n3,".encode()
    for end in (b"\xff\n", "é".encode()[:1]):
        with pytest.raises(
            SourceFormatError, match=r"line 4 has bytes that are not UTF-8.*mend that line"
        ):
            _read(content + end, tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "utf-8-sig"])
def test_a_stated_encoding_is_obeyed_to_the_byte(encoding: str, tmp_path: Path) -> None:
    with pytest.raises(SourceFormatError, match="line 3 has bytes that are not"):
        _read(b"id,note\n1,a\n2,\xff\n", tmp_path, encoding=encoding)


def test_a_stated_encoding_is_read_without_a_warning(tmp_path: Path) -> None:
    raw = _raw("id;note\n1;é\n".encode("latin-1"), tmp_path, encoding="latin-1")
    assert raw.accounts.rows["note"].to_list() == ["é"]
    assert raw.warnings == ()


def test_a_cut_utf_16_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceFormatError, match="line 2 has bytes that are not utf-16"):
        _read("id,note\n1,é".encode("utf-16")[:-1], tmp_path)


def test_a_bad_byte_is_found_in_its_line_beyond_the_first_block(tmp_path: Path) -> None:
    many = b"id,note\n" + b"1,a\n" * 400_000
    with pytest.raises(SourceFormatError, match="line 400002 has bytes"):
        _read(many + b"2,\xff\n", tmp_path, encoding="utf-8")


def test_no_message_and_no_log_line_holds_a_cell(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    for content in ('id,n\n1,"TOPSECRET\n2,b\n', 'id,n\n"TOPSECRET"x,"y\n'):
        with pytest.raises(SourceFormatError) as caught:
            _read(content, tmp_path)
        assert "TOPSECRET" not in str(caught.value)
        assert caught.value.__context__ is None
    assert _read("id,n\n1,TOPSECRET,3\n", tmp_path).rejects.height == 1
    assert "a.csv" in caplog.text
    assert "TOPSECRET" not in caplog.text


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "line",
    [
        "a," * 40 + '"x"y"',
        "a," * 200_000 + '"x"y,"',
        '"a",' * 200_000 + '"x"y""',
        '""' * 500_000 + "x",
        'a"b,' * 200_000 + '"x"y""',
        '"' + "a" * 1_000_000 + '"x"y"z',
        "a," * 200_000 + '"' + 'x""' * 300_000,
    ],
)
def test_a_line_made_to_be_slow_is_not(line: str, tmp_path: Path) -> None:
    with contextlib.suppress(SourceFormatError):
        assert _read(f"id,note\n1,a\n{line}\n2,b\n", tmp_path, separator=",").rejects.height == 1


def test_very_long_cells_are_read_whole(tmp_path: Path) -> None:
    long = "x" * 3_000_000
    read = _read(f'id,note\n1,{long}\n"2","{long}\n{long}"\n3,a\n', tmp_path)
    assert read.rows["note"].str.len_bytes().to_list() == [3_000_000, 6_000_001, 1]
    assert read.rows[ROW].to_list() == [2, 3, 5]
