"""A PostgreSQL JDBC URL, for psycopg (pgJDBC's options)."""

from typing import Any
from urllib.parse import unquote

from sqlalchemy import URL

from extractors.sql.urls.address import KEY, DatabaseUrl
from extractors.sql.urls.syntax import (
    Options,
    query_pairs,
    split_authority,
    split_hosts,
    split_user,
)
from schemas.errors import ConfigError

_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_SERVERS = {
    "any": "any",
    "primary": "primary",
    "master": "primary",
    "secondary": "standby",
    "slave": "standby",
    "prefersecondary": "prefer-standby",
    "preferslave": "prefer-standby",
}
_AS_THEY_ARE = {
    "sslcert": "sslcert",
    "sslrootcert": "sslrootcert",
    "gssEncMode": "gssencmode",
    "kerberosServerName": "krbsrvname",
    "channelBinding": "channel_binding",
    "requireAuth": "require_auth",
    "sslNegotiation": "sslnegotiation",
    "ApplicationName": "application_name",
    "service": "service",
}
_HARMLESS = {
    "reading only, as we do": "readOnly readOnlyMode",
    "how rows and statements travel": "prepareThreshold preparedStatementCacheQueries "
    "preparedStatementCacheSizeMiB defaultRowFetchSize adaptiveFetch* binaryTransfer* "
    "preferQueryMode receiveBufferSize sendBufferSize maxSendBufferSize maxResultBuffer "
    "tcpNoDelay databaseMetadataCacheFields* protocolVersion stringtype",
    "what the Java driver logs": "loggerLevel loggerFile loglevel logUnclosedConnections "
    "logServerErrorDetail",
    "for writing": "reWriteBatchedInserts autosave cleanupSavepoints quoteReturningIdentifiers",
    "what Java programs ask the driver": "assumeMinServerVersion unknownLength "
    "escapeSyntaxCallMode "
    "disableColumnSanitiser hideUnprivilegedObjects groupStartupParameters convertBooleanToNumeric",
    "text is always UTF-8": "allowEncodingChanges charSet",
    "hosts are tried anew each time": "hostRecheckSeconds",
    "cancelling has limits of its own": "cancelSignalTimeout sslResponseTimeout gssResponseTimeout",
}


def postgresql_url(rest: str) -> DatabaseUrl:
    """Reads the address in `//host:port,host:port/database?options`, or in `database?options`."""
    authority, path, query = split_authority(rest)
    user, authority = split_user(authority)
    hosts = split_hosts(authority) or [("localhost", None)]
    options = Options(query_pairs(query))
    database = unquote(path.strip("/")) or None
    arguments = _tls(options) | _limits(options) | _server(options)
    user = options.text("user") or user
    options.ignore(_HARMLESS)
    options.finish()
    url = URL.create("postgresql+psycopg", username=user, database=database)
    if len(hosts) == 1:
        url = url.set(host=hosts[0][0], port=hosts[0][1])
    else:
        arguments["host"] = ",".join(host for host, _ in hosts)
        arguments["port"] = ",".join(str(port or 5432) for _, port in hosts)
    places = ",".join(f"{host}:{port or 5432}" for host, port in hosts)
    return DatabaseUrl(url, f"{places}/{database or ''}", arguments)


def _tls(options: Options) -> dict[str, Any]:
    """Reads TLS as pgJDBC means it: `ssl=true` alone checks the certificate and the host's name."""
    mode = options.choice("sslmode", {mode: mode for mode in _MODES})
    wanted = options.flag("ssl", bare=True)
    factory = options.text("sslfactory") or ""
    mode = mode or ("verify-full" if wanted else None)
    arguments = {"sslmode": mode} if mode else {}
    match factory.rpartition(".")[2]:
        case "" | "LibPQFactory":
            pass
        case "NonValidatingFactory" if mode is None or mode in _MODES[:3]:
            pass
        case "NonValidatingFactory" if mode in {"require", "verify-full"}:
            arguments["sslmode"] = "require"
        case "DefaultJavaSSLFactory":
            arguments |= {"sslmode": "verify-full", "sslrootcert": "system"}
        case _:
            raise ConfigError("no translation for this sslfactory: write sslmode", key=KEY)
    key = options.text("sslkey")
    if key and key.lower().endswith((".p12", ".pfx")):
        raise ConfigError("sslkey is a PKCS #12 file: give PEM files under source.tls", key=KEY)
    return arguments | ({"sslkey": key} if key else {})


def _limits(options: Options) -> dict[str, Any]:
    """Reads the time limits: to log in, and until a silent connection counts as lost."""
    arguments: dict[str, Any] = {}
    limits = [options.seconds("loginTimeout"), options.seconds("connectTimeout")]
    if any(limits):
        arguments["connect_timeout"] = min(limit for limit in limits if limit)
    read_timeout_s = options.seconds("socketTimeout")
    if read_timeout_s:
        arguments["tcp_user_timeout"] = read_timeout_s * 1000
    alive = options.flag("tcpKeepAlive")
    if alive is not None or read_timeout_s:
        arguments["keepalives"] = int(alive is not False)
    return arguments


def _server(options: Options) -> dict[str, Any]:
    """Reads which server of several, under which name, with which settings."""
    given = {ours: options.text(name) for name, ours in _AS_THEY_ARE.items()}
    given["target_session_attrs"] = options.choice("targetServerType", _SERVERS)
    given["load_balance_hosts"] = "random" if options.flag("loadBalanceHosts") else None
    settings = [options.text("options")]
    schemas = options.text("currentSchema")
    if schemas:
        escaped = schemas.replace("\\", "\\\\").replace(" ", "\\ ")
        settings.append(f"-c search_path={escaped}")
    given["options"] = " ".join(part for part in settings if part)
    return {name: value for name, value in given.items() if value}
