"""How old a database may be: told by a query of the source, or by a standby itself."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from extractors.read import probe_source, read_source
from schemas.errors import IngestError, SourceFormatError, SourceIncompleteError, SourceStaleError
from schemas.raw import LastRead
from schemas.source_file.kinds.sql_source import SqlSource

NOW = datetime(2026, 6, 3, 12, tzinfo=UTC)


def read(
    folder: Path, changed_at: str | None, query: str, zone: str | None = "UTC"
) -> tuple[str, ...]:
    connection = sqlite3.connect(folder / "hr.db")
    connection.execute("CREATE TABLE people (id TEXT, changed_at TEXT)")
    connection.execute("INSERT INTO people VALUES ('1', ?)", [changed_at])
    connection.commit()
    connection.close()
    source = SqlSource(
        kind="sql",
        url="sqlite:///hr.db",
        timezone=zone,
        freshness={"query": query, "max_age": "2d"},
        queries={"list_accounts": "SELECT id AS integration_specific_id FROM people"},
    )
    probe_source(source, folder, now=NOW)
    return read_source(source, folder, now=NOW).proof


NEWEST = "SELECT max(changed_at) FROM people"


@pytest.mark.parametrize(
    "changed_at",
    ["2026-06-01 12:00:00", "2026-06-02", "2026-06-01T14:00:00+02:00", "2026-06-03T12:04:00Z"],
)
def test_data_of_any_time_within_the_bound_are_read(changed_at: str, tmp_path: Path) -> None:
    assert any(line.startswith("freshness: changed") for line in read(tmp_path, changed_at, NEWEST))


@pytest.mark.parametrize(
    ("changed_at", "query", "zone", "kind", "words"),
    [
        ("2026-06-01 11:59:59", NEWEST, "UTC", SourceStaleError, "2d 1s old and max_age is 2d"),
        ("2026-06-03 12:06:00", NEWEST, "UTC", SourceStaleError, "6m ahead of the clock"),
        (None, NEWEST, "UTC", SourceIncompleteError, "returns no time: the table is empty"),
        ("yesterday", NEWEST, "UTC", SourceFormatError, "select one, or a text in ISO 8601"),
        ("2026-06-03", NEWEST, None, SourceFormatError, "state the source's timezone"),
        ("0001-01-01", NEWEST, "Asia/Tokyo", SourceFormatError, "returns no time"),
        (
            "2026-06-03",
            "SELECT id, changed_at FROM people",
            "UTC",
            SourceFormatError,
            "1 rows of 2",
        ),
        (
            "2026-06-03",
            f"{NEWEST} WHERE id > '1' HAVING 0",
            "UTC",
            SourceFormatError,
            "0 rows of 1",
        ),
    ],
)
def test_older_data_and_an_answer_that_is_no_time_are_refused(
    changed_at: str | None,
    query: str,
    zone: str | None,
    kind: type[IngestError],
    words: str,
    tmp_path: Path,
) -> None:
    with pytest.raises(kind) as caught:
        read(tmp_path, changed_at, query, zone)
    assert words in str(caught.value)
    assert str(caught.value).startswith("freshness: ")


@pytest.mark.parametrize(
    ("last", "behind"),
    [(None, ""), ("2026-06-01T12:00:00Z", ""), ("2026-06-01T12:00:01Z", "1s"),
     ("2026-06-02T13:00:00Z", "1d 1h")],
)  # fmt: skip
def test_data_that_are_older_than_those_of_the_last_accepted_run_are_told(
    last: str | None, behind: str, tmp_path: Path
) -> None:
    read(tmp_path, "2026-06-01 12:00:00", NEWEST)
    source = SqlSource(
        kind="sql",
        url="sqlite:///hr.db",
        timezone="UTC",
        freshness={"query": NEWEST, "max_age": "9d"},
        queries={"list_accounts": "SELECT id AS integration_specific_id FROM people"},
    )
    last_read = LastRead(changed_at=None if last is None else datetime.fromisoformat(last))
    raw = read_source(source, tmp_path, now=NOW, last_read=last_read)
    assert raw.remembered.changed_at == datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert raw.older == ("a database whose newest change is older than it was" if behind else "")
    told = [line for line in raw.warnings if line.startswith("freshness: the newest change is")]
    assert [behind in line for line in told] == ([True] if behind else [])


@pytest.mark.parametrize("more", [{"discover": "mongodb"}])
def test_a_database_that_takes_no_query_has_no_freshness(more: dict[str, str]) -> None:
    make: Callable[[], SqlSource] = lambda: SqlSource(  # noqa: E731
        kind="sql", url="mongodb://h/d", freshness={"query": NEWEST, "max_age": "2d"}, **more
    )
    with pytest.raises(ValueError, match="a MongoDB takes none"):
        make()
