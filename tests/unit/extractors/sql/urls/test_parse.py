"""A database's URL, JDBC's or SQLAlchemy's: what is refused, and that nothing is quoted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.sql.urls.address import DatabaseUrl
from extractors.sql.urls.parse import check_no_secret, read_database_url
from schemas.errors import ConfigError
from tests.unit.extractors.sql.urls.driver_arguments import TEXT, refusal_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("jdbc:h2:tcp://h/x", "of h2: write jars: [driver.jar]"),
        ("jdbc:as400://h/x", "of as400: write jars: [driver.jar]"),
        ("jdbc:mongodb://h:27017/x", "discover: mongodb"),
        ("jdbc:firebirdsql://h/x", "of firebirdsql: write jars: [driver.jar]"),
        ("jdbc:postgresql://h/x?maxRows=5", "no translation for the option maxRows"),
        ("jdbc:mysql://h/x?maxRows=5&trustStore=/x", "option maxRows, trustStore: write cert"),
        ("jdbc:mysql://a,b/x", "one server"),
        ("jdbc:mysql:replication://a,b/x", "one server"),
        ("jdbc:postgresql://h/x?sslmode=maybe", "sslmode is none of disable, allow"),
        ("jdbc:postgresql://h/x?ssl=maybe", "ssl is either true or false"),
        ("jdbc:postgresql://h/x?loginTimeout=soon", "loginTimeout is a whole number"),
        ("jdbc:postgresql://h/x?user=a&user=b", "user has two values"),
        ("jdbc:postgresql://h:99999/x", "host:port"),
        ("jdbc:sqlserver://h;databaseName={x", "a brace is not closed"),
        ("jdbc:sqlserver://h;domain=CORP", "no translation for the option domain"),
        ("jdbc:sqlserver://h;socketFactoryClass=x", "option socketFactoryClass"),
        ("jdbc:oracle:oci:@x", "thin is read"),
        ("jdbc:oracle:thin:@(DESCRIPTION=(", "do not close"),
        ("jdbc:oracle:thin:@//h/x?bogus=1", "no translation for the option bogus"),
        ("jdbc:db2:alias", "jdbc:db2://host:port/database:name=value;"),
        ("jdbc:db2://h:50000/x;sslConnection=true", "jdbc:db2://host:port/database:name=value;"),
        ("jdbc:db2://h/x:bogus=1;pdqPriority=2;", "no translation for the option bogus, pdqPrio"),
        ("jdbc:db2://h/x:sslTrustStoreLocation=/t.jks;", "sslCertLocation=/path/of/it"),
        ("jdbc:db2://h/x:sslConnection=perhaps;", "sslConnection is either true or false"),
        ("jdbc:db2://h/x:securityMechanism=4;", "securityMechanism is none of 3, 7, 9, 11"),
        ("jdbc:db2://h/x:clientRerouteAlternateServerName=b;", "clientRerouteAlternateServerName"),
        ("nonsense", "neither a JDBC URL"),
        ("postgresql+asyncpg://h/x", "asynchronous"),
    ],
)
def test_what_has_no_translation_is_named(text: str, words: str) -> None:
    assert words in refusal_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "jdbc:postgresql://h/x?user=jo&password=s3cr3t",
        "jdbc:postgresql://jo:s3cr3t@h/x",
        "jdbc:postgresql://jo:s3cr/3t@h/x",
        "jdbc:postgresql://h/x?ssl=true&sslpassword=s3cr3t",
        "jdbc:mysql://jo:s3cr3t@h/x",
        "jdbc:mysql://h/x?trustCertificateKeyStorePassword=s3cr3t",
        "jdbc:sqlserver://h;user=jo;password={s3;cr3t};databaseName=x",
        "jdbc:sqlserver://h;pwd=s3cr3t",
        "jdbc:sqlserver://h;accessToken=s3cr3t",
        "jdbc:sqlserver://jo:s3cr3t@h;databaseName=x",
        "jdbc:oracle:thin:jo/s3cr3t@h:1521:X",
        "jdbc:oracle:thin:jo/s3cr3t@//h/x",
        "jdbc:snowflake://a.snowflakecomputing.com/?user=jo&private_key_pwd=s3cr3t",
        "jdbc:databricks://h:443/default;httpPath=/x;UID=token;PWD=s3cr3t",
        "jdbc:db2://h:50000/x:user=jo;password=s3cr3t;",
        "jdbc:db2://h:50000/x:sslTrustStorePassword=s3cr3t;",
        "jdbc:db2://h:50000/x:accessToken=s3cr3t;",
        "jdbc:db2://jo:s3cr3t@h/x",
        "jdbc:db2://jo:s3cr/3t@h/x",
        "postgresql://jo:s3cr3t@h/x",
        "postgresql://h/x?password=s3cr3t",
        "mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BPWD%3Ds3cr3t",
    ],
)
def test_a_password_in_a_url_is_refused_and_not_quoted(text: str) -> None:
    message = refusal_of(text)
    assert "s3" not in message
    assert "3t" not in message
    assert "`username: NAME` and `password: {env: NAME}`" in message
    with pytest.raises(ConfigError):
        check_no_secret(text.replace("%3D", "=").replace("%3B", ";"))


_STARTS = (
    "jdbc:postgresql://h/x?", "jdbc:mysql://h/x?", "jdbc:sqlserver://h;", "jdbc:db2://h/x:",
    "jdbc:", "",
)  # fmt: skip


@settings(deadline=None)
@given(st.sampled_from(_STARTS), TEXT, TEXT)
def test_any_text_is_an_address_or_one_line_that_quotes_no_value(
    start: str, name: str, value: str
) -> None:
    message = "source.url"
    try:
        assert isinstance(read_database_url(f"{start}{name}=s3cr3t{value}"), DatabaseUrl)
    except ConfigError as error:
        message = str(error)
    assert message.startswith("source.url")
    assert message.isprintable()
    assert "s3cr3t" not in message


def test_a_sqlalchemy_url_is_taken_as_it_is() -> None:
    database = read_database_url("oracle+oracledb://jo@h:1521/?service_name=x")
    assert database.url.render_as_string() == "oracle+oracledb://jo@h:1521/?service_name=x"
    assert read_database_url("postgresql://h/x").url.drivername == "postgresql+psycopg"
    assert read_database_url("mysql://h/x").url.drivername == "mysql+pymysql"
    assert (database.dialect, database.place) == ("oracle", "h:1521/")
