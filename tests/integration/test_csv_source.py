"""A whole source of four files as an export leaves it, and large files beside Python's writer."""

import csv
import gzip
import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from extractors.delimited.file import read_csv_file
from extractors.exports.find import find_export
from extractors.read import read_source
from extractors.zones.zones import DropZones
from schemas.errors import SourceIncompleteError
from schemas.source_file.kinds.csv_source import CsvSource
from schemas.tables import ROW

_NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


def _aged(path: Path, hours: int) -> None:
    made_s = (_NOW - timedelta(hours=hours)).timestamp()
    os.utime(path, (made_s, made_s))


def test_four_files_are_one_source_as_old_as_its_oldest(tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "people-0102.csv").write_bytes("id;name\n1;Zoë\n2;x;y\n".encode("cp1252"))
    (folder / "roles.csv.gz").write_bytes(gzip.compress(b"code\tlabel\nA\tAdmin\n"))
    (folder / "sites.csv").write_text("id|site\n1|Paris\n", encoding="utf-16")
    (folder / "grants.csv").write_text("who,what\n1,A\n", encoding="utf-8")
    for hours, name in enumerate(["people-0102.csv", "roles.csv.gz", "sites.csv", "grants.csv"], 1):
        _aged(folder / name, hours)
    source = CsvSource(
        kind="csv",
        accounts="exports/people-*.csv",
        entitlements="exports/roles.csv.gz",
        resources="exports/sites.csv",
        associations="exports/grants.csv",
    )
    raw = read_source(source, tmp_path, now=_NOW, id_columns={"accounts": "id"})
    tables = [raw.accounts, raw.entitlements, raw.resources, raw.associations]
    names = ["accounts", "entitlements", "resources", "associations"]
    assert [table.name for table in tables if table] == names
    assert [table.rows.row(0) for table in tables if table] == [
        ("1", "Zoë", 2), ("A", "Admin", 2), ("1", "Paris", 2), ("1", "A", 2),
    ]  # fmt: skip
    assert raw.accounts.rejects["key"].to_list() == ["2"]
    assert raw.taken_at == _NOW - timedelta(hours=4)
    assert len(raw.proof) == 4
    assert raw.warnings == (
        (
            "exports/people-0102.csv: is not UTF-8 and was read as Windows-1252: "
            "state encoding: windows-1252 if that is right"
        ),
    )


def test_one_incomplete_file_fails_the_whole_source(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id\n1\n", encoding="utf-8")
    (tmp_path / "e.csv").write_text("", encoding="utf-8")
    source = CsvSource(kind="csv", accounts="a.csv", entitlements="e.csv", max_age=None)
    with pytest.raises(SourceIncompleteError, match=r"e\.csv: is empty"):
        read_source(source, tmp_path, now=datetime.now(UTC))


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("odd", ["", "short", "stray", "several"])
def test_a_large_file_is_read_exactly_as_it_was_written(
    quoting: int, odd: str, tmp_path: Path
) -> None:
    """Large enough for polars to split it among threads."""
    out, lines, bad = io.StringIO(newline=""), [], []
    writer = csv.writer(out, quoting=quoting)
    writer.writerow(["id", "name", "note", "text"])
    kept, line = [], 2
    for number in range(120_000):
        row = [f"{number:07}", f"Zoë, {number}", "", "free text of no matter" * (number % 7)]
        if odd == "several" and number % 997 == 0:
            row[2] = 'two\r\nlines, "quoted"\n'
        if odd in {"short", "stray"} and number % 101 == 0:
            out.write("short,1\r\n" if odd == "short" else f'stray,{number},5" disk,x\r\n')
            bad.append(line)
            line += 1
        writer.writerow(row)
        kept.append(row)
        lines.append(line)
        line += 1 + row[2].count("\n")
    (tmp_path / "a.csv").write_text(out.getvalue(), encoding="utf-8", newline="")
    source = CsvSource(kind="csv", accounts="a.csv", max_age=None)
    read = read_source(source, tmp_path, now=datetime.now(UTC)).accounts
    schema = dict.fromkeys(["id", "name", "note", "text"], pl.String())
    expected = pl.DataFrame(kept, schema=schema, orient="row").with_columns(
        pl.Series(ROW, lines, dtype=pl.UInt32)
    )
    assert_frame_equal(read.rows, expected)
    assert read.rejects["row"].to_list() == bad
    assert read.read_count == len(kept) + len(bad)


@pytest.mark.parametrize("content", ["id\n2\n", 'id\n"'])
def test_a_file_replaced_since_it_was_found_is_incomplete(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id\n1\n", encoding="utf-8")
    export = find_export(
        "accounts", "a.csv", DropZones(CsvSource(kind="csv", accounts="a.csv"), tmp_path)
    )
    (tmp_path / "new").write_text(content, encoding="utf-8")
    os.utime(tmp_path / "new", ns=(export.modified_ns, export.modified_ns))
    (tmp_path / "new").replace(tmp_path / "a.csv")
    with pytest.raises(SourceIncompleteError, match="changed while it was read"):
        read_csv_file(export, CsvSource(kind="csv", accounts="a.csv"))
