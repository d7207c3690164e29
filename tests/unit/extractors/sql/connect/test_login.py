"""A login is encrypted and verified unless someone says otherwise; a secret goes to the driver."""

import ssl
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from extractors.sql.connect.login import check_driver, login_of
from extractors.sql.urls.parse import read_database_url
from schemas.errors import ConfigError
from schemas.source_file.kinds.sql_source import DatabaseOptions

SECRET = "s3cret-canary"


def arguments(url: str, **more: Any) -> dict[str, Any]:
    source = DatabaseOptions(url=url, **more)
    _, found = login_of(
        read_database_url(url), source, Path("/w"), lambda _secret: SecretStr(SECRET)
    )
    return found


@pytest.mark.parametrize(
    "url", ["postgresql://db.example.com/a", "jdbc:postgresql://db.example.com/a"]
)
def test_a_postgresql_elsewhere_is_verified_without_a_word(url: str) -> None:
    found = arguments(url)
    assert found["sslmode"] == "verify-full"
    assert Path(found["sslrootcert"]).is_file()


def test_the_systems_authorities_are_a_file_for_a_driver_that_knows_none_itself() -> None:
    java_store = "ssl=true&sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory"
    for url in (
        "postgresql://db.example.com/a?sslrootcert=system",
        f"jdbc:postgresql://db.example.com/a?{java_store}",
    ):
        found = arguments(url)
        assert found["sslmode"] == "verify-full"
        assert Path(found["sslrootcert"]).is_file()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_a_server_on_this_machine_needs_no_tls(host: str) -> None:
    assert "sslmode" not in arguments(f"postgresql://{host}/a")
    assert "ssl" not in arguments(f"mysql://{host}/a")


def test_a_mysql_elsewhere_is_verified_without_a_word() -> None:
    context = arguments("mysql://db.example.com/a")["ssl"]
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    lax = arguments("mysql://db.example.com/a", tls={"mode": "unverified"})["ssl"]
    assert lax.verify_mode == ssl.CERT_NONE
    assert arguments("mysql://db.example.com/a", tls={"mode": "none"}) == arguments(
        "mysql://localhost/a"
    ) | {"ssl_disabled": True}


def test_what_the_url_says_is_not_said_again() -> None:
    url = "postgresql://db.example.com/a?sslmode=require"
    assert "sslmode" not in arguments(url)
    with pytest.raises(ConfigError, match="the url says how to secure the connection, too"):
        arguments(url, tls={"mode": "verify"})


def test_what_a_driver_does_not_take_is_refused_and_not_dropped() -> None:
    with pytest.raises(ConfigError, match="tls: for oracle, say in the url"):
        arguments("oracle://db.example.com/?service_name=a", tls={"mode": "verify"})
    with pytest.raises(ConfigError, match="kerberos: not known for mysql"):
        arguments("mysql://localhost/a", kerberos=True)


def test_a_token_stands_in_for_the_password_as_the_driver_takes_it() -> None:
    token = {"command": ["true"]}
    url, _ = login_of(
        read_database_url("postgresql://localhost/a"),
        DatabaseOptions(url="x", username="me", token=token),
        Path(),
        lambda _secret: SecretStr(SECRET),
    )
    assert url.password == SECRET
    assert SECRET not in repr(url)
    packed = arguments("mssql://db.example.com/a", token=token)["attrs_before"][1256]
    assert packed[4:].decode("utf-16-le") == SECRET
    assert arguments("snowflake://account/a", token=token)["authenticator"] == "oauth"
    with pytest.raises(ConfigError, match="password and token"):
        arguments("postgresql://localhost/a", token=token, password={"env": "X"})


def test_a_missing_driver_is_named_with_the_command_that_installs_it() -> None:
    check_driver("mysql+pymysql")
    with pytest.raises(ConfigError, match=r"^source.url: the driver .*'\.\[databricks\]'"):
        check_driver("databricks")
    with pytest.raises(ConfigError, match=r"pip install '\.\[db2\]'"):
        check_driver(read_database_url("jdbc:db2://h/x").url.drivername)
    with pytest.raises(ConfigError, match="knows no dialect nonsense"):
        check_driver("nonsense")
    with pytest.raises(ConfigError, match="write discover: mongodb"):
        check_driver("mongodb+srv")
    with pytest.raises(ConfigError, match="pip install psycopg2"):
        check_driver("postgresql+psycopg2")


def test_postgres_is_another_name_of_postgresql() -> None:
    url = read_database_url("postgres://db.example.com/hr").url
    assert url == read_database_url("postgresql://db.example.com/hr").url
