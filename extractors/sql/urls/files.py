"""JDBC URLs of the databases that are a file: SQLite and DuckDB."""

from typing import Any
from urllib.parse import parse_qsl, unquote

from sqlalchemy import URL

from extractors.sql.urls.address import KEY, DatabaseUrl
from extractors.sql.urls.syntax import Options, query_pairs, semicolon_pairs
from schemas.errors import ConfigError

_SQLITE_HARMLESS = {
    "for writing": "foreign_keys journal_mode synchronous cache_size auto_vacuum locking_mode "
    "transaction_mode page_size temp_store recursive_triggers count_changes",
    "reading only, as we do": "open_mode mode",
    "between the connections of one process": "cache shared_cache read_uncommitted",
}
_DUCKDB_HARMLESS = {"reading only, as we do": "duckdb.read_only access_mode"}


def sqlite_url(rest: str) -> DatabaseUrl:
    """Reads the file in `path?options` or `file:path?options`; empty or `:memory:` is in memory."""
    path, _, query = rest.partition("?")
    options = Options(query_pairs(query))
    wait_s = options.seconds("busy_timeout", 0.001)
    options.ignore(_SQLITE_HARMLESS)
    options.finish()
    path = unquote(path.removeprefix("file:")) if path.startswith("file:") else path
    if path.startswith(":resource:"):
        raise ConfigError("a database inside a jar is not read: name the file", key=KEY)
    arguments: dict[str, Any] = {"timeout": wait_s} if wait_s else {}
    return DatabaseUrl(
        URL.create("sqlite", database=path or ":memory:"), path or ":memory:", arguments
    )


def duckdb_url(rest: str) -> DatabaseUrl:
    """Reads the file in `path;options`; empty or `:memory:` is in memory."""
    path, _, text = rest.partition(";")
    path, _, query = path.partition("?")
    options = Options([*semicolon_pairs(text), *parse_qsl(query)])
    options.ignore(_DUCKDB_HARMLESS)
    options.finish()
    return DatabaseUrl(URL.create("duckdb", database=path or ":memory:"), path or ":memory:")
