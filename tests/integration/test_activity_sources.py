"""Activity read from files and databases: every row of the time asked for, and what shows it."""

import gzip
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import psycopg
import pytest

from extractors.activity import Span, probe_activity, read_activity
from schemas.errors import (
    SourceFormatError,
    SourceIncompleteError,
    SourceUnavailableError,
)
from schemas.raw import RawTable
from schemas.source_file.activity import ActivityDatabase
from schemas.source_file.kinds.csv_source import ActivitySource
from schemas.tables import ROW

pytest_plugins = ["tests.postgresql_server"]

NOW = datetime(2026, 7, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def logs(**more: object) -> ActivitySource:
    return ActivitySource(kind="csv", activity="logs/*.csv*", max_age=None, **more)


def write(folder: Path, name: str, *lines: str, written: datetime = NOW) -> Path:
    path = folder / "logs" / name
    path.parent.mkdir(exist_ok=True)
    content = "\n".join(["who,at", *lines]) + "\n"
    path.write_bytes(gzip.compress(content.encode()) if name.endswith("gz") else content.encode())
    os.utime(path, (written.timestamp(), written.timestamp()))
    return path


def read(
    source: ActivitySource,
    folder: Path,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[RawTable]:
    return list(read_activity(source, folder, Span(since, until), now=NOW, sleep=lambda _: None))


def who(tables: list[RawTable]) -> list[str]:
    return [one for table in tables for one in table.rows["who"].to_list()]


def test_every_file_that_matches_is_read_by_name_also_compressed_ones(tmp_path: Path):
    write(tmp_path, "b.csv", "b,1")
    write(tmp_path, "a.csv.gz", "a,1")
    write(tmp_path, "c.csv", "c,1", "d,2")
    tables = read(logs(), tmp_path)
    assert who(tables) == ["a", "b", "c", "d"]
    assert tables[-1].rows[ROW].to_list() == [2, 3]
    assert [table.origin for table in tables] == ["logs/a.csv.gz", "logs/b.csv", "logs/c.csv"]


def test_a_file_that_was_last_written_before_the_time_asked_for_is_not_opened(tmp_path: Path):
    write(tmp_path, "a.csv", "a,1", written=NOW - 3 * DAY).write_text("")
    os.utime(tmp_path / "logs/a.csv", (0, (NOW - 3 * DAY).timestamp()))
    write(tmp_path, "b.csv", "b,1")
    assert who(read(logs(), tmp_path, since=NOW - DAY)) == ["b"]
    with pytest.raises(SourceIncompleteError, match=r"a\.csv: is empty"):
        read(logs(), tmp_path, since=NOW - 3 * DAY)


def test_a_date_in_a_name_counts_only_where_its_span_is_said(tmp_path: Path):
    for day in (1, 2, 3):
        write(tmp_path, f"log-2026-07-0{day}.csv", f"{day},1")
    since, until = datetime(2026, 7, 2, tzinfo=UTC), datetime(2026, 7, 3, tzinfo=UTC)
    assert who(read(logs(), tmp_path, since, until)) == ["1", "2", "3"]
    assert who(read(logs(covers=DAY), tmp_path, since, until)) == ["2"]
    # Until three in the morning by the zone of the names, it is still the day before.
    paris = logs(covers=DAY, timezone="Europe/Paris")
    assert who(read(paris, tmp_path, since, until)) == ["2", "3"]


def test_only_the_newest_file_must_be_young(tmp_path: Path):
    write(tmp_path, "a.csv", "a,1", written=NOW - 5 * DAY)
    write(tmp_path, "b.csv", "b,1", written=NOW - DAY)
    aged = ActivitySource(kind="csv", activity="logs/*.csv")
    assert who(read(aged, tmp_path)) == ["a", "b"]
    os.utime(tmp_path / "logs/b.csv", (0, (NOW - 2 * DAY).timestamp()))
    with pytest.raises(SourceIncompleteError, match=r"b\.csv: is 2d old"):
        read(aged, tmp_path)
    assert who(read(aged, tmp_path, until=NOW)) == ["a", "b"]


def test_a_file_without_its_marker_is_not_finished(tmp_path: Path):
    write(tmp_path, "a.csv", "a,1")
    marked = logs(complete={"marker": "{path}.done"})
    with pytest.raises(SourceIncompleteError, match=r"marker .* is not there"):
        read(marked, tmp_path)
    (tmp_path / "logs/a.csv.done").touch()
    assert who(read(marked, tmp_path)) == ["a"]


def test_a_file_that_is_cut_off_is_an_error_at_its_end(tmp_path: Path):
    write(tmp_path, "a.csv", "a,1", "b,2", "END 3")
    ended = logs(complete={"trailer": r"END (\d+)"})
    with pytest.raises(SourceIncompleteError, match="2 rows were read and its trailer states 3"):
        read(ended, tmp_path)


def test_a_file_that_grows_while_it_is_read_is_an_error(tmp_path: Path):
    path = write(tmp_path, "a.csv", "a,1")
    reading = read_activity(logs(), tmp_path, Span(), now=NOW)
    next(reading)
    with path.open("a") as file:
        file.write("b,2\n")
    with pytest.raises(SourceIncompleteError, match="changed while it was read"):
        list(reading)


def test_lines_that_are_no_rows_are_rejects_and_counted(tmp_path: Path):
    write(tmp_path, "a.csv", "a,1", "b", '"c\n1",2', "d,3,4")
    [table] = read(logs(), tmp_path)
    assert who([table]) == ["a", "c\n1"]
    assert (table.read_count, table.rejects.height) == (4, 2)
    assert table.rows[ROW].to_list() == [2, 4]


def test_no_file_at_all_is_an_error(tmp_path: Path):
    with pytest.raises(SourceUnavailableError, match="activity: no file matches"):
        read(logs(), tmp_path)


def test_a_look_tells_what_the_newest_file_is_like(tmp_path: Path):
    write(tmp_path, "a.csv", "a,1", written=NOW - DAY)
    write(tmp_path, "b.csv", "b,1")
    [probe] = probe_activity(logs(), tmp_path, now=NOW)
    assert probe.origin == "logs/b.csv"
    assert probe.columns == ("who", "at")
    assert "the newest of 2 files" in probe.said


def database(url: str, query: str) -> ActivityDatabase:
    return ActivityDatabase(kind="sql", url=url, queries={"list_activity_records": query})


@pytest.fixture
def events(new_database: Callable[[], str]) -> str:
    """A database with an event every six hours from July 1st on, forty of them."""
    url = new_database()
    with psycopg.connect(url) as connection:
        connection.execute(
            "CREATE TABLE events AS SELECT 'u' || n % 7 AS who, 'LOGIN' AS what,"
            " timestamptz '2026-07-01 00:00+00' + n * interval '6 hours' AS at"
            " FROM generate_series(0, 39) AS n"
        )
    return url


SELECT = "SELECT who AS account_id, what AS activity_type, at AS timestamp FROM events"
BETWEEN = " WHERE at >= {since} AND at < {until}"


@pytest.mark.parametrize("where", ["", BETWEEN])
def test_a_database_is_asked_for_the_time_in_parts_that_together_are_all_of_it(
    events: str, where: str
):
    span = Span(datetime(2026, 7, 2, tzinfo=UTC), datetime(2026, 7, 4, 12, tzinfo=UTC))
    tables = list(read_activity(database(events, SELECT + where), Path(), span, now=NOW))
    found = pl.concat([table.rows for table in tables])
    at = found["timestamp"].str.to_datetime(time_zone="UTC")
    assert len(tables) == (3 if where else 1)
    assert found[ROW].is_unique().all()
    if where:
        assert found.height == 10
        assert (at >= span.since).all()
        assert (at < span.until).all()
    else:
        assert found.height == 40


def test_a_query_with_other_labels_is_told_of_at_a_look(events: str):
    probe_activity(database(events, SELECT + BETWEEN), Path(), now=NOW)
    with pytest.raises(SourceFormatError, match="no column label"):
        probe_activity(database(events, "SELECT who, at FROM events"), Path(), now=NOW)
