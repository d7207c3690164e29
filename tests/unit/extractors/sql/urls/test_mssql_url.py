"""What a SQL Server JDBC URL says to an ODBC driver."""

import pytest
from hypothesis import given, settings
from sqlalchemy import create_engine

from extractors.sql.connect.login import prepared
from extractors.sql.urls.parse import read_database_url
from tests.unit.extractors.sql.urls.driver_arguments import TEXT, refusal_of


def _odbc(text: str) -> list[str]:
    """The connection string that the ODBC driver gets, without the driver's own name."""
    database = prepared(read_database_url(text))
    (words,), _ = create_engine(database.url).dialect.create_connect_args(
        database.login_url("jo", "p;w")
    )
    return sorted(word for word in words.split(";") if not word.startswith("DRIVER="))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            (
                "jdbc:sqlserver://sql.example.com:1433;databaseName=master;encrypt=true;"
                "trustServerCertificate=true"
            ),
            ["Server=sql.example.com,1433", "Database=master", "TrustServerCertificate=yes"],
        ),
        ("jdbc:sqlserver://h", ["Server=h,1433", "Database=", "TrustServerCertificate=no"]),
        (
            "jdbc:sqlserver://h\\inst;databaseName=x;applicationIntent=readOnly;applicationName=lumos",
            [
                "Server=h\\inst",
                "Database=x",
                "TrustServerCertificate=no",
                "ApplicationIntent=ReadOnly",
                "APP=lumos",
            ],
        ),
        (
            "jdbc:sqlserver://;serverName=h;instanceName=i;portNumber=14;database=x;",
            ["Server=h\\i,14", "Database=x", "TrustServerCertificate=no"],
        ),
        (
            "jdbc:sqlserver://h;databaseName={a}}b};multiSubnetFailover=true;hostNameInCertificate=*.x",
            [
                "Server=h,1433",
                "Database={a}}b}",
                "TrustServerCertificate=no",
                "MultiSubnetFailover=Yes",
                "HostnameInCertificate=*.x",
            ],
        ),
    ],
)
def test_a_sql_server_url_says_to_odbc_what_it_says_to_java(text: str, expected: list[str]) -> None:
    fixed = ["Encrypt=yes", "PWD={p", "UID=jo", "w}"]
    assert _odbc(text) == sorted([*expected, *fixed])


def test_a_sql_server_url_is_encrypted_and_checked_where_it_is_silent() -> None:
    silent = read_database_url("jdbc:sqlserver://h;databaseName=x").url.query
    assert (silent["Encrypt"], silent["TrustServerCertificate"]) == ("yes", "no")
    assert read_database_url("jdbc:sqlserver://h;encrypt=false").url.query["Encrypt"] == "no"
    assert read_database_url("jdbc:sqlserver://h;encrypt=strict").url.query["Encrypt"] == "strict"


def test_a_sql_server_url_s_limits_are_kept() -> None:
    database = read_database_url(
        "jdbc:sqlserver://h;loginTimeout=9;queryTimeout=60;socketTimeout=30500;lockTimeout=500"
    )
    assert database.connect_args == {"timeout": 9}
    assert database.query_timeout_s == 31
    assert database.session == ("SET LOCK_TIMEOUT 500",)


def test_a_domain_login_needs_no_password() -> None:
    query = read_database_url("jdbc:sqlserver://h;integratedSecurity=true").url.query
    assert query["Trusted_Connection"] == "Yes"
    cloud = "jdbc:sqlserver://h;authentication=ActiveDirectoryManagedIdentity"
    assert read_database_url(cloud).url.query["authentication"] == "ActiveDirectoryMSI"
    ntlm = "jdbc:sqlserver://h;integratedSecurity=true;authenticationScheme=NTLM"
    assert "authenticationScheme" in refusal_of(ntlm)


@settings(deadline=None)
@given(TEXT)
def test_any_database_name_in_braces_reaches_sql_server_as_it_is(name: str) -> None:
    written = name.replace("}", "}}")
    database = read_database_url(f"jdbc:sqlserver://h;databaseName={{{written}}}")
    assert database.url.database == name
