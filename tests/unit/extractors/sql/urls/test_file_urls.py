"""JDBC URLs of databases that are a file."""

from extractors.sql.urls.parse import read_database_url


def test_a_file_is_named_as_it_is() -> None:
    assert read_database_url("jdbc:sqlite:data/hr.db").url.database == "data/hr.db"
    assert read_database_url("jdbc:sqlite:/a b.db?busy_timeout=1500").connect_args == {"timeout": 2}
    assert read_database_url("jdbc:sqlite:").url.database == ":memory:"
    assert read_database_url("jdbc:duckdb:hr.duckdb").url.database == "hr.duckdb"
