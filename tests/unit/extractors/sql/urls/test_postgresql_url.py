"""What a PostgreSQL JDBC URL says to psycopg."""

from typing import Any

import pytest
from hypothesis import given, settings

from extractors.sql.urls.parse import read_database_url
from tests.unit.extractors.sql.urls.driver_arguments import TEXT, sent_to_driver


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "jdbc:postgresql://sql.example.com:5432/postgres?ssl=true",
            {
                "host": "sql.example.com",
                "port": 5432,
                "dbname": "postgres",
                "sslmode": "verify-full",
            },
        ),
        (
            "jdbc:postgresql://db.server:5430/a_database?ssl=true&loglevel=2&sslmode=require",
            {"host": "db.server", "port": 5430, "dbname": "a_database", "sslmode": "require"},
        ),
        ("jdbc:postgresql:hr", {"host": "localhost", "dbname": "hr"}),
        ("jdbc:postgresql://h", {"host": "h"}),
        ("JDBC:PostgreSQL://h/a%20b?user=jo", {"host": "h", "dbname": "a b", "user": "jo"}),
        (
            "jdbc:postgresql://a:1,[::1],b:3/x?targetServerType=preferSecondary&loadBalanceHosts=true",
            {
                "host": "a,::1,b",
                "port": "1,5432,3",
                "dbname": "x",
                "target_session_attrs": "prefer-standby",
                "load_balance_hosts": "random",
            },
        ),
        (
            "jdbc:postgresql://h/x?loginTimeout=20&connectTimeout=7&socketTimeout=30&tcpKeepAlive=true",
            {
                "host": "h",
                "dbname": "x",
                "connect_timeout": 7,
                "tcp_user_timeout": 30000,
                "keepalives": 1,
            },
        ),
        (
            "jdbc:postgresql://h/x?currentSchema=hr,my%20own&options=-c%20geqo=off&ApplicationName=lumos",
            {
                "host": "h",
                "dbname": "x",
                "application_name": "lumos",
                "options": "-c geqo=off -c search_path=hr,my\\ own",
            },
        ),
        (
            "jdbc:postgresql://h/x?ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory",
            {"host": "h", "dbname": "x", "sslmode": "require"},
        ),
        (
            "jdbc:postgresql://h/x?ssl&sslrootcert=/etc/ca.pem&sslcert=/c.pem&sslkey=/k.pk8",
            {
                "host": "h",
                "dbname": "x",
                "sslmode": "verify-full",
                "sslrootcert": "/etc/ca.pem",
                "sslcert": "/c.pem",
                "sslkey": "/k.pk8",
            },
        ),
        (
            "jdbc:postgresql://h/x?ssl=true&sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory",
            {"host": "h", "dbname": "x", "sslmode": "verify-full", "sslrootcert": "system"},
        ),
    ],
)
def test_a_postgresql_url_says_to_psycopg_what_it_says_to_java(
    text: str, expected: dict[str, Any]
) -> None:
    assert sent_to_driver(text) == expected


@settings(deadline=None)
@given(TEXT, TEXT)
def test_any_name_and_password_reach_psycopg_as_they_are(name: str, password: str) -> None:
    database = read_database_url("jdbc:postgresql://h/x")
    dialect = database.url.get_dialect()()
    _, sent = dialect.create_connect_args(database.login_url(name, password))
    assert (sent["user"], sent["password"]) == (name, password)
