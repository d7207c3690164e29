"""Reads a database's `people` as somebody, and takes down how a login that is refused is told."""

import os
import shutil
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyodbc
import pytest
from pydantic import SecretStr

from extractors.read import read_source
from flows.run.secrets import to_resolver
from schemas.errors import IngestError
from schemas.source_file.kinds.sql_source import SqlSource
from schemas.source_file.secrets import Secret
from tests.certificates import Certificate

PASSWORD = "canary-5ecret"
_SQL = "SELECT * FROM people"


@dataclass(frozen=True, slots=True)
class TlsDatabase:
    """A server whose certificate is for `localhost` and for no address.

    Two may log in and read `people`, which has 3 rows: `reader` with `PASSWORD`, encrypted, and
    `holder` with a certificate.

    Attributes:
        port: on 127.0.0.1.
        database: its name.
        inside: the socket by which its superuser gets in, or PostgreSQL's folder for it.
        folder: `ca.pem` signed the server's certificate and that of `holder`; `other.pem` and
            `stranger` have nothing to do with it.
        holder: the certificate that lets `holder` in.
        stranger: one that lets nobody in.
    """

    port: int
    database: str
    inside: str
    folder: Path
    holder: Certificate
    stranger: Certificate


def logs_in(options: dict[str, Any], workspace: Path) -> int:
    """How many accounts are read; `password` among `options` is the password itself."""
    secret = options.get("password")
    given = options | {"password": {"env": "SECRET"} if secret else None}
    source = SqlSource(kind="sql", **({"queries": {"list_accounts": _SQL}} | given))
    elsewhere = to_resolver(workspace)

    def resolve(where: Secret) -> SecretStr:
        return SecretStr(secret) if secret and where.env == "SECRET" else elsewhere(where)

    raw = read_source(source, workspace, now=datetime.now(UTC), resolve=resolve)
    return raw.accounts.read_count


def error_of(options: dict[str, Any], workspace: Path) -> IngestError:
    """The error in place of accounts: one line, and no secret in it or behind it."""
    with pytest.raises(IngestError) as caught:
        logs_in(options, workspace)
    error = caught.value
    assert "\n" not in str(error)
    assert error.__cause__ is None
    assert error.__context__ is None
    if options.get("password"):
        assert options["password"] not in "".join(traceback.format_exception(error))
    return error


_OF_DEBIAN = {
    ("postgresql", "odbc"): ("PostgreSQL Unicode", "odbc-postgresql"),
    ("postgresql", "jdbc"): ("postgresql.jar", "libpostgresql-jdbc-java"),
    ("mariadb", "odbc"): ("MariaDB Unicode", "odbc-mariadb"),
    ("mariadb", "jdbc"): ("mariadb-java-client.jar", "libmariadb-java"),
}
"""A driver, and the package it is in."""


def way_in(
    engine: str, way: str, port: int, database: str, host: str = "127.0.0.1"
) -> dict[str, Any]:
    """What a source says to read a database as its superuser.

    Args:
        engine: `postgresql` or `mariadb`.
        way: `odbc`, `jdbc`, or any other name for the database's own driver.
        port: of the server on `host`.
        database: its name.
        host: the server's.
    """
    username = {"username": "postgres" if engine == "postgresql" else "root"}
    url = f"{engine}://{host}:{port}/{database}"
    if way == "odbc":
        driver = odbc_driver(*_OF_DEBIAN[engine, way])
        dsn = f"{driver};SERVER={host};PORT={port};DATABASE={database}"
        return username | {"driver": way, "dsn": dsn}
    if way == "jdbc":
        jars = jars_of(*_OF_DEBIAN[engine, way])
        return username | {"driver": way, "jars": jars, "url": f"jdbc:{url}"}
    return username | {"url": url}


def jars_of(name: str, package: str) -> tuple[str, ...]:
    """A driver's jar, from Debian's package."""
    jar = Path("/usr/share/java") / name
    _check([] if jar.is_file() else [f"{name} (Debian: {package})"])
    _check([] if shutil.which("java") else ["java (Debian: default-jre-headless)"])
    return (str(jar),)


def odbc_driver(name: str, package: str) -> str:
    """The beginning of a connection string, for a driver from Debian's package."""
    _check([] if name in pyodbc.drivers() else [f"{name} (Debian: {package})"])
    return f"DRIVER={{{name}}}"


def _check(missing: list[str]) -> None:
    if missing and os.environ.get("CI"):
        pytest.fail(f"missing: {', '.join(missing)}")
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}")
