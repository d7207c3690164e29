"""Opens a database: login, encryption, timeouts, and the one transaction everything is read in."""

import contextlib
import importlib
import ipaddress
import sqlite3
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from extractors.sql_errors import Asking, asked, driver_errors
from extractors.sql_session import Session
from extractors.sql_snapshot import begin, is_mariadb
from schemas.errors import ConfigError
from schemas.secrets import Resolve
from schemas.sql_source import DatabaseOptions, Tls

_DRIVERS = {"postgresql": "psycopg", "mysql": "pymysql", "mariadb": "pymysql"}
_ENCODINGS = {"postgres": "postgresql"}


@contextmanager
def open_session(source: DatabaseOptions, workspace: Path, resolve: Resolve) -> Iterator[Session]:
    """The database, logged in to, within its transaction; rolled back and closed at the end.

    Raises:
        ConfigError: the url cannot be meant as it is written, or a driver or a secret is missing.
        SourceUnavailableError: no connection, or the login is refused.
    """
    session = _connected(source, workspace, resolve)
    try:
        asking = Asking(session.engine, session.errors, session.server, is_login=True)
        snapshot, warnings = asked(asking, lambda: begin(session))
        yield replace(session, snapshot=snapshot, warnings=warnings)
    finally:
        # Whatever has gone wrong with the connection by now has been told, or does not matter.
        with contextlib.suppress(*session.errors):
            session.connection.rollback()
        with contextlib.suppress(*session.errors):
            session.connection.close()


def to_url(source: DatabaseOptions) -> URL:
    """The source's url, parsed.

    Raises:
        ConfigError: it is none, or it holds a password.
    """
    if source.url is None:
        raise ConfigError("source.url: name the database, such as postgresql://host/database")
    url = None
    with contextlib.suppress(ArgumentError, ValueError):
        url = make_url(source.url)
    if url is None:
        raise ConfigError("source.url: is no url of a database, such as postgresql://host/database")
    if url.password is not None:
        raise ConfigError(
            "source.url: holds a password: take it out, and write password: {env: NAME}"
        )
    backend = _ENCODINGS.get(url.get_backend_name(), url.get_backend_name())
    driver = url.drivername.partition("+")[2] or _DRIVERS.get(backend, "")
    return url.set(drivername=f"{backend}+{driver}" if driver else backend)


def _connected(source: DatabaseOptions, workspace: Path, resolve: Resolve) -> Session:
    url = to_url(source)
    engine = url.get_backend_name()
    server = _server_name(url)
    match engine:
        case "sqlite":
            connection, module = _open_sqlite(url, workspace, source), sqlite3
        case "duckdb":
            connection, module = _open_duckdb(url, workspace)
        case _:
            connection, module = _open_server(url, source, workspace, resolve, server)
    session = Session(
        engine,
        server,
        connection,
        driver_errors(module),
        module.paramstyle,
        source.statement_timeout.total_seconds(),
        source.timezone,
    )
    if engine in {"mysql", "mariadb"}:
        asking = Asking(engine, session.errors, server, is_login=True)
        found = asked(asking, lambda: is_mariadb(connection))
        return replace(session, engine="mariadb" if found else "mysql")
    return session


def _server_name(url: URL) -> str:
    if url.host is None:
        return url.database or url.get_backend_name()
    port = f":{url.port}" if url.port else ""
    return f"{url.host}{port}{f'/{url.database}' if url.database else ''}"


def _open_sqlite(url: URL, workspace: Path, source: DatabaseOptions) -> sqlite3.Connection:
    path = _file_of(url, workspace)
    asking = Asking("sqlite", driver_errors(sqlite3), url.database or "", is_login=True)
    timeout_s = source.connect_timeout.total_seconds()

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro",
            uri=True,
            timeout=timeout_s,
            isolation_level=None,
            check_same_thread=False,  # interrupt() comes from the watch
        )

    return asked(asking, connect)


def _open_duckdb(url: URL, workspace: Path) -> tuple[Any, Any]:
    module = _imported("duckdb", "duckdb")
    path = _file_of(url, workspace)
    asking = Asking("duckdb", driver_errors(module), url.database or "", is_login=True)
    return asked(asking, lambda: module.connect(str(path), read_only=True)), module


def _file_of(url: URL, workspace: Path) -> Path:
    if not url.database or url.database == ":memory:":
        raise ConfigError("source.url: name the database's file")
    path = workspace / url.database.removeprefix("file:")
    if not path.is_file():
        raise ConfigError(f"source.url: {url.database}: no such file: check the path")
    return path


def _open_server(
    url: URL, source: DatabaseOptions, workspace: Path, resolve: Resolve, server: str
) -> tuple[Any, Any]:
    problem = None
    try:
        dialect_class = url.get_dialect()
        module = dialect_class.import_dbapi()
    except (NoSuchModuleError, ImportError):
        problem = f"source.url: there is no driver for {url.drivername}"
    if problem:
        raise ConfigError(f"{problem}: install lumos-ingest[{url.get_backend_name()}]")
    login = url.set(username=source.username or url.username)
    secret = source.password or source.token
    if secret is not None:
        login = login.set(password=resolve(secret).get_secret_value())
    dialect = dialect_class(dbapi=module)
    words, options = dialect.create_connect_args(login)
    options |= _options(url, source, workspace)
    asking = Asking(url.get_backend_name(), driver_errors(module), server, is_login=True)
    return asked(asking, lambda: dialect.connect(*words, **options)), module


def _options(url: URL, source: DatabaseOptions, workspace: Path) -> dict[str, Any]:
    seconds = max(1, round(source.connect_timeout.total_seconds()))
    match url.get_backend_name():
        case "postgresql":
            return {
                "connect_timeout": seconds,
                "application_name": "lumos-ingest",
                "keepalives_idle": 30,
                "keepalives_interval": 10,
                "keepalives_count": 3,
                "tcp_user_timeout": 60_000,
                **_postgresql_tls(url, source.tls, workspace),
            }
        case "mysql" | "mariadb":
            return {
                "connect_timeout": seconds,
                "read_timeout": round(source.statement_timeout.total_seconds()) + 60,
                "charset": "utf8mb4",
                "local_infile": False,
                **_mysql_tls(url, source.tls, workspace),
            }
        case _:
            return {}


def _is_here(url: URL) -> bool:
    """Whether the server is this machine, so that what is sent leaves it for nobody to see."""
    host = url.host or ""
    if host in {"", "localhost"} or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _postgresql_tls(url: URL, tls: Tls | None, workspace: Path) -> dict[str, Any]:
    """Options of libpq; the url's own are left, and without any a server elsewhere is verified."""
    if tls is None and ("sslmode" in url.query or _is_here(url)):
        return {}
    tls = tls or Tls()
    if tls.mode != "verify":
        found: dict[str, Any] = {"sslmode": "require" if tls.mode == "unverified" else "disable"}
    else:
        ca = tls.ca_file and str(workspace / tls.ca_file)
        trusted = ca or ssl.get_default_verify_paths().cafile or "system"
        found = {"sslmode": "verify-full", "sslrootcert": trusted}
    if tls.certificate:
        found["sslcert"] = str(workspace / tls.certificate)
    if tls.key:
        found["sslkey"] = str(workspace / tls.key)
    return found


def _mysql_tls(url: URL, tls: Tls | None, workspace: Path) -> dict[str, Any]:
    said_in_url = any(key.startswith("ssl") for key in url.query)
    if tls is None and (said_in_url or _is_here(url)):
        return {}
    tls = tls or Tls()
    if tls.mode == "none":
        return {"ssl_disabled": True}
    context = ssl.create_default_context(cafile=tls.ca_file and str(workspace / tls.ca_file))
    if tls.mode == "unverified":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.certificate:
        key = tls.key and str(workspace / tls.key)
        context.load_cert_chain(str(workspace / tls.certificate), key)
    return {"ssl": context}


def _imported(module: str, extra: str) -> Any:  # noqa: ANN401 - a module
    with contextlib.suppress(ImportError):
        return importlib.import_module(module)
    raise ConfigError(f"source.url: there is no driver: install lumos-ingest[{extra}]")
