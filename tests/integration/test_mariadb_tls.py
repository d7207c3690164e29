"""MariaDB over TLS: who it is, who we are, and what a user reads where one of it is refused."""

from typing import Any

import pytest

from schemas.errors import ConfigError
from tests.logging_in import PASSWORD, TlsDatabase, error_of, jars_of, logs_in, odbc_driver

pytest_plugins = ["tests.tls_databases"]
pytestmark = pytest.mark.xdist_group("tls_databases")

CA = {"ca_file": "ca.pem"}
HOLDER = {"username": "holder", "password": None}


@pytest.fixture
def server(tls_mariadb: TlsDatabase) -> TlsDatabase:
    return tls_mariadb


def native(server: TlsDatabase, host: str = "localhost", more: str = "") -> dict[str, Any]:
    url = f"mariadb://{host}:{server.port}/hr{more}"
    return {"url": url, "username": "reader", "password": PASSWORD}


def jdbc_url(server: TlsDatabase, more: str, engine: str = "mariadb") -> dict[str, Any]:
    return native(server) | {"url": f"jdbc:{engine}://localhost:{server.port}/hr?{more}"}


def java(server: TlsDatabase, more: str) -> dict[str, Any]:
    jars = jars_of("mariadb-java-client.jar", "libmariadb-java")
    return jdbc_url(server, more) | {"driver": "jdbc", "jars": jars}


def odbc(server: TlsDatabase, more: str, host: str = "localhost") -> dict[str, Any]:
    driver = odbc_driver("MariaDB Unicode", "odbc-mariadb")
    dsn = f"{driver};SERVER={host};PORT={server.port};DATABASE=hr;CHARSET=utf8mb4;{more}"
    return {"driver": "odbc", "dsn": dsn, "username": "reader", "password": PASSWORD}


def test_a_server_that_proves_who_it_is_is_read(
    server: TlsDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert logs_in(native(server) | {"tls": CA}, server.folder) == 3
    monkeypatch.setenv("SSL_CERT_FILE", str(server.folder / "ca.pem"))
    assert logs_in(native(server) | {"tls": {}}, server.folder) == 3


@pytest.mark.parametrize("authority", [{"ca_file": "other.pem"}, {}])
def test_an_unknown_authority_is_refused(server: TlsDatabase, authority: dict[str, str]) -> None:
    error = error_of(native(server) | {"tls": authority}, server.folder)
    assert type(error) is ConfigError
    assert "certificate is not trusted" in str(error)
    assert "ca_file" in str(error)


def test_a_certificate_for_another_host_is_refused(server: TlsDatabase) -> None:
    error = error_of(native(server, "127.0.0.1") | {"tls": CA}, server.folder)
    assert type(error) is ConfigError
    assert "for another host" in str(error)


def test_a_server_may_be_trusted_without_proof_but_never_unencrypted(server: TlsDatabase) -> None:
    trusted = native(server, "127.0.0.1") | {"tls": {"mode": "unverified"}}
    assert logs_in(trusted, server.folder) == 3
    error = error_of(native(server) | {"tls": {"mode": "none"}}, server.folder)
    assert type(error) is ConfigError
    assert "1045" in str(error)  # MariaDB does not say why
    assert "tls" in str(error)


def test_a_client_certificate_logs_in_and_none_or_a_strangers_is_refused(
    server: TlsDatabase,
) -> None:
    def shown(name: str) -> dict[str, Any]:
        return (
            native(server)
            | HOLDER
            | {"tls": CA | {"certificate": f"{name}.pem", "key": f"{name}.key"}}
        )

    assert logs_in(shown("holder"), server.folder) == 3
    for refused, said in (
        (native(server) | HOLDER | {"tls": CA}, "1045"),
        (shown("stranger"), "wants a certificate of ours"),
    ):
        error = error_of(refused, server.folder)
        assert type(error) is ConfigError
        assert said in str(error)


def test_a_wrong_password_is_one_line(server: TlsDatabase) -> None:
    wrong = native(server) | {"tls": CA, "password": f"not-{PASSWORD}"}
    error = error_of(wrong, server.folder)
    assert type(error) is ConfigError
    assert "SQLSTATE 28000, error 1045" in str(error)


def test_both_kinds_of_url_say_it_too(server: TlsDatabase) -> None:
    ca, other = server.folder / "ca.pem", server.folder / "other.pem"
    for named in (
        native(server, more=f"?ssl_ca={ca}"),
        jdbc_url(server, f"sslMode=verify-full&serverSslCert={ca}"),
        jdbc_url(server, f"useSSL=true&serverSslCert={ca}"),
        jdbc_url(server, "sslMode=trust"),
        jdbc_url(server, "sslMode=REQUIRED", "mysql"),
    ):
        assert logs_in(named, server.folder) == 3
    for refused in (
        native(server, more=f"?ssl_ca={other}"),
        jdbc_url(server, f"sslMode=verify-full&serverSslCert={other}"),
        jdbc_url(server, "useSSL=true"),
        jdbc_url(server, "sslMode=VERIFY_CA", "mysql"),
    ):
        assert "not trusted" in str(error_of(refused, server.folder))


def test_through_jdbc_the_url_says_it(server: TlsDatabase) -> None:
    """Its own certificates lie in key stores, whose passwords no URL of ours may hold."""
    verified = f"useSsl=true&serverSslCert={server.folder / 'ca.pem'}"
    assert logs_in(java(server, verified), server.folder) == 3
    for refused, said in (
        (java(server, verified.replace("ca.pem", "other.pem")), "not trusted"),
        (java(server, verified.replace("ca.pem", "none.pem")), "not trusted"),
        (java(server, "useSsl=false"), "1045"),
        (java(server, verified) | HOLDER, "1045"),
    ):
        error = error_of(refused, server.folder)
        assert type(error) is ConfigError
        assert said in str(error)


def test_through_odbc_the_dsn_says_it(server: TlsDatabase) -> None:
    verified = f"FORCETLS=1;SSLVERIFY=1;SSLCA={server.folder / 'ca.pem'}"
    shown = f"{verified};SSLCERT={server.holder.file};SSLKEY={server.holder.key_file}"
    assert logs_in(odbc(server, verified), server.folder) == 3
    assert logs_in(odbc(server, shown) | HOLDER, server.folder) == 3
    for refused, said in (
        (odbc(server, verified.replace("ca.pem", "other.pem")), "not trusted"),
        (odbc(server, verified, "127.0.0.1"), "not trusted"),
        (odbc(server, verified) | HOLDER, "1045"),
        (odbc(server, ""), "1045"),
    ):
        error = error_of(refused, server.folder)
        assert type(error) is ConfigError
        assert said in str(error)
