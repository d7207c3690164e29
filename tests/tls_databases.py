"""A PostgreSQL and a MariaDB that want TLS, as a pytest plugin."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.certificates import Certificate, new_authority, new_certificate
from tests.logging_in import PASSWORD, TlsDatabase

_HBA = """
hostssl all holder 127.0.0.1/32 cert
hostssl all all 127.0.0.1/32 scram-sha-256
hostnossl all all 127.0.0.1/32 reject
"""


@dataclass(frozen=True, slots=True)
class _Made:
    folder: Path
    files: tuple[Path, ...]
    holder: Certificate
    stranger: Certificate


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> _Made:
    folder = tmp_path_factory.mktemp("tls")
    ours, other = new_authority(folder), new_authority(folder, "other")
    server = new_certificate(folder, ours, "server", names=("localhost",))
    return _Made(
        folder,
        (server.file, server.key_file, ours.file),
        new_certificate(folder, ours, "holder"),
        new_certificate(folder, other, "stranger"),
    )


@pytest.fixture(scope="session")
def tls_postgresql(certificates: _Made) -> Iterator[TlsDatabase]:
    """PostgreSQL: whoever comes unencrypted is rejected."""
    from tests.postgresql_server import running_postgresql

    options = {
        "ssl": "on",
        "ssl_cert_file": "server.pem",
        "ssl_key_file": "server.key",
        "ssl_ca_file": "ca.pem",
    }

    with running_postgresql(options, hba=_HBA, files=certificates.files) as server:
        with psycopg.connect(server.inside, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'")
            connection.execute("CREATE ROLE holder LOGIN")
            connection.execute("CREATE ROLE cloud LOGIN")
            connection.execute(
                "CREATE TABLE people AS SELECT n AS integration_specific_id "
                "FROM generate_series(1, 3) n"
            )
            connection.execute("GRANT SELECT ON people TO reader, holder, cloud")
        made = certificates
        yield TlsDatabase(
            server.port,
            "postgres",
            str(server.home),
            made.folder,
            made.holder,
            made.stranger,
        )


@pytest.fixture(scope="session")
def tls_mariadb(certificates: _Made) -> Iterator[TlsDatabase]:
    """MariaDB: `require_secure_transport`."""
    from tests.mariadb_server import running_mariadb

    options = {
        "ssl-cert": "{home}/server.pem",
        "ssl-key": "{home}/server.key",
        "ssl-ca": "{home}/ca.pem",
        "require-secure-transport": "ON",
    }
    with running_mariadb(options, files=certificates.files) as server:
        with server.inside() as connection, connection.cursor() as cursor:
            for statement in (
                "CREATE DATABASE hr",
                "USE hr",
                "CREATE TABLE people AS SELECT seq AS integration_specific_id FROM seq_1_to_3",
                f"CREATE USER reader IDENTIFIED BY '{PASSWORD}'",
                "CREATE USER holder REQUIRE X509",
                "CREATE USER cloud IDENTIFIED BY ''",
                "GRANT SELECT ON hr.* TO reader",
                "GRANT SELECT ON hr.* TO cloud",
                "GRANT SELECT ON hr.* TO holder",
            ):
                cursor.execute(statement)
        made = certificates
        yield TlsDatabase(
            server.port,
            "hr",
            f"{server.home}/socket",
            made.folder,
            made.holder,
            made.stranger,
        )
