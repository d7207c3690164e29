"""A database is opened by the session of its driver; what is wrong names its key."""

import sqlite3
from pathlib import Path

import pytest

from extractors.sql.connect.connect import open_session, session_class
from extractors.sql.statements.statement import Statement
from extractors.sql.urls.parse import read_database_url
from schemas.errors import ConfigError, SourceFormatError
from schemas.source_file.kinds.sql_source import DatabaseOptions
from schemas.source_file.secrets import no_secrets


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://h/x", "PostgresqlSession"),
        ("postgresql+psycopg2://h/x", "CursorSession"),
        ("jdbc:mysql://h/x", "PymysqlSession"),
        ("jdbc:mariadb://h/x", "PymysqlSession"),
        ("mysql+mysqlconnector://h/x", "MysqlSession"),
        ("jdbc:sqlite:a.db", "SqliteSession"),
        ("jdbc:duckdb:a.db", "DuckdbSession"),
        ("mssql://h/x", "MssqlSession"),
        ("oracle://h/?service_name=x", "OracleSession"),
        ("snowflake://account/x", "SnowflakeSession"),
        ("databricks://token@h?http_path=/sql", "DatabricksSession"),
        ("db2://h/x", "Db2Session"),
        ("firebird+firebird://h/x", "CursorSession"),
    ],
)
def test_each_driver_has_its_session(url: str, name: str) -> None:
    assert session_class(read_database_url(url).url).__name__ == name


def test_a_file_is_opened_for_reading_and_closed_at_the_end(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as writer:
        writer.execute("CREATE TABLE t (n)")
    writer.close()
    source = DatabaseOptions(url="sqlite:///a.db")
    count = Statement("n", "n", ("SELECT count(*) FROM t",), is_query=True)
    with open_session(source, tmp_path, no_secrets) as session:
        assert session.read(count).rows.rows() == [("0",)]
        assert (session.engine, session.server, session.file) == (
            "sqlite", "a.db", tmp_path / "a.db",
        )  # fmt: skip
        assert session.snapshot == "opened read-only, one transaction"
    with pytest.raises(SourceFormatError, match="ProgrammingError"):
        session.read(count)


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({}, "source.url"),
        ({"url": "sqlite:///no.db"}, "source.url"),
        ({"url": "sqlite://"}, "source.url"),
        ({"url": "nonsense"}, "source.url"),
        ({"url": "postgresql://jo:secret@h/x"}, "source.url"),
        ({"driver": "jdbc", "url": "postgresql://h/x"}, "source.url"),
        ({"driver": "jdbc", "url": "jdbc:h2:x", "tls": {"mode": "none"}}, "source.tls"),
        ({"driver": "jdbc", "url": "jdbc:h2:x", "kerberos": True}, "source.kerberos"),
        ({"driver": "odbc"}, "source.dsn"),
        ({"driver": "odbc", "dsn": " "}, "source.dsn"),
        ({"driver": "odbc", "dsn": "x", "tls": {"mode": "none"}}, "source.tls"),
        ({"url": "postgresql://h/x", "tls": {"key": "k"}}, "source.tls.key"),
        ({"url": "postgresql://h/x", "tls": {"ca_file": "no.pem"}}, "source.tls.ca_file"),
        ({"url": "mysql://h/x", "kerberos": True}, "source.kerberos"),
    ],
)
def test_what_is_wrong_in_the_source_file_names_its_key(
    options: dict[str, object], key: str, tmp_path: Path
) -> None:
    with (
        pytest.raises(ConfigError) as caught,
        open_session(DatabaseOptions(**options), tmp_path, no_secrets),
    ):
        pass
    assert caught.value.key == key
    assert str(caught.value).startswith("source.")
    assert caught.value.__context__ is None
