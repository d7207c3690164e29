"""What a Snowflake or Databricks JDBC URL says to its connector."""

from extractors.sql.urls.parse import read_database_url
from tests.unit.extractors.sql.urls.driver_arguments import refusal_of, sent_to_driver


def test_a_snowflake_url_says_to_the_connector_what_it_says_to_java() -> None:
    sent = sent_to_driver(
        "jdbc:snowflake://example.snowflakecomputing.com/?warehouse=COMPUTE_WH&db=SNOWFLAKE"
        "&schema=ACCOUNT_USAGE&JDBC_QUERY_RESULT_FORMAT=JSON&JDBC_TREAT_DECIMAL_AS_INT=false"
        "&role=AUDITOR&loginTimeout=9&CLIENT_SESSION_KEEP_ALIVE=true&TIMEZONE=Europe/Paris"
    )
    expected = {
        "account": "example",
        "host": "example.snowflakecomputing.com",
        "warehouse": "COMPUTE_WH",
        "database": "SNOWFLAKE",
        "schema": "ACCOUNT_USAGE",
        "role": "AUDITOR",
        "login_timeout": 9,
        "client_session_keep_alive": True,
        "session_parameters": {"TIMEZONE": "Europe/Paris"},
    }
    assert {name: sent[name] for name in expected} == expected
    assert "protocol" not in sent
    local = sent_to_driver("jdbc:snowflake://127.0.0.1:8080/?account=a&ssl=off&schema=S")
    assert (local["host"], local["port"], local["protocol"]) == ("127.0.0.1", 8080, "http")
    assert (local["account"], local["schema"]) == ("a", "S")


def test_a_databricks_url_says_to_the_connector_what_it_says_to_java() -> None:
    database = read_database_url(
        "jdbc:databricks://example.cloud.databricks.com:443/default;transportMode=http;ssl=1;"
        "httpPath=/sql/1.0/warehouses/example;AuthMech=3;UID=token;ConnCatalog=main;"
    )
    assert database.url.render_as_string() == (
        "databricks://token@example.cloud.databricks.com:443?catalog=main"
        "&http_path=%2Fsql%2F1.0%2Fwarehouses%2Fexample&schema=default"
    )
    assert "ssl=1" in refusal_of("jdbc:databricks://h:443/default;httpPath=/x;ssl=0")
    assert "httpPath" in refusal_of("jdbc:databricks://h:443/default;ssl=1")
    assert "AuthMech" in refusal_of("jdbc:databricks://h:443/default;httpPath=/x;AuthMech=11")


def test_a_databricks_port_of_its_own_is_the_connector_s() -> None:
    url = "jdbc:databricks://h:8443/default;ssl=1;httpPath=/x"
    assert read_database_url(url).connect_args == {"_port": 8443}
    assert read_database_url(url.replace("8443", "443")).connect_args == {}
