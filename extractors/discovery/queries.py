"""The built-in readings of databases' own accounts and roles: one SQL file a capability."""

from pathlib import Path

from schemas.sql_source import CAPABILITIES, Engine

_HERE = Path(__file__).parent


def discovery_queries(engine: Engine, server_version: str = "") -> dict[str, str]:
    """The statement of each capability that is read of `engine`, in the order of `CAPABILITIES`.

    Args:
        engine: of those that are asked in SQL; MongoDB has no statement.
        server_version: what the server says of itself; MariaDB answers to MySQL's name and keeps
            its roles elsewhere, so that it is known by this alone.

    Returns:
        By capability; one that the engine keeps nothing for is not there.
    """
    folder = _HERE / _folder(engine, server_version)
    files = {name: folder / f"{name}.sql" for name in CAPABILITIES}
    return {name: file.read_text("utf-8") for name, file in files.items() if file.is_file()}


def _folder(engine: Engine, server_version: str) -> str:
    return "mariadb" if engine == "mysql" and "mariadb" in server_version.lower() else engine
