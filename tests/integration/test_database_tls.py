"""PostgreSQL and MariaDB over TLS: who it is, who we are, and what is read where one is refused."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import ConfigError
from tests.logging_in import PASSWORD, TlsDatabase, error_of, jars_of, logs_in, odbc_driver

pytest_plugins = ["tests.tls_databases"]
pytestmark = pytest.mark.xdist_group("tls_databases")

Options = dict[str, Any]

CA, OTHER_CA = {"ca_file": "ca.pem"}, {"ca_file": "other.pem"}
HOLDER = {"username": "holder", "password": None}
JARS = {
    "postgresql": ("postgresql.jar", "libpostgresql-jdbc-java"),
    "mariadb": ("mariadb-java-client.jar", "libmariadb-java"),
}
ODBC = {
    "postgresql": ("PostgreSQL Unicode", "odbc-postgresql"),
    "mariadb": ("MariaDB Unicode", "odbc-mariadb"),
}
UNTRUSTED, ANOTHER_HOST = "certificate is not trusted", "for another host"
WANTED = "wants a certificate of ours"
NO_TLS = {"postgresql": "the server wants one", "mariadb": "secured as it is (tls)"}
"""MariaDB tells nobody why it does not let him in."""
NO_CERTIFICATE = {"postgresql": WANTED, "mariadb": "1045"}


@dataclass(frozen=True, slots=True)
class Place:
    """An engine's server, and each way to it, as `reader`."""

    engine: str
    server: TlsDatabase

    @property
    def folder(self) -> Path:
        return self.server.folder

    def native(self, more: str = "", host: str = "localhost") -> Options:
        url = f"{self.engine}://{host}:{self.server.port}/{self.server.database}{more}"
        return {"url": url, "username": "reader", "password": PASSWORD}

    def jdbc_url(self, more: str, host: str = "localhost") -> Options:
        native = self.native(f"?{more}", host)
        return native | {"url": f"jdbc:{native['url']}"}

    def java(self, more: str, host: str = "localhost") -> Options:
        return self.jdbc_url(more, host) | {"driver": "jdbc", "jars": jars_of(*JARS[self.engine])}

    def odbc(self, more: str, host: str = "localhost") -> Options:
        begins = odbc_driver(*ODBC[self.engine])
        where = f"SERVER={host};PORT={self.server.port};DATABASE={self.server.database}"
        login = {"username": "reader", "password": PASSWORD}
        return {"driver": "odbc", "dsn": f"{begins};{where};CHARSET=utf8mb4;{more}", **login}

    def lets_in(self, *ways: Options) -> None:
        for way in ways:
            assert logs_in(way, self.folder) == 3

    def refuses(self, *ways: tuple[Options, str]) -> None:
        for way, said in ways:
            error = error_of(way, self.folder)
            assert type(error) is ConfigError
            assert said in str(error)


@pytest.fixture(params=["postgresql", "mariadb"])
def place(request: pytest.FixtureRequest) -> Place:
    return Place(request.param, request.getfixturevalue(f"tls_{request.param}"))


@pytest.fixture
def postgresql(tls_postgresql: TlsDatabase) -> Place:
    return Place("postgresql", tls_postgresql)


@pytest.fixture
def mariadb(tls_mariadb: TlsDatabase) -> Place:
    return Place("mariadb", tls_mariadb)


def test_a_server_that_proves_who_it_is_is_read(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.lets_in(place.native() | {"tls": CA})
    monkeypatch.setenv("SSL_CERT_FILE", str(place.folder / "ca.pem"))
    place.lets_in(place.native() | {"tls": {}})


def test_the_systems_authorities_are_trusted_by_a_url_too(
    postgresql: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(postgresql.folder / "ca.pem"))
    java_store = "ssl=true&sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory"
    postgresql.lets_in(postgresql.native("?sslrootcert=system"), postgresql.jdbc_url(java_store))


def test_an_unknown_authority_is_refused(place: Place) -> None:
    for authority in (OTHER_CA, {}):
        place.refuses((place.native() | {"tls": authority}, UNTRUSTED))
        assert "ca_file" in str(error_of(place.native() | {"tls": authority}, place.folder))


def test_a_certificate_for_another_host_is_refused(place: Place) -> None:
    place.refuses((place.native(host="127.0.0.1") | {"tls": CA}, ANOTHER_HOST))


def test_a_server_may_be_trusted_without_proof_but_never_unencrypted(place: Place) -> None:
    place.lets_in(place.native(host="127.0.0.1") | {"tls": {"mode": "unverified"}})
    place.refuses((place.native() | {"tls": {"mode": "none"}}, NO_TLS[place.engine]))


def test_a_client_certificate_logs_in_and_none_or_a_strangers_is_refused(place: Place) -> None:
    def shown(**files: str) -> Options:
        return place.native() | HOLDER | {"tls": CA | files}

    place.lets_in(shown(certificate="holder.pem", key="holder.key"))
    place.refuses(
        (shown(), NO_CERTIFICATE[place.engine]),
        (shown(certificate="stranger.pem", key="stranger.key"), WANTED),
    )


def test_certificate_and_key_may_be_one_file(postgresql: Place) -> None:
    both = postgresql.folder / "both.pem"
    holder = postgresql.server.holder
    both.write_bytes(holder.file.read_bytes() + holder.key_file.read_bytes())
    both.chmod(0o600)
    postgresql.lets_in(postgresql.native() | HOLDER | {"tls": CA | {"certificate": "both.pem"}})


def test_a_key_that_others_may_read_is_refused(postgresql: Place) -> None:
    loose = postgresql.folder / "loose.key"
    loose.write_bytes(postgresql.server.holder.key_file.read_bytes())
    loose.chmod(0o644)
    shown = CA | {"certificate": "holder.pem", "key": "loose.key"}
    postgresql.refuses((postgresql.native() | HOLDER | {"tls": shown}, "chmod 600"))


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
    postgresql: Place, tls: dict[str, str], said: str
) -> None:
    lock = ["openssl", "ec", "-aes256", "-passout", "pass:x", "-out", "locked.key"]
    key = postgresql.server.holder.key_file
    subprocess.run([*lock, "-in", key], check=True, capture_output=True, cwd=postgresql.folder)
    postgresql.refuses((postgresql.native(host="no.such.host.invalid") | {"tls": tls}, said))


def test_a_wrong_password_is_one_line_and_a_missing_one_is_asked_for(place: Place) -> None:
    wrong = place.native() | {"tls": CA, "password": f"not-{PASSWORD}"}
    if place.engine == "mariadb":
        place.refuses((wrong, "SQLSTATE 28000, error 1045"))
    else:
        place.refuses(
            (wrong, "password authentication failed"),
            (wrong | {"password": None}, "asks for a password"),
        )


def test_both_kinds_of_url_say_it_to_postgresql(postgresql: Place) -> None:
    ca, other = postgresql.folder / "ca.pem", postgresql.folder / "other.pem"
    unnamed = "ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory"
    postgresql.lets_in(
        postgresql.native(f"?sslmode=verify-full&sslrootcert={ca}"),
        postgresql.jdbc_url(f"sslmode=verify-full&sslrootcert={ca}"),
        postgresql.jdbc_url(f"ssl=true&sslrootcert={ca}"),
        postgresql.jdbc_url(unnamed, "127.0.0.1"),
    )
    postgresql.refuses(
        (postgresql.native(f"?sslmode=verify-full&sslrootcert={other}"), UNTRUSTED),
        (postgresql.jdbc_url(f"sslmode=verify-full&sslrootcert={other}"), UNTRUSTED),
        (postgresql.jdbc_url("ssl=true"), UNTRUSTED),
    )


def test_both_kinds_of_url_say_it_to_mariadb(mariadb: Place) -> None:
    ca, other = mariadb.folder / "ca.pem", mariadb.folder / "other.pem"
    as_mysql = Place("mysql", mariadb.server)
    mariadb.lets_in(
        mariadb.native(f"?ssl_ca={ca}"),
        mariadb.jdbc_url(f"sslMode=verify-full&serverSslCert={ca}"),
        mariadb.jdbc_url(f"useSSL=true&serverSslCert={ca}"),
        mariadb.jdbc_url("sslMode=trust"),
        as_mysql.jdbc_url("sslMode=REQUIRED"),
    )
    mariadb.refuses(
        (mariadb.native(f"?ssl_ca={other}"), UNTRUSTED),
        (mariadb.jdbc_url(f"sslMode=verify-full&serverSslCert={other}"), UNTRUSTED),
        (mariadb.jdbc_url("useSSL=true"), UNTRUSTED),
        (as_mysql.jdbc_url("sslMode=VERIFY_CA"), UNTRUSTED),
    )


def test_through_jdbc_the_url_says_it_to_postgresql(postgresql: Place, tmp_path: Path) -> None:
    verified = f"sslmode=verify-full&sslrootcert={postgresql.folder / 'ca.pem'}"
    holder, key = postgresql.server.holder, tmp_path / "holder.pk8"  # Java wants a key in DER
    convert = ["openssl", "pkcs8", "-topk8", "-nocrypt", "-outform", "DER"]
    subprocess.run([*convert, "-in", holder.key_file, "-out", key], check=True)
    shown = f"{verified}&sslcert={holder.file}&sslkey={key}"
    postgresql.lets_in(postgresql.java(verified), postgresql.java(shown) | HOLDER)
    postgresql.refuses(
        (postgresql.java(verified.replace("ca.pem", "other.pem")), UNTRUSTED),
        (postgresql.java(verified, "127.0.0.1"), ANOTHER_HOST),
        (postgresql.java("sslmode=disable"), NO_TLS["postgresql"]),
        (postgresql.java(verified) | HOLDER, WANTED),
        (postgresql.java(verified) | {"password": "wrong"}, "28P01"),
    )


def test_through_jdbc_the_url_says_it_to_mariadb(mariadb: Place) -> None:
    """Its own certificates lie in key stores, whose passwords no URL of ours may hold."""
    verified = f"useSsl=true&serverSslCert={mariadb.folder / 'ca.pem'}"
    mariadb.lets_in(mariadb.java(verified))
    mariadb.refuses(
        (mariadb.java(verified.replace("ca.pem", "other.pem")), UNTRUSTED),
        (mariadb.java(verified.replace("ca.pem", "none.pem")), UNTRUSTED),
        (mariadb.java("useSsl=false"), "1045"),
        (mariadb.java(verified) | HOLDER, "1045"),
    )


def test_through_odbc_the_dsn_says_it(place: Place) -> None:
    ca, holder = place.folder / "ca.pem", place.server.holder
    if place.engine == "mariadb":
        verified, unencrypted = f"FORCETLS=1;SSLVERIFY=1;SSLCA={ca}", ""
        shown = f"{verified};SSLCERT={holder.file};SSLKEY={holder.key_file}"
    else:
        verified, unencrypted = f"SSLmode=verify-full;pqopt={{sslrootcert={ca}}}", "SSLmode=disable"
        shown = verified.replace("}", f" sslcert={holder.file} sslkey={holder.key_file}}}")
    place.lets_in(place.odbc(verified), place.odbc(shown) | HOLDER)
    for_another = UNTRUSTED if place.engine == "mariadb" else ANOTHER_HOST
    place.refuses(
        (place.odbc(verified.replace("ca.pem", "other.pem")), UNTRUSTED),
        (place.odbc(verified, "127.0.0.1"), for_another),
        (place.odbc(verified) | HOLDER, NO_CERTIFICATE[place.engine]),
        (place.odbc(unencrypted), NO_TLS[place.engine]),
        (place.odbc(unencrypted), "error 1045" if place.engine == "mariadb" else "08001"),
    )
