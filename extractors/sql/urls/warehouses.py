"""JDBC URLs of Snowflake and of Databricks."""

from typing import Any

from sqlalchemy import URL

from extractors.sql.urls.address import KEY, DatabaseUrl
from extractors.sql.urls.syntax import (
    Options,
    query_pairs,
    semicolon_pairs,
    split_authority,
    split_hosts,
    split_user,
)
from schemas.errors import ConfigError

_DATABRICKS_PORT = 443
_SNOWFLAKE = ".snowflakecomputing."
_SNOWFLAKE_HARMLESS = {
    "how the Java driver shows and fetches rows": "JDBC_* CLIENT_RESULT_* CLIENT_PREFETCH_THREADS "
    "CLIENT_MEMORY_LIMIT CLIENT_METADATA_* CLIENT_SESSION_CLONE MULTI_STATEMENT_COUNT "
    "stringsQuotedForColumnDef enablePutGet enablePatternSearch enableDiagnostics",
    "what the Java driver logs": "tracing java_logging_console_std_out* traceEnabled",
}
_DATABRICKS_HARMLESS = {
    "how rows and statements travel": "EnableArrow UseNativeQuery RowsFetchedPerBlock "
    "DefaultStringColumnLength EnableQueryResultDownload EnableQueryResultLZ4Compression "
    "EnableCloudFetch* UseThriftClient cloudFetchThreadPoolSize PreparedMetadataLimitZero",
    "what the Java driver logs": "LogLevel LogPath LogFileSize LogFileCount EnableTelemetry",
}


def snowflake_url(rest: str) -> DatabaseUrl:
    """Reads the address in `//account.snowflakecomputing.com/?warehouse=…&db=…&schema=…`."""
    authority, path, query = split_authority(rest)
    user, authority = split_user(authority)
    hosts = split_hosts(authority)
    if len(hosts) != 1 or path.strip("/"):
        raise ConfigError("write jdbc:snowflake://account.snowflakecomputing.com/?db=…", key=KEY)
    host, port = hosts[0]
    options = Options(query_pairs(query))
    account = options.text("account") or host.partition(_SNOWFLAKE)[0]
    database, schema = options.text("db", "database"), options.text("schema")
    user = options.text("user") or user
    arguments, limit_s = _snowflake_arguments(options)
    query_part = {n: v for n in ("warehouse", "role") if (v := options.text(n))}
    options.ignore(_SNOWFLAKE_HARMLESS)
    options.finish()
    if schema and not database:
        arguments["schema"] = schema
        schema = None
    if _SNOWFLAKE not in host or port or arguments.get("protocol"):
        arguments |= {"host": host, "port": port or 443}
    arguments["account"] = account
    place = "/".join(part for part in (database, schema) if part)
    url = URL.create("snowflake", user, host=account, database=place or None, query=query_part)
    return DatabaseUrl(url, f"{host}/{place}", arguments, query_timeout_s=limit_s)


def _snowflake_arguments(options: Options) -> tuple[dict[str, Any], int | None]:
    """Reads the connector's arguments, and the query's limit in seconds."""
    arguments: dict[str, Any] = {
        "protocol": "http" if options.flag("ssl") is False else None,
        "authenticator": options.text("authenticator"),
        "private_key_file": options.text("private_key_file"),
        "login_timeout": options.seconds("loginTimeout"),
        "network_timeout": options.seconds("networkTimeout", 0.001),
        "application": options.text("application"),
        "client_session_keep_alive": options.flag("CLIENT_SESSION_KEEP_ALIVE"),
        "ocsp_fail_open": options.flag("ocspFailOpen"),
        "disable_ocsp_checks": options.flag("disableOCSPChecks") or options.flag("insecureMode"),
    }
    if options.flag("useProxy"):
        arguments["proxy_host"] = options.text("proxyHost")
        arguments["proxy_port"] = options.text("proxyPort")
        arguments["proxy_user"] = options.text("proxyUser")
    settings = {"TIMEZONE": options.zone("TIMEZONE"), "QUERY_TAG": options.text("QUERY_TAG")}
    arguments["session_parameters"] = {n: v for n, v in settings.items() if v} or None
    return {n: v for n, v in arguments.items() if v is not None}, options.seconds("queryTimeout")


def databricks_url(rest: str) -> DatabaseUrl:
    """Reads the address in `//host:443/default;transportMode=http;ssl=1;httpPath=/sql/1.0/…`."""
    address, _, text = rest.partition(";")
    authority, path, query = split_authority(address)
    user, authority = split_user(authority)
    hosts = split_hosts(authority)
    options = Options(semicolon_pairs(text))
    http_path = options.text("httpPath")
    if len(hosts) != 1 or query or not http_path:
        raise ConfigError("write jdbc:databricks://host:443/default;ssl=1;httpPath=/sql/…", key=KEY)
    options.choice("transportMode", {"http": "http"})
    if options.flag("ssl") is False:
        raise ConfigError("Databricks is read over TLS only: write ssl=1", key=KEY)
    options.choice("AuthMech", {"3": "token"})
    user = options.text("UID", "user") or user or "token"
    query_part = {"http_path": http_path}
    query_part |= {"catalog": v} if (v := options.text("ConnCatalog")) else {}
    schema = options.text("ConnSchema") or path.strip("/") or "default"
    query_part["schema"] = schema
    arguments: dict[str, Any] = {}
    if entry := options.text("UserAgentEntry"):
        arguments["user_agent_entry"] = entry
    if read_timeout_s := options.seconds("SocketTimeout"):
        arguments["_socket_timeout"] = read_timeout_s
    options.ignore(_DATABRICKS_HARMLESS)
    options.finish()
    host, port = hosts[0]
    if port and port != _DATABRICKS_PORT:
        arguments["_port"] = port  # the dialect leaves out the URL's
    url = URL.create("databricks", user, host=host, port=port or _DATABRICKS_PORT, query=query_part)
    return DatabaseUrl(url, f"{host}/{query_part.get('catalog', '')}.{schema}", arguments)
