"""PostgreSQL over TLS: who it is, who we are, and what a user reads where one of it is refused."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import ConfigError
from tests.logging_in import PASSWORD, TlsDatabase, error_of, jars_of, logs_in, odbc_driver

pytest_plugins = ["tests.tls_databases"]
pytestmark = pytest.mark.xdist_group("tls_databases")

CA = {"ca_file": "ca.pem"}
WITH_CERTIFICATE = CA | {"certificate": "holder.pem", "key": "holder.key"}


@pytest.fixture
def server(tls_postgresql: TlsDatabase) -> TlsDatabase:
    return tls_postgresql


def native(server: TlsDatabase, host: str = "localhost", more: str = "") -> dict[str, Any]:
    url = f"postgresql://{host}:{server.port}/postgres{more}"
    return {"url": url, "username": "reader", "password": PASSWORD}


def jdbc_url(server: TlsDatabase, more: str, host: str = "localhost") -> dict[str, Any]:
    return native(server) | {"url": f"jdbc:postgresql://{host}:{server.port}/postgres?{more}"}


def java(server: TlsDatabase, more: str, host: str = "localhost") -> dict[str, Any]:
    jars = jars_of("postgresql.jar", "libpostgresql-jdbc-java")
    return jdbc_url(server, more, host) | {"driver": "jdbc", "jars": jars}


def odbc(server: TlsDatabase, more: str, host: str = "localhost") -> dict[str, Any]:
    driver = odbc_driver("PostgreSQL Unicode", "odbc-postgresql")
    dsn = f"{driver};Server={host};Port={server.port};Database=postgres;{more}"
    return {"driver": "odbc", "dsn": dsn, "username": "reader", "password": PASSWORD}


def test_a_server_that_proves_who_it_is_is_read(server: TlsDatabase) -> None:
    assert logs_in(native(server) | {"tls": CA}, server.folder) == 3


def test_the_systems_authorities_are_trusted(
    server: TlsDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.folder / "ca.pem"))
    assert logs_in(native(server) | {"tls": {}}, server.folder) == 3
    assert logs_in(native(server, more="?sslrootcert=system"), server.folder) == 3
    java_store = "ssl=true&sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory"
    assert logs_in(jdbc_url(server, java_store), server.folder) == 3


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
    assert "the server wants one" in str(error)


def test_a_client_certificate_logs_in(server: TlsDatabase) -> None:
    holder = native(server) | {"username": "holder", "password": None}
    assert logs_in(holder | {"tls": WITH_CERTIFICATE}, server.folder) == 3
    both = server.folder / "both.pem"
    both.write_bytes(server.holder.file.read_bytes() + server.holder.key_file.read_bytes())
    both.chmod(0o600)
    assert logs_in(holder | {"tls": CA | {"certificate": "both.pem"}}, server.folder) == 3


@pytest.mark.parametrize("shown", [{}, {"certificate": "stranger.pem", "key": "stranger.key"}])
def test_no_certificate_or_a_strangers_is_refused(
    server: TlsDatabase, shown: dict[str, str]
) -> None:
    holder = native(server) | {"username": "holder", "password": None, "tls": CA | shown}
    error = error_of(holder, server.folder)
    assert type(error) is ConfigError
    assert "wants a certificate of ours" in str(error)


def test_a_key_that_others_may_read_is_refused(server: TlsDatabase) -> None:
    loose = server.folder / "loose.key"
    loose.write_bytes(server.holder.key_file.read_bytes())
    loose.chmod(0o644)
    shown = CA | {"certificate": "holder.pem", "key": "loose.key"}
    error = error_of(native(server) | {"username": "holder", "tls": shown}, server.folder)
    assert type(error) is ConfigError
    assert "chmod 600" in str(error)


@pytest.mark.parametrize(
    ("tls", "said"),
    [
        ({"ca_file": "none.pem"}, "source.tls.ca_file: none.pem: no such file"),
        ({"certificate": "none.pem"}, "source.tls.certificate: none.pem: no such file"),
        ({"key": "holder.key"}, "source.tls.key"),
        ({"certificate": "holder.pem"}, "source.tls: a certificate or its key"),
        ({"ca_file": "holder.key"}, "source.tls: a certificate or its key"),
        ({"certificate": "holder.pem", "key": "stranger.key"}, "key values mismatch"),
        ({"certificate": "holder.pem", "key": "locked.key"}, "without a passphrase"),
    ],
)
def test_a_file_that_will_not_do_is_named_before_anyone_is_asked(
    server: TlsDatabase, tls: dict[str, str], said: str
) -> None:
    lock = ["openssl", "ec", "-aes256", "-passout", "pass:x", "-in", server.holder.key_file]
    locked = server.folder / "locked.key"
    subprocess.run([*lock, "-out", locked], check=True, capture_output=True)
    error = error_of(native(server, "no.such.host.invalid") | {"tls": tls}, server.folder)
    assert type(error) is ConfigError
    assert said in str(error)


def test_a_wrong_password_is_one_line_and_a_missing_one_is_asked_for(server: TlsDatabase) -> None:
    wrong = native(server) | {"tls": CA}
    error = error_of(wrong | {"password": f"not-{PASSWORD}"}, server.folder)
    assert type(error) is ConfigError
    assert "password authentication failed" in str(error)
    error = error_of(wrong | {"password": None}, server.folder)
    assert type(error) is ConfigError
    assert "asks for a password" in str(error)


def test_both_kinds_of_url_say_it_too(server: TlsDatabase) -> None:
    ca, other = server.folder / "ca.pem", server.folder / "other.pem"
    for options in (f"sslmode=verify-full&sslrootcert={ca}", f"ssl=true&sslrootcert={ca}"):
        assert logs_in(jdbc_url(server, options), server.folder) == 3
    assert logs_in(native(server, more=f"?sslmode=verify-full&sslrootcert={ca}"), Path()) == 3
    unnamed = "ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory"
    assert logs_in(jdbc_url(server, unnamed, "127.0.0.1"), server.folder) == 3
    for refused in (
        jdbc_url(server, "ssl=true"),
        jdbc_url(server, f"sslmode=verify-full&sslrootcert={other}"),
        native(server, more=f"?sslmode=verify-full&sslrootcert={other}"),
    ):
        assert "not trusted" in str(error_of(refused, server.folder))


def test_through_jdbc_the_url_says_it(server: TlsDatabase, tmp_path: Path) -> None:
    verified = f"sslmode=verify-full&sslrootcert={server.folder / 'ca.pem'}"
    key = tmp_path / "holder.pk8"  # Java wants a key in DER
    convert = ["openssl", "pkcs8", "-topk8", "-nocrypt", "-outform", "DER"]
    subprocess.run([*convert, "-in", server.holder.key_file, "-out", key], check=True)
    assert logs_in(java(server, verified), server.folder) == 3
    shown = java(server, f"{verified}&sslcert={server.holder.file}&sslkey={key}")
    holder = {"username": "holder", "password": None}
    assert logs_in(shown | holder, server.folder) == 3
    untrusted = f"sslmode=verify-full&sslrootcert={server.folder / 'other.pem'}"
    for refused, said in (
        (java(server, untrusted), "not trusted"),
        (java(server, verified, "127.0.0.1"), "for another host"),
        (java(server, "sslmode=disable"), "the server wants one"),
        (java(server, verified) | holder, "wants a certificate of ours"),
        (java(server, verified) | {"password": "wrong"}, "28P01"),
    ):
        error = error_of(refused, server.folder)
        assert type(error) is ConfigError
        assert said in str(error)


def test_through_odbc_the_dsn_says_it(server: TlsDatabase) -> None:
    def verified(more: str = "", ca: str = "ca.pem") -> str:
        return f"SSLmode=verify-full;pqopt={{sslrootcert={server.folder / ca} {more}}}"

    files = f"sslcert={server.holder.file} sslkey={server.holder.key_file}"
    holder = {"username": "holder", "password": None}
    assert logs_in(odbc(server, verified()), server.folder) == 3
    assert logs_in(odbc(server, verified(files)) | holder, server.folder) == 3
    for refused, said in (
        (odbc(server, verified(ca="other.pem")), "not trusted"),
        (odbc(server, verified(), "127.0.0.1"), "for another host"),
        (odbc(server, "SSLmode=disable"), "the server wants one"),
        (odbc(server, verified()) | holder, "wants a certificate of ours"),
    ):
        error = error_of(refused, server.folder)
        assert type(error) is ConfigError
        assert said in str(error)
        assert "08001" in str(error)
