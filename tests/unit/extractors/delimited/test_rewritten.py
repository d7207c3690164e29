"""Escapes by backslash, separators of several characters, words for nothing."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from extractors.delimited import rewritten
from extractors.read import probe_source, read_source
from schemas.errors import ConfigError, SourceFormatError
from schemas.raw import RawTable
from schemas.source_file.file import to_source
from schemas.source_file.kinds.csv_source import CsvSource
from schemas.tables import ROW


def read(content: bytes | str, folder: Path, **options: object) -> RawTable:
    written = content.encode() if isinstance(content, str) else content
    (folder / "a.csv").write_bytes(written)
    source = CsvSource(kind="csv", accounts="a.csv", max_age=None, **options)
    now = datetime.now(UTC)
    return read_source(source, folder, now=now, id_columns={"accounts": "id"}).accounts


def cells(table: RawTable) -> list[tuple[str, ...]]:
    return table.rows.select(pl.exclude(ROW)).rows()


@pytest.mark.parametrize("block", [8, 1 << 24])
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"a\,b,c", ("a,b", "c")),
        (r'"a\"b",c', ('a"b', "c")),
        (r"a\\,c", ("a\\", "c")),
        (r"\N,c", ("", "c")),
        (r'"x ""y""",\N', ('x "y"', "")),
        (r"a\nb,c\td", ("a\nb", "c\td")),
        (r"a\é,é", ("aé", "é")),
        ("a\\\nb,c", ("a\nb", "c")),
        ("a\\\nb\\\nd,c", ("a\nb\nd", "c")),
        ('"a\nb",c', ("a\nb", "c")),
    ],
)
def test_escapes_are_undone_and_lines_keep_their_numbers(
    written, meant, block, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(rewritten, "_BLOCK", block)
    table = read(f"id,note\n{written}\nz,last\n", tmp_path, escape="\\")
    assert cells(table) == [meant, ("z", "last")]
    assert table.rows[ROW].to_list() == [2, 3 + written.count("\n")]
    assert table.rejects.is_empty()


def test_a_line_that_cannot_be_split_is_told_as_it_is_written(tmp_path: Path) -> None:
    table = read("id,note\na\\,b\nc\\,d,2,3\n", tmp_path, escape="\\")
    told = table.rejects.select("row", "value", "key").rows()
    assert told == [(2, "a\\,b", "a\\,b"), (3, "c\\,d,2,3", "c\\,d")]


def test_a_backslash_at_the_end_is_a_cut(tmp_path: Path) -> None:
    with pytest.raises(SourceFormatError, match="cut off"):
        read("id,note\na,b\\", tmp_path, escape="\\")


@pytest.mark.parametrize("block", [8, 1 << 24])
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1||a", ("1", "a")),
        ("1||", ("1", "")),
        ("1||a|b", ("1", "a|b")),
        ('1||"a||b"', ("1", "a||b")),
        ('"1"||"a\nb||c"', ("1", "a\nb||c")),
    ],
)
def test_a_separator_may_be_several_characters(
    written, meant, block, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(rewritten, "_BLOCK", block)
    table = read(f"id||note\n{written}\nz||last\n", tmp_path, separator="||")
    assert cells(table) == [meant, ("z", "last")]
    assert table.rows[ROW].to_list() == [2, 3 + written.count("\n")]


def test_a_run_that_could_be_parted_in_two_ways_is_a_reject(tmp_path: Path) -> None:
    table = read("id||note\n1|||a\nz||\n3||||\n", tmp_path, separator="||")
    assert cells(table) == [("z", "")]
    assert table.rejects.select("row", "value").rows() == [(2, "1|||a"), (4, "3||||")]


def test_another_separator_of_several_characters(tmp_path: Path) -> None:
    assert cells(read("id~|~note\n1~|~a~b\n", tmp_path, separator="~|~")) == [("1", "a~b")]


def test_words_for_nothing_are_blank_and_whole_cells_alone(tmp_path: Path) -> None:
    table = read("id,note\n1,\\N\n2,a\\N\n3,NULL\n", tmp_path, blank=("\\N", "NULL"))
    assert cells(table) == [("1", ""), ("2", "a\\N"), ("3", "")]


def test_a_cell_of_a_null_is_refused_unless_it_is_said_what_it_means(tmp_path: Path) -> None:
    with pytest.raises(SourceFormatError, match=r"line 3 has a cell \\N"):
        read("id,note\n1,a\n2,\\N\n", tmp_path)


def test_a_look_at_the_file_tells_the_separator_as_it_is_written(tmp_path: Path) -> None:
    read("id||note\n1||a\n", tmp_path, separator="||")
    source = CsvSource(kind="csv", accounts="a.csv", separator="||")
    (probe,) = probe_source(source, tmp_path, now=datetime.now(UTC))
    assert "separator '||'" in probe.said
    assert probe.columns == ("id", "note")


@pytest.mark.parametrize("key", ["escape: ab", "escape: ','", 'separator: "a\\nb"'])
def test_what_cannot_escape_or_separate_is_refused(key) -> None:
    text = f"app: {{name: X}}\nsource: {{kind: csv, accounts: a.csv, {key}}}\n"
    with pytest.raises(ConfigError, match=r"x.yaml:2: source\.(escape|separator): write"):
        to_source(text, "x", "x.yaml")
