"""What a DB2 JDBC URL says to IBM's driver."""

import pytest

from extractors.sql.urls.db2 import connection_string
from extractors.sql.urls.parse import read_database_url
from schemas.errors import ConfigError


def _cli(text: str, user: str | None = None, password: str | None = None) -> str:
    """The words that IBM's driver gets, after the address, without the last semicolon."""
    database = read_database_url(text)
    told = connection_string(database.login_url(user, password), database.connect_args)
    assert told.startswith("DATABASE=x;HOSTNAME=h;PROTOCOL=TCPIP;PORT=")
    return told.split("PORT=")[1].rstrip(";")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("jdbc:db2://h:50000/x", "50000"),
        ("jdbc:db2://h/x:", "446"),
        (
            (
                "jdbc:db2://h:50001/x:sslConnection=true;sslCertLocation=/etc/ca.pem;"
                "sslClientHostnameValidation=BASIC;"
            ),
            "50001;SECURITY=SSL;SSLCLIENTHOSTNAMEVALIDATION=Basic;SSLSERVERCERTIFICATE=/etc/ca.pem",
        ),
        (
            "jdbc:db2://h:1/x:user=jo;sslConnection=false;currentSchema=HR;loginTimeout=9;",
            "1;UID=jo;CONNECTTIMEOUT=9;CURRENTSCHEMA=HR",
        ),
        (
            "jdbc:db2://h:1/x:commandTimeout=60;blockingReadConnectionTimeout=30;",
            "1;RECEIVETIMEOUT=30",
        ),
        (
            "jdbc:db2://h:1/x:securityMechanism=11;kerberosServerPrincipal=db2/h@CORP.EXAMPLE;",
            "1;AUTHENTICATION=KERBEROS;TARGETPRINCIPAL=db2/h@CORP.EXAMPLE",
        ),
        (
            "jdbc:db2://h:1/x:securityMechanism=9;encryptionAlgorithm=2;",
            "1;AUTHENTICATION=SERVER_ENCRYPT_AES",
        ),
        (
            (
                "jdbc:db2://h:1/x:retrieveMessagesFromServerOnGetMessage=true;readOnly=true;"
                "fetchSize=500;traceLevel=0;queryDataSize=65536;"
            ),
            "1",
        ),
        (
            "db2+ibm_db://jo@h:1/x?Security=SSL&ConnectTimeout=3&LockTimeout=4",
            "1;UID=jo;SECURITY=SSL;CONNECTTIMEOUT=3;LOCKTIMEOUT=4",
        ),
    ],
)
def test_a_db2_url_says_to_ibm_s_driver_what_it_says_to_java(text: str, expected: str) -> None:
    assert _cli(text) == expected


def test_a_db2_keyword_of_the_url_s_own_is_the_first_and_so_the_one_that_is_heard() -> None:
    database = read_database_url("db2://h:1/x?receivetimeout=5").with_login_timeout(15)
    told = connection_string(database.url, {**database.connect_args, "ReceiveTimeout": 1800})
    assert told.endswith("PORT=1;RECEIVETIMEOUT=5;CONNECTTIMEOUT=15;")
    assert read_database_url("ibm_db_sa://h/x").url.drivername == "db2+ibm_db"
    assert connection_string(read_database_url("db2:///alias").url, {}) == "DSN=alias;"


@pytest.mark.parametrize(
    ("user", "password", "key"),
    [("jo", "s3cr;3t", "source.password"), ("j;o", "s3cr3t", "source.username")],
)
def test_a_semicolon_that_would_begin_another_keyword_of_db2_is_refused(
    user: str, password: str, key: str
) -> None:
    with pytest.raises(ConfigError, match=f"^{key}: .*no semicolon") as caught:
        _cli("jdbc:db2://h:1/x", user, password)
    assert "s3cr" not in str(caught.value)
    assert _cli("jdbc:db2://h:1/x", "jo", "s3 c={r}'\"3t").endswith("UID=jo;PWD=s3 c={r}'\"3t")
