"""What proves that an export is whole, and what a look at one tells."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from extractors.read import probe_source, read_source
from schemas.errors import (
    SourceFormatError,
    SourceIncompleteError,
    SourceUnavailableError,
)
from schemas.raw import Probe, Raw
from schemas.source_file.kinds.csv_source import CsvSource

_NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


def _no_sleep(seconds: float) -> None:
    raise AssertionError(seconds)


def _write(path: Path, content: str = "id,n\n1,a\n", age: timedelta = timedelta(hours=1)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    made_s = (_NOW - age).timestamp()
    os.utime(path, (made_s, made_s))
    return path


def _read(folder: Path, sleep: Callable[[float], None] = _no_sleep, **options: object) -> Raw:
    source = CsvSource(**({"kind": "csv", "accounts": "a.csv"} | options))
    return read_source(source, folder, now=_NOW, sleep=sleep)


def test_an_old_export_is_refused_with_its_age_and_the_limit(tmp_path: Path) -> None:
    _write(tmp_path / "a.csv", age=timedelta(hours=50))
    with pytest.raises(SourceIncompleteError, match=r"a\.csv: is 2d 2h old and max_age is 1d 12h"):
        _read(tmp_path)
    assert _read(tmp_path, max_age=None).accounts.read_count == 1


def test_an_export_without_its_marker_is_incomplete(tmp_path: Path) -> None:
    _write(tmp_path / "a.csv")
    with pytest.raises(SourceIncompleteError, match=r"its marker a\.csv\.done is not there"):
        _read(tmp_path, complete={"marker": "{path}.done"})


def test_the_marker_of_an_earlier_export_proves_nothing(tmp_path: Path) -> None:
    _write(tmp_path / "a.csv")
    _write(tmp_path / "a.csv.done", "", timedelta(hours=2))
    with pytest.raises(SourceIncompleteError, match="older than the export"):
        _read(tmp_path, complete={"marker": "{path}.done"})


def test_an_export_at_rest_is_not_waited_for(tmp_path: Path) -> None:
    _write(tmp_path / "a.csv", age=timedelta(seconds=60))
    assert "at rest for 1m" in _read(tmp_path, complete={"stable_for": "60s"}).proof[0]


def test_an_export_being_written_is_waited_for(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.csv", age=timedelta(seconds=20))
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 1:
            _write(path, "id,n\n1,a\n2,b\n", timedelta(seconds=-30))

    raw = _read(tmp_path, sleep, complete={"stable_for": "60s"})
    assert raw.accounts.read_count == 2
    assert pauses == [40.0, 50.0]


def test_an_export_that_never_rests_is_given_up(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.csv", age=timedelta(0))
    waited = 0.0

    def sleep(seconds: float) -> None:
        nonlocal waited
        waited += seconds
        _write(path, "id\n" + "1\n" * int(waited), timedelta(seconds=-waited))

    with pytest.raises(SourceUnavailableError, match="still changed after 10m"):
        _read(tmp_path, sleep, complete={"stable_for": "60s"})
    assert waited == 600


def test_an_export_that_vanishes_while_it_is_waited_for_is_unavailable(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.csv", age=timedelta(0))
    with pytest.raises(SourceUnavailableError, match="no such file"):
        _read(tmp_path, lambda _: path.unlink(), complete={"stable_for": "60s"})


def test_the_trailer_states_the_rows_and_is_none(tmp_path: Path) -> None:
    for trailer in ("END;3", "END;3;;;", '"END";3', "END;3\n\n  \n", "END;3\r\n"):
        _write(tmp_path / "a.csv", f'id;n\n1;a\n2\n"3";b\n{trailer}')
        raw = _read(tmp_path, separator=";", complete={"trailer": '"?END"?;(\\d+);*'})
        assert raw.accounts.rows["id"].to_list() == ["1", "3"]
        assert raw.accounts.rejects["row"].to_list() == [3]
        assert "trailer says 3" in raw.proof[0]


def test_a_trailer_wider_than_the_rows_is_no_reject(tmp_path: Path) -> None:
    _write(tmp_path / "a.csv", "id;n\n1;a\nEND;1;;;\n")
    raw = _read(tmp_path, complete={"trailer": "END;(\\d+);*"})
    assert raw.accounts.rejects.is_empty()


def test_a_trailer_with_a_stray_quote_swallows_no_row(tmp_path: Path) -> None:
    _write(tmp_path / "a.csv", 'id;n\n1;a\n"2";b\nEND "2')
    raw = _read(tmp_path, complete={"trailer": 'END "(\\d+)'})
    assert raw.accounts.rows["n"].to_list() == ["a", "b"]


def test_a_trailer_under_a_header_alone_states_zero(tmp_path: Path) -> None:
    _write(tmp_path / "a.csv", "id;n\nEND;0\n")
    raw = _read(tmp_path, complete={"trailer": "END;(\\d+)"})
    assert raw.accounts.read_count == 0


@pytest.mark.parametrize("end", ["", "END;x", "1;a", 'END;"'])
def test_an_export_without_its_trailer_was_cut_off(end: str, tmp_path: Path) -> None:
    _write(tmp_path / "a.csv", f'id;n\n1;a\n2;"b\n{end}')
    with pytest.raises(SourceIncompleteError, match="last line is not the trailer"):
        _read(tmp_path, complete={"trailer": "END;(.+)"})


def test_a_trailer_that_states_another_number_is_refused_with_both(tmp_path: Path) -> None:
    _write(tmp_path / "a.csv", "id;n\n1;a\nEND;1204\n")
    with pytest.raises(
        SourceIncompleteError, match="1 rows were read and its trailer states 1,204"
    ):
        _read(tmp_path, complete={"trailer": "END;(\\d+)"})


@pytest.mark.parametrize(
    "content", ["1", " 1\n", '{"a.csv": 1}', '{"rows": 1}', '\ufeff{"x": 9, "a.csv": 1}']
)
def test_a_manifest_states_the_rows(content: str, tmp_path: Path) -> None:
    _write(tmp_path / "a.csv")
    _write(tmp_path / "count", content)
    assert "manifest says 1" in _read(tmp_path, complete={"manifest": "count"}).proof[0]


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("2", SourceIncompleteError, "1 rows were read and the manifest count states 2"),
        ('{"b.csv": 1}', SourceIncompleteError, "the manifest count has no count for it"),
        ('{"a.csv": true}', SourceIncompleteError, "the manifest count has no count for it"),
        ("one", SourceFormatError, "a manifest is a number, or JSON"),
        ("[" * 100_000, SourceFormatError, "a manifest is a number, or JSON"),
        (None, SourceIncompleteError, "its manifest count cannot be read"),
    ],
)
def test_a_manifest_that_does_not_agree_is_refused(
    content: str | None, error: type[Exception], message: str, tmp_path: Path
) -> None:
    _write(tmp_path / "a.csv")
    if content is not None:
        _write(tmp_path / "count", content)
    with pytest.raises(error, match=message):
        _read(tmp_path, complete={"manifest": "count"})


def test_one_number_is_of_the_accounts_alone(tmp_path: Path) -> None:
    _write(tmp_path / "a.csv")
    _write(tmp_path / "e.csv", "id\n1\n2\n")
    _write(tmp_path / "count", "1")
    _write(tmp_path / "a.csv.n", "1")
    _write(tmp_path / "e.csv.n", "1")
    raw = _read(tmp_path, entitlements="e.csv", complete={"manifest": "count"})
    assert ["manifest" in sentence for sentence in raw.proof] == [True, False]
    with pytest.raises(SourceIncompleteError, match=r"e\.csv: 2 rows were read"):
        _read(tmp_path, entitlements="e.csv", complete={"manifest": "{path}.n"})


def test_the_proof_says_what_shows_the_file_to_be_whole(tmp_path: Path) -> None:
    _write(tmp_path / "exports/a.csv", "id,n\n" + "1,a\n" * 1204 + "T1204\n")
    _write(tmp_path / "exports/a.csv.done", "", timedelta(0))
    complete = {"marker": "{path}.done", "trailer": "T(\\d+)"}
    raw = _read(tmp_path, accounts="exports/a.csv", complete=complete)
    assert raw.proof == (
        (
            "exports/a.csv: 1,204 rows, 4,827 bytes, unchanged while read; marker found; "
            "trailer says 1204"
        ),
    )


def test_a_probe_tells_what_the_files_look_like_and_reads_no_row(tmp_path: Path) -> None:
    _write(tmp_path / "a.csv", 'id;n\n1;"never closed\n')
    source = CsvSource(kind="csv", accounts="*.csv", complete={"stable_for": "5h"})
    assert probe_source(source, tmp_path, now=_NOW) == (
        Probe("accounts", "a.csv", "21 bytes, utf-8, separator ';', 2 columns", ("id", "n")),
    )


def test_a_probe_refuses_what_a_read_would(tmp_path: Path) -> None:
    _write(tmp_path / "a.csv", age=timedelta(hours=50))
    source = CsvSource(kind="csv", accounts="a.csv")
    with pytest.raises(SourceIncompleteError, match="max_age"):
        probe_source(source, tmp_path, now=_NOW)
    marked = CsvSource(kind="csv", accounts="a.csv", max_age=None, complete={"marker": "{path}.ok"})
    with pytest.raises(SourceIncompleteError, match="marker"):
        probe_source(marked, tmp_path, now=_NOW)


def test_the_clock_of_the_source_is_the_one_it_is_given(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.csv")
    os.utime(path, (time.time(), time.time()))
    long_after = datetime.now(UTC) + timedelta(days=9)
    source = CsvSource(kind="csv", accounts="a.csv")
    with pytest.raises(SourceIncompleteError, match="max_age"):
        read_source(source, tmp_path, now=long_after)
