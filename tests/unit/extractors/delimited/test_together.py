"""Several files that are one table, and a second file joined by a key."""

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from extractors.read import probe_source, read_source
from schemas.errors import SourceFormatError, SourceIncompleteError
from schemas.raw import LastRead, Raw
from schemas.snapshot import empty_snapshot
from schemas.source_file.file import to_source
from schemas.tables import NO_PARTNER, ROW, SEVERAL_PARTNERS
from tests.unit.builders import source_file
from transforms.snapshot.snapshot import to_snapshot

NOW = datetime(2026, 1, 3, 12, tzinfo=UTC)
PARTS = "accounts: hr_*.csv, parts: all"
JOIN = "accounts: a.csv, join: {file: b.csv, on: {id: key}}"
NEVER = LastRead()


def write(path: Path, text: str, age: timedelta = timedelta(hours=1)) -> None:
    path.write_text(text)
    at_s = (NOW - age).timestamp()
    os.utime(path, (at_s, at_s))


def read(folder: Path, keys: str, last: LastRead = NEVER, as_of: date | None = None) -> Raw:
    text = f"app: {{name: X}}\nsource: {{kind: csv, {keys}}}\n"
    source = to_source(text, "x", "x").file.source
    ids = {"accounts": "id"}
    return read_source(source, folder, now=NOW, id_columns=ids, last_read=last, as_of=as_of)


def test_parts_are_one_table_and_a_row_is_told_by_its_file_and_line(tmp_path: Path) -> None:
    write(tmp_path / "hr_1.csv", "id,email\n1,a@x.org\n2\n")
    write(tmp_path / "hr_2.csv", "email,id\nnobody,3\n\nd@x.org,4\n")
    raw = read(tmp_path, PARTS)
    assert raw.accounts.rows["id"].to_list() == ["1", "3", "4"]
    assert (raw.accounts.read_count, len(raw.proof)) == (4, 2)
    places = raw.accounts.places(raw.accounts.rows[ROW])
    assert places.rows() == [("hr_1.csv", 2), ("hr_2.csv", 2), ("hr_2.csv", 4)]
    columns = (
        "columns: {integration_specific_id: id, user_status: {constant: ACTIVE}, "
        "given_name: {constant: A}, family_name: {constant: B}}\n"
    )
    made = to_snapshot(raw, source_file(columns), empty_snapshot(), NOW)
    told = made.rejects.select("file", "row", "column", "key").rows()
    assert told == [("hr_1.csv", 3, None, "2"), ("hr_2.csv", 2, "email", "3")]
    assert made.counts["accounts"].rejected == 1


def test_parts_of_the_newest_day_count_and_the_others_are_told_of(tmp_path: Path) -> None:
    for day in ("2026-01-01", "2026-01-02"):
        for part in "ab":
            write(tmp_path / f"hr_{part}_{day}.csv", f"id\n{part}{day[-1]}\n")
    raw = read(tmp_path, PARTS)
    assert raw.accounts.rows["id"].to_list() == ["a2", "b2"]
    assert "passed over: hr_b_2026-01-01.csv, hr_a_2026-01-01.csv" in raw.proof[0]
    old = read(tmp_path, PARTS, as_of=date(2026, 1, 1))
    assert old.accounts.rows["id"].to_list() == ["a1", "b1"]


def test_a_part_that_is_gone_ends_the_read(tmp_path: Path) -> None:
    for part in "ab":
        write(tmp_path / f"hr_{part}_20260101.csv", f"id\n{part}\n")
    last = read(tmp_path, PARTS).remembered
    write(tmp_path / "hr_a_20260102.csv", "id\na\n")
    with pytest.raises(SourceIncompleteError, match="in place of hr_b_20260101"):
        read(tmp_path, PARTS, last)
    write(tmp_path / "hr_b_20260102.csv", "id\nb\n")
    assert read(tmp_path, PARTS, last).accounts.read_count == 2


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("hr_2.csv", "id,extra\n2,x\n", "'extra' is in one of them alone"),
        ("hr_20260102.csv", "id\n2\n", "has no date in its name"),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(name, text, says, tmp_path: Path) -> None:
    write(tmp_path / "hr_1.csv", "id\n1\n")
    write(tmp_path / name, text)
    with pytest.raises(SourceFormatError, match=says):
        read(tmp_path, PARTS)


def test_the_date_in_a_name_counts_before_the_time_of_the_file(tmp_path: Path) -> None:
    write(tmp_path / "hr_2026-01-02.csv", "id\nnew\n", timedelta(hours=9))
    write(tmp_path / "hr_2026-01-01.csv", "id\nold\n", timedelta(hours=1))
    raw = read(tmp_path, "accounts: hr_*.csv")
    assert raw.accounts.rows["id"].to_list() == ["new"]


def test_a_second_file_has_more_columns_of_the_accounts(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "id,name\n1,Ann\n2,Bo\n3,Cy\n,Di\n")
    write(tmp_path / "b.csv", "key,mail,name\n2,b@x.org,B\n1,a@x.org,A\n2,other,B\n9,z,Z\n,q,Q\n")
    raw = read(tmp_path, JOIN)
    assert raw.accounts.rows.select(pl.exclude(ROW)).rows() == [
        ("1", "Ann", "a@x.org", "A"),
        ("2", "Bo", SEVERAL_PARTNERS, SEVERAL_PARTNERS),
        ("3", "Cy", NO_PARTNER, NO_PARTNER),
        ("", "Di", NO_PARTNER, NO_PARTNER),
    ]
    assert raw.accounts.rows.columns == ["id", "name", ROW, "mail", "joined.name"]
    assert raw.warnings == ("b.csv: 1 rows are of no account of a.csv",)
    assert [proof[:14] for proof in raw.proof] == ["a.csv: 4 rows,", "b.csv: 5 rows,"]


def test_a_look_at_the_files_has_the_columns_of_both(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "id,name\n1,Ann\n")
    write(tmp_path / "b.csv", "key,mail,name\n1,a@x.org,A\n")
    text = f"app: {{name: X}}\nsource: {{kind: csv, {JOIN}}}\n"
    (probe,) = probe_source(to_source(text, "x", "x").file.source, tmp_path, now=NOW)
    assert probe.columns == ("id", "name", "mail", "joined.name")
    assert "joined with b.csv" in probe.said


def test_blank_cells_of_an_account_without_a_row_are_asked_for(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "id\n1\n2\n")
    write(tmp_path / "b.csv", "key,mail\n1,a@x.org\n")
    keys = JOIN.replace("{id: key}", "{id: key}, missing: blank")
    assert read(tmp_path, keys).accounts.rows["mail"].to_list() == ["a@x.org", ""]
    write(tmp_path / "b.csv", "key,mail\n1,a@x.org\n2\n")
    assert read(tmp_path, keys).accounts.rows["mail"].to_list() == ["a@x.org", NO_PARTNER]


def test_a_status_of_a_joined_file_is_never_guessed(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "id,email\n1,a@x.org\n2,b@x.org\n")
    write(tmp_path / "b.csv", "key,locked\n1,N\n")
    cases = "{cases: [{when: {column: locked, is: [Y]}, then: SUSPENDED}], else: ACTIVE}"
    columns = f"columns: {{integration_specific_id: id, user_status: {cases}}}\n"
    made = to_snapshot(read(tmp_path, JOIN), source_file(columns), empty_snapshot(), NOW)
    assert made.snapshot.accounts["integration_specific_id"].to_list() == ["1"]
    assert made.rejects.select("column", "code").rows() == [("user_status", "no_partner")]


def test_a_key_that_is_no_column_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "id\n1\n")
    write(tmp_path / "b.csv", "other,mail\n1,a@x.org\n")
    with pytest.raises(SourceFormatError, match="no column 'key', wanted for"):
        read(tmp_path, JOIN)
