"""A token in a password's stead: printed by a command, anew for each login, and told to nobody."""

import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest

from schemas.errors import ConfigError
from tests.certificates import new_authority, new_certificate
from tests.logging_in import TlsDatabase, error_of, jars_of, logs_in, odbc_driver

pytest_plugins = ["tests.tls_databases"]
pytestmark = pytest.mark.xdist_group("tls_databases")

_MINT = """
import pathlib, sys, uuid
minted = pathlib.Path("minted")
token = f"canary-{{uuid.uuid4().hex}}"
{change}
with minted.open("a") as file:
    file.write(token + "\\n")
print(token)
"""
_POSTGRESQL = """
import psycopg
with psycopg.connect("host={inside} port={port} user=postgres dbname=postgres") as connection:
    connection.execute(f"ALTER ROLE cloud PASSWORD '{{token}}'")
"""
_MARIADB = """
import pymysql
with pymysql.connect(unix_socket="{inside}", user="root") as connection:
    connection.cursor().execute("SET PASSWORD FOR cloud = PASSWORD(%s)", (token,))
"""


def minting(server: TlsDatabase, workspace: Path, change: str) -> dict[str, Any]:
    """A command whose token lets `cloud` in until the next one is printed."""
    said = change.format(inside=server.inside, port=server.port)
    (workspace / "mint.py").write_text(_MINT.format(change=said))
    return {"username": "cloud", "token": {"command": [sys.executable, "mint.py"]}}


def minted(workspace: Path) -> list[str]:
    return (workspace / "minted").read_text().split()


def postgresql(server: TlsDatabase, way: str) -> dict[str, Any]:
    ca = server.folder / "ca.pem"
    if way == "odbc":
        driver = odbc_driver("PostgreSQL Unicode", "odbc-postgresql")
        dsn = f"{driver};Server=localhost;Port={server.port};Database=postgres"
        return {"driver": way, "dsn": f"{dsn};SSLmode=verify-full;pqopt={{sslrootcert={ca}}}"}
    url = f"postgresql://localhost:{server.port}/postgres?sslmode=verify-full&sslrootcert={ca}"
    if way == "jdbc":
        jars = jars_of("postgresql.jar", "libpostgresql-jdbc-java")
        return {"driver": way, "jars": jars, "url": f"jdbc:{url}"}
    return {"url": url}


@pytest.mark.parametrize("way", ["native", "jdbc", "odbc"])
def test_each_login_to_a_postgresql_has_a_token_of_its_own(
    way: str, tls_postgresql: TlsDatabase, tmp_path: Path
) -> None:
    options = minting(tls_postgresql, tmp_path, _POSTGRESQL) | postgresql(tls_postgresql, way)
    assert logs_in(options, tmp_path) == 3
    assert logs_in(options, tmp_path) == 3
    assert len(set(minted(tmp_path))) == 2


def test_each_login_to_a_mariadb_has_a_token_of_its_own(
    tls_mariadb: TlsDatabase, tmp_path: Path
) -> None:
    url = f"mariadb://localhost:{tls_mariadb.port}/hr?ssl_ca={tls_mariadb.folder / 'ca.pem'}"
    options = minting(tls_mariadb, tmp_path, _MARIADB) | {"url": url}
    assert logs_in(options, tmp_path) == 3
    assert logs_in(options, tmp_path) == 3
    assert len(set(minted(tmp_path))) == 2


def test_connections_that_share_a_snapshot_log_in_with_a_token_each(
    tls_postgresql: TlsDatabase, tmp_path: Path
) -> None:
    server = tls_postgresql
    with psycopg.connect(f"host={server.inside} port={server.port} user=postgres") as connection:
        connection.execute("ALTER ROLE cloud PASSWORD 'canary-same'")
    query = {
        "sql": "SELECT integration_specific_id FROM people",
        "partition": {"column": "integration_specific_id", "parts": 2},
    }
    options = minting(server, tmp_path, 'token = "canary-same"') | postgresql(server, "native")
    assert logs_in(options | {"queries": {"list_accounts": query}}, tmp_path) == 3
    assert len(minted(tmp_path)) == 4  # the first, two ranges, and the rows without a number


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import sys; print('canary'); print('canary', file=sys.stderr); sys.exit(3)", "code 3"),
        ("import sys; print('canary', file=sys.stderr)", "printed nothing"),
        ("import sys; sys.stdout.buffer.write(b'canary\\xff')", "no text in UTF-8"),
    ],
)
def test_a_command_without_a_token_is_one_line(
    program: str, said: str, tls_postgresql: TlsDatabase, tmp_path: Path
) -> None:
    token = {"token": {"command": [sys.executable, "-c", program]}, "username": "cloud"}
    error = error_of(postgresql(tls_postgresql, "native") | token, tmp_path)
    assert type(error) is ConfigError
    assert said in str(error)
    assert "canary" not in str(error)


def test_a_token_that_is_refused_is_not_repeated(
    tls_postgresql: TlsDatabase, tls_mariadb: TlsDatabase, tmp_path: Path
) -> None:
    ca = {"ca_file": str(tls_mariadb.folder / "ca.pem")}
    token = {"token": {"command": ["echo", "canary-old"]}, "username": "cloud"}
    mariadb = {"url": f"mariadb://localhost:{tls_mariadb.port}/hr", "tls": ca}
    for options in (*(postgresql(tls_postgresql, way) for way in ("native", "jdbc")), mariadb):
        error = error_of(options | token, tmp_path)
        assert type(error) is ConfigError
        assert "canary" not in str(error)


def test_a_password_in_any_script_reaches_a_mariadb(
    tls_mariadb: TlsDatabase, tmp_path: Path
) -> None:
    with pymysql.connect(unix_socket=tls_mariadb.inside, user="root") as connection:
        connection.cursor().execute("SET PASSWORD FOR cloud = PASSWORD('pä55-Łódź-€')")
    options = {
        "url": f"mariadb://localhost:{tls_mariadb.port}/hr",
        "tls": {"mode": "unverified"},
        "username": "cloud",
        "password": "pä55-Łódź-€",
    }
    assert logs_in(options, tmp_path) == 3


def test_a_plugin_that_the_driver_lacks_is_one_line(
    tls_mariadb: TlsDatabase, tmp_path: Path
) -> None:
    with pymysql.connect(unix_socket=tls_mariadb.inside, user="root") as connection:
        cursor = connection.cursor()
        cursor.execute("INSTALL SONAME 'auth_ed25519'")
        cursor.execute("CREATE USER curved IDENTIFIED VIA ed25519 USING PASSWORD('canary')")
    options = {
        "url": f"mariadb://localhost:{tls_mariadb.port}/hr",
        "tls": {"mode": "unverified"},
        "username": "curved",
        "password": "canary-curved",
    }
    error = error_of(options, tmp_path)
    assert type(error) is ConfigError
    assert "pip install" in str(error)


def test_a_cloud_s_plugin_gets_the_token_in_clear_within_tls(tmp_path: Path) -> None:
    """As a MySQL of Amazon's asks for it; the token is then refused, which is all we need."""
    ca = new_authority(tmp_path)
    new_certificate(tmp_path, ca, "server", names=("localhost",))
    with asking_in_clear(tmp_path) as (port, received):
        options = {
            "url": f"mysql://localhost:{port}/hr",
            "tls": {"ca_file": "ca.pem"},
            "username": "cloud",
            "token": {"command": ["echo", "canary-of-the-cloud"]},
        }
        error = error_of(options, tmp_path)
    assert received == [b"canary-of-the-cloud\0"]
    assert "1045" in str(error)
    assert "canary" not in str(error)


@contextmanager
def asking_in_clear(folder: Path) -> Any:
    """A MySQL's first words, up to the password: (its port, the passwords that came)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    received: list[bytes] = []

    def serve(listening: socket.socket) -> None:
        plain, _ = listening.accept()
        plain.sendall(_packet(0, _GREETING))
        _payload(plain.recv)
        with context.wrap_socket(plain, server_side=True) as link:
            _payload(link.recv)
            link.sendall(_packet(3, b"\xfemysql_clear_password\0"))
            received.append(_payload(link.recv))
            link.sendall(_packet(5, b"\xff" + struct.pack("<H", 1045) + b"#28000Access denied"))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        try:
            yield listening.getsockname()[1], received
        finally:
            thread.join()


_ABLE = 0x00088A00 | 0x1  # PLUGIN_AUTH, SECURE_CONNECTION, SSL, PROTOCOL_41
_GREETING = (
    b"\x0a8.0.40\0" + struct.pack("<I", 1) + b"saltsalt\0"
    + struct.pack("<HBHH", _ABLE & 0xFFFF, 45, 2, _ABLE >> 16)
    + b"\x15" + bytes(10) + b"saltsaltsalt\0" + b"mysql_native_password\0"
)  # fmt: skip


def _packet(number: int, payload: bytes) -> bytes:
    return struct.pack("<I", len(payload))[:3] + bytes([number]) + payload


def _payload(receive: Callable[[int], bytes]) -> bytes:
    head = b"".join(receive(1) for _ in range(4))
    length = int.from_bytes(head[:3], "little")
    return b"".join(receive(1) for _ in range(length))
