"""What a MySQL or MariaDB JDBC URL says to PyMySQL."""

import ssl
from typing import Any

import pytest

from extractors.sql.urls.parse import read_database_url
from tests.unit.extractors.sql.urls.driver_arguments import refusal_of, sent_to_driver


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("jdbc:mysql://h:3307/mysql", {}),
        ("jdbc:mysql://h:3307/mysql?sslMode=PREFERRED", {}),
        ("jdbc:mysql://h:3307/mysql?useSSL=false", {"ssl_disabled": True}),
        (
            "jdbc:mysql://h:3307/mysql?useSSL=true",
            {"ssl": {"check_hostname": False, "verify_mode": "none"}},
        ),
        (
            "jdbc:mysql://h:3307/mysql?requireSSL=true&useSSL=true&verifyServerCertificate=true",
            {"ssl_verify_cert": True, "ssl_verify_identity": False},
        ),
        (
            "jdbc:mariadb://h:3307/mysql?sslMode=verify-full&serverSslCert=/ca.pem",
            {"ssl_ca": "/ca.pem", "ssl_verify_cert": True, "ssl_verify_identity": True},
        ),
        (
            "jdbc:mariadb://h:3307/mysql?useSsl=true&trustServerCertificate=true",
            {"ssl": {"check_hostname": False, "verify_mode": "none"}},
        ),
        (
            "jdbc:mysql://h:3307/mysql?connectTimeout=2500&socketTimeout=60000&useUnicode=true",
            {"connect_timeout": 3, "read_timeout": 60},
        ),
    ],
)
def test_a_mysql_url_says_to_pymysql_what_it_says_to_java(
    text: str, expected: dict[str, Any]
) -> None:
    fixed = {"host": "h", "port": 3307, "database": "mysql", "charset": "utf8mb4"}
    assert sent_to_driver(text) == {**fixed, **expected}


@pytest.mark.parametrize(
    "text",
    [
        "jdbc:mysql://h/x?sslMode=VERIFY_IDENTITY",
        "jdbc:mariadb://h/x?useSSL=true",
        "jdbc:mariadb://h/x?sslMode=verify-full",
    ],
)
def test_a_checked_identity_without_an_authority_s_file_still_checks_the_name(text: str) -> None:
    context = read_database_url(text).connect_args["ssl"]
    assert isinstance(context, ssl.SSLContext)
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_a_mysql_url_s_zone_is_that_of_times_without_one() -> None:
    stated = (
        "jdbc:mysql://h/x?connectionTimeZone=Europe/Paris&forceConnectionTimeZoneToSession=true"
    )
    assert read_database_url(stated).timezone == "Europe/Paris"
    assert read_database_url(stated).session[0] == "SET SESSION time_zone = 'Europe/Paris'"
    assert read_database_url("jdbc:mysql://h/x?serverTimezone=GMT%2B8").timezone == "Etc/GMT-8"
    assert read_database_url("jdbc:mysql://h/x?serverTimezone=UTC").timezone == "UTC"
    assert read_database_url("jdbc:mysql://h/x?connectionTimeZone=SERVER").timezone is None
    assert "no time zone" in refusal_of("jdbc:mysql://h/x?serverTimezone=Mars/Olympus")


def test_a_mysql_url_s_variables_are_set_one_by_one_and_are_nothing_else() -> None:
    url = "jdbc:mysql://h/x?sessionVariables="
    assert read_database_url(f"{url}sql_mode='ANSI,PAD',wait_timeout=9").session == (
        "SET SESSION sql_mode='ANSI,PAD'",
        "SET SESSION wait_timeout=9",
    )
    assert "sessionVariables" in refusal_of(f"{url}a=1;DROP TABLE x")
    assert "sessionVariables" in refusal_of(f"{url}a=(SELECT 1)")
