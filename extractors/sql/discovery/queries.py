"""The built-in readings of databases' own accounts and roles: one SQL file a capability."""

import re
from pathlib import Path

from schemas.errors import ConfigError, SourceIncompleteError
from schemas.source_file.kinds.sql_source import CAPABILITIES, Engine, Query, SqlSource

_HERE = Path(__file__).parent
_ALIKE = {"mariadb": "mysql", "jtds": "mssql"}
_PART = re.compile(r"^-- part: (\S+)$", re.MULTILINE)
"""A line of a statement in whose place a file stands: what several statements begin with."""

_IN_DRESS = {"h2"}
"""What answers another engine's statements by its own choice of mode, and is taken at its word."""


def discovery_queries(engine: Engine, server_version: str = "") -> dict[str, str]:
    """Reads the statement of each capability of `engine`, in the order of `CAPABILITIES`.

    Args:
        engine: of those that are asked in SQL; MongoDB has no statement.
        server_version: what the server says of itself; MariaDB answers to MySQL's name and keeps
            its roles elsewhere, so that it is known by this alone.

    Returns:
        By capability; one that the engine keeps nothing for is not there.
    """
    folder = _HERE / _folder(engine, server_version)
    files = {name: folder / f"{name}.sql" for name in CAPABILITIES}
    return {name: _statement(file) for name, file in files.items() if file.is_file()}


def _statement(file: Path) -> str:
    def part(line: re.Match[str]) -> str:
        return (_HERE / line[1]).read_text("utf-8").rstrip("\n")

    return _PART.sub(part, file.read_text("utf-8"))


def queries_of(source: SqlSource, engine: str) -> dict[str, Query]:
    """Returns the query of each capability of the source, in the order of `CAPABILITIES`.

    Args:
        source: its own queries stand in place of those of the engine that it discovers.
        engine: what the server that was reached is; MariaDB is told apart from MySQL.

    Raises:
        ConfigError: the server is another kind of database than the one to discover.
    """
    built_in: dict[str, str] = {}
    if source.discover is not None:
        reached = _ALIKE.get(engine, engine)
        if reached != source.discover and reached not in _IN_DRESS:
            raise _another_engine(source.discover, reached, engine)
        built_in = discovery_queries(source.discover, engine)
    own: dict[str, Query | None] = {name: getattr(source.queries, name) for name in CAPABILITIES}
    queries = {
        name: own[name] or (Query(sql=built_in[name]) if name in built_in else None)
        for name in CAPABILITIES
    }
    return {name: query for name, query in queries.items() if query is not None}


def _another_engine(discover: Engine, reached: str, engine: str) -> ConfigError:
    reason = f"{discover}: the url is of {engine}"
    if not (_HERE / reached).is_dir():
        reason += ", whose own accounts no built-in query reads: write queries in place of discover"
    return ConfigError(reason, key="source.discover")


def check_sight(source: SqlSource, labels: tuple[str, ...], cells: list[str | None]) -> None:
    """Raises unless the account sees all, by what the built-in `validate_credentials` says.

    Args:
        source: one with a query of its own is taken at its word.
        labels: of what the query returned; `missing` is the built-in's.
        cells: of its first column.

    Raises:
        SourceIncompleteError: the database hides accounts or grants from the account that reads.
    """
    is_built_in = source.discover is not None and source.queries.validate_credentials is None
    if is_built_in and labels == ("missing",) and cells:
        raise SourceIncompleteError(f"{source.discover}: {cells[0]}", key="discover")


def _folder(engine: Engine, server_version: str) -> str:
    return "mariadb" if engine == "mysql" and "mariadb" in server_version.lower() else engine
