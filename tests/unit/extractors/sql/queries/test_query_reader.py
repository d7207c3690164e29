"""A source's queries within one session: an error names the query that it is about."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from extractors.read import probe_source, read_source
from extractors.sql.drivers.sqlite import SqliteSession
from extractors.sql.queries.reader import Reader, about
from schemas.errors import ConfigError, IngestError, SourceFormatError
from schemas.source_file.kinds.sql_source import SqlSource

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def reader(tmp_path: Path, **queries: object) -> Reader:
    source = SqlSource(kind="sql", url="sqlite:///a.db", queries=queries)
    session = SqliteSession(
        engine="sqlite",
        server="a.db",
        errors=(sqlite3.Error,),
        timeout_s=60,
        zone=None,
        connection=sqlite3.connect(":memory:", check_same_thread=False),
        paramstyle="qmark",
    )
    return Reader(source, tmp_path, session)


def test_a_database_that_no_discovery_is_of_is_told_of_the_key(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("CREATE TABLE t (n)")
    connection.close()
    source = SqlSource(kind="sql", url="sqlite:///a.db", discover="postgresql")
    for look in (probe_source, read_source):
        with pytest.raises(ConfigError, match=r"^source\.discover: postgresql: the url is of sql"):
            look(source, tmp_path, now=NOW)


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ({"file": "gone.sql"}, ConfigError),
        ({"file": "write.sql"}, ConfigError),
        ("SELECT nonesuch", SourceFormatError),
        ("SELECT 1 AS nothing", SourceFormatError),
        (
            {
                "sql": "SELECT 1 AS integration_specific_id",
                "partition": {"column": "n", "parts": 2},
            },
            ConfigError,
        ),
    ],
)
def test_an_error_of_a_query_has_the_query_for_its_key(
    query: object, kind: type[IngestError], tmp_path: Path
) -> None:
    (tmp_path / "write.sql").write_text("DELETE FROM t", "utf-8")
    with pytest.raises(kind) as caught:
        reader(tmp_path, list_accounts=query).needed_rows("list_accounts")
    assert caught.value.key == "list_accounts"
    assert str(caught.value).startswith("list_accounts")
    assert str(caught.value).count("list_accounts") == 1


def test_a_query_that_is_missing_is_said_of_the_queries(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^source\.queries: get_account is missing") as caught:
        reader(tmp_path, list_accounts="SELECT 1").needed_rows("get_account")
    assert caught.value.key == "source.queries"


def test_an_error_about_another_key_stays_about_that() -> None:
    with pytest.raises(ConfigError) as caught, about("list_accounts"):
        raise ConfigError("names no host", key="source.url")
    assert caught.value.key == "source.url"
