"""JDBC URLs and SQLAlchemy URLs: what they mean, what is refused, and that nothing is quoted."""

import ssl
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from extractors.sql.connect.login import check_driver, prepared
from extractors.sql.urls.address import DatabaseUrl
from extractors.sql.urls.db2 import connection_string
from extractors.sql.urls.parse import check_no_secret, read_database_url
from schemas.errors import ConfigError

_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)


def _sent(text: str, password: str | None = None) -> dict[str, Any]:
    """The arguments that the driver gets, in the end."""
    database = read_database_url(text)
    engine = create_engine(database.url)
    _, arguments = engine.dialect.create_connect_args(database.login_url(None, password))
    sent = {**arguments, **database.connect_args}
    # What SQLAlchemy adds by itself.
    return {name: sent[name] for name in sent if name not in {"context", "client_flag"}}


def _odbc(text: str) -> list[str]:
    """The connection string that the ODBC driver gets, without the driver's own name."""
    database = prepared(read_database_url(text))
    (words,), _ = create_engine(database.url).dialect.create_connect_args(
        database.login_url("jo", "p;w")
    )
    return sorted(word for word in words.split(";") if not word.startswith("DRIVER="))


def _refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read_database_url(text)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("source.url")
    return str(caught.value)


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
    assert _sent(text) == expected


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
    assert _sent(text) == {**fixed, **expected}


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
    assert "no time zone" in _refused("jdbc:mysql://h/x?serverTimezone=Mars/Olympus")


def test_a_mysql_url_s_variables_are_set_one_by_one_and_are_nothing_else() -> None:
    url = "jdbc:mysql://h/x?sessionVariables="
    assert read_database_url(f"{url}sql_mode='ANSI,PAD',wait_timeout=9").session == (
        "SET SESSION sql_mode='ANSI,PAD'",
        "SET SESSION wait_timeout=9",
    )
    assert "sessionVariables" in _refused(f"{url}a=1;DROP TABLE x")
    assert "sessionVariables" in _refused(f"{url}a=(SELECT 1)")


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
    assert "authenticationScheme" in _refused(ntlm)


_DESCRIPTION = (
    "(DESCRIPTION=(ADDRESS=(PROTOCOL=tcps)(HOST=h)(PORT=2484))(CONNECT_DATA=(SERVICE_NAME=s.x)))"
)


@pytest.mark.parametrize(
    ("text", "expected", "place"),
    [
        ("@h:1521:ORCL", {"dsn": "SID=ORCL"}, "h:1521/ORCL"),
        ("@//h:1522/svc.example", {"dsn": "SERVICE_NAME=svc.example"}, "h/svc.example"),
        ("@h/svc", {"dsn": "PORT=1521"}, "h/svc"),
        ("@tcps://h:2484/svc?wallet_location=/w", {"dsn": "tcps://h:2484/svc?wallet"}, "h/svc"),
        ("@//a:1,b:2/svc", {"dsn": "a:1,b:2/svc"}, "a,b/svc"),
        (f"@{_DESCRIPTION}", {"dsn": _DESCRIPTION}, "h/s.x"),
        ("@hr_prod?TNS_ADMIN=/etc/oracle", {"dsn": "hr_prod"}, "hr_prod"),
    ],
)
def test_an_oracle_url_reaches_what_it_reaches_from_java(
    text: str, expected: dict[str, str], place: str
) -> None:
    assert expected["dsn"] in _sent(f"jdbc:oracle:thin:{text}")["dsn"]
    assert read_database_url(f"jdbc:oracle:thin:{text}").place == place


def test_an_oracle_url_s_folder_and_limits_are_kept() -> None:
    database = read_database_url(
        "jdbc:oracle:thin:@hr?TNS_ADMIN=/etc/o&oracle.net.CONNECT_TIMEOUT=2500"
        "&oracle.jdbc.ReadTimeout=60000"
    )
    assert database.connect_args == {
        "dsn": "hr",
        "config_dir": "/etc/o",
        "tcp_connect_timeout": 3,
    }
    assert database.query_timeout_s == 60


def test_a_snowflake_url_says_to_the_connector_what_it_says_to_java() -> None:
    sent = _sent(
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
    local = _sent("jdbc:snowflake://127.0.0.1:8080/?account=a&ssl=off&schema=S")
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
    assert "ssl=1" in _refused("jdbc:databricks://h:443/default;httpPath=/x;ssl=0")
    assert "httpPath" in _refused("jdbc:databricks://h:443/default;ssl=1")
    assert "AuthMech" in _refused("jdbc:databricks://h:443/default;httpPath=/x;AuthMech=11")


def test_a_databricks_port_of_its_own_is_the_connector_s() -> None:
    url = "jdbc:databricks://h:8443/default;ssl=1;httpPath=/x"
    assert read_database_url(url).connect_args == {"_port": 8443}
    assert read_database_url(url.replace("8443", "443")).connect_args == {}


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


def test_a_file_is_named_as_it_is() -> None:
    assert read_database_url("jdbc:sqlite:data/hr.db").url.database == "data/hr.db"
    assert read_database_url("jdbc:sqlite:/a b.db?busy_timeout=1500").connect_args == {"timeout": 2}
    assert read_database_url("jdbc:sqlite:").url.database == ":memory:"
    assert read_database_url("jdbc:duckdb:hr.duckdb").url.database == "hr.duckdb"


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
    assert words in _refused(text)


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
    message = _refused(text)
    assert "s3" not in message
    assert "3t" not in message
    assert "`username: NAME` and `password: {env: NAME}`" in message
    with pytest.raises(ConfigError):
        check_no_secret(text.replace("%3D", "=").replace("%3B", ";"))


_STARTS = (
    "jdbc:postgresql://h/x?", "jdbc:mysql://h/x?", "jdbc:sqlserver://h;", "jdbc:db2://h/x:",
    "jdbc:", "",
)  # fmt: skip


@given(st.sampled_from(_STARTS), _TEXT, _TEXT)
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


@given(_TEXT)
def test_any_database_name_in_braces_reaches_sql_server_as_it_is(name: str) -> None:
    written = name.replace("}", "}}")
    database = read_database_url(f"jdbc:sqlserver://h;databaseName={{{written}}}")
    assert database.url.database == name


@given(_TEXT, _TEXT)
def test_any_name_and_password_reach_psycopg_as_they_are(name: str, password: str) -> None:
    database = read_database_url("jdbc:postgresql://h/x")
    dialect = database.url.get_dialect()()
    _, sent = dialect.create_connect_args(database.login_url(name, password))
    assert (sent["user"], sent["password"]) == (name, password)


def test_a_sqlalchemy_url_is_taken_as_it_is() -> None:
    database = read_database_url("oracle+oracledb://jo@h:1521/?service_name=x")
    assert database.url.render_as_string() == "oracle+oracledb://jo@h:1521/?service_name=x"
    assert read_database_url("postgresql://h/x").url.drivername == "postgresql+psycopg"
    assert read_database_url("mysql://h/x").url.drivername == "mysql+pymysql"
    assert (database.dialect, database.place) == ("oracle", "h:1521/")


def test_two_users_are_one_too_many() -> None:
    database = read_database_url("jdbc:postgresql://h/x?user=jo")
    assert database.login_url("jo", None).username == "jo"
    assert database.login_url(None, None).username == "jo"
    with pytest.raises(ConfigError, match=r"another user than source\.username"):
        database.login_url("al", None)


def test_a_limit_on_logging_in_is_the_url_s_or_ours() -> None:
    assert read_database_url("jdbc:postgresql://h/x").with_login_timeout(15).connect_args == {
        "connect_timeout": 15
    }
    own = read_database_url("jdbc:postgresql://h/x?loginTimeout=3").with_login_timeout(15)
    assert own.connect_args == {"connect_timeout": 3}
    assert read_database_url("jdbc:sqlite:x").with_login_timeout(15).connect_args == {}


def test_a_missing_driver_is_named_with_the_command_that_installs_it() -> None:
    check_driver("mysql+pymysql")
    with pytest.raises(ConfigError, match=r"pip install '\.\[databricks\]'"):
        check_driver("databricks")
    with pytest.raises(ConfigError, match=r"pip install '\.\[db2\]'"):
        check_driver(read_database_url("jdbc:db2://h/x").url.drivername)
    with pytest.raises(ConfigError, match="knows no dialect nonsense"):
        check_driver("nonsense")
    with pytest.raises(ConfigError, match="pip install psycopg2"):
        check_driver("postgresql+psycopg2")
