"""A MySQL or MariaDB JDBC URL, for PyMySQL (the connectors' options)."""

import re
import ssl
from typing import Any

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

_MODES = {
    "disabled": "off",
    "disable": "off",
    "preferred": "preferred",
    "required": "required",
    "trust": "required",
    "verify_ca": "verify_ca",
    "verify-ca": "verify_ca",
    "verify_identity": "verify_full",
    "verify-full": "verify_full",
}
_VARIABLES = re.compile(r"\s*(@@|session\.)?\w+\s*=\s*('[^'\\]*'|[\w.+\-:]+)\s*")
_HARMLESS = {
    "text is always utf8mb4": "useUnicode characterEncoding characterSetResults "
    "connectionCollation passwordCharacterEncoding",
    "how rows and statements travel": "useCompression useCursorFetch defaultFetchSize "
    "useServerPrepStmts cachePrepStmts prepStmtCacheSize prepStmtCacheSqlLimit "
    "cacheServerConfiguration cacheResultSetMetadata cacheCallableStmts useReadAheadInput "
    "useLocalSessionState useLocalTransactionState elideSetAutoCommits maintainTimeStats tcp* "
    "usePipelineAuth useBatchMultiSend* maxAllowedPacket largeRowSizeThreshold",
    "for writing": "rewriteBatchedStatements useBulkStmts* allowLoadLocalInfile allowLocalInfile "
    "allowUrlInLocalInfile continueBatchOnError useAffectedRows allowMultiQueries",
    "a lost connection is an error": "autoReconnect autoReconnectForPools maxReconnects "
    "initialTimeout failOverReadOnly reconnectAtTxEnd retriesAllDown",
    "what Java programs ask the driver": "useInformationSchema nullCatalogMeansCurrent "
    "nullDatabaseMeansCurrent noAccessToProcedureBodies useOldAliasMetadataBehavior "
    "databaseTerm getProceduresReturnsFunctions generateSimpleParameterMetadata permitMysqlScheme "
    "dontTrackOpenResources jdbcCompliantTruncation useLegacyDatetimeCode pool* minPoolSize "
    "maxPoolSize connectionAttributes sendFractionalSeconds preserveInstants cacheDefaultTimezone",
    "a TINYINT(1) or a YEAR is the number it is": "tinyInt1isBit transformedBitIsBoolean "
    "yearIsDateType",
    "what the Java driver logs": "logger log profileSQL logSlowQueries explainSlowQueries "
    "gatherPerfMetrics dumpQueriesOnException includeInnodbStatusInDeadlockExceptions paranoid",
    "PyMySQL asks the server for its key where it must": "allowPublicKeyRetrieval",
}


def mysql_url(dialect: str, rest: str) -> DatabaseUrl:
    """Reads the address in `//host:port/database?options`; `dialect` is mysql or mariadb."""
    authority, database, query = split_authority(rest)
    user, authority = split_user(authority)
    hosts = split_hosts(authority) or [("localhost", None)]
    if len(hosts) > 1 or not rest.startswith("//"):
        raise ConfigError("write one server as //host:port/database, or use driver: jdbc", key=KEY)
    options = Options(query_pairs(query))
    user = options.text("user") or user
    arguments = _tls(options, dialect)
    arguments |= {
        name: value
        for name, value in {
            "connect_timeout": options.seconds("connectTimeout", 0.001),
            "read_timeout": options.seconds("socketTimeout", 0.001),
            "unix_socket": options.text("localSocket"),
        }.items()
        if value
    }
    zone = options.zone("connectionTimeZone", "serverTimezone", "timezone")
    session = _session(options, zone)
    options.ignore(_HARMLESS)
    options.finish()
    host, port = hosts[0]
    url = URL.create(
        f"{dialect}+pymysql",
        username=user,
        host=host,
        port=port or 3306,
        database=database or None,
        query={"charset": "utf8mb4"},
    )
    return DatabaseUrl(url, f"{host}:{port or 3306}/{database}", arguments, session, zone)


def _session(options: Options, zone: str | None) -> tuple[str, ...]:
    """Writes statements that give a new session what the URL asks for."""
    statements = []
    variables = options.text("sessionVariables")
    if variables:
        parts = re.split(r"[,;](?=(?:[^']*'[^']*')*[^']*$)", variables)
        if not all(_VARIABLES.fullmatch(part) for part in parts):
            raise ConfigError("sessionVariables is written as name=value,name='value'", key=KEY)
        statements += [f"SET SESSION {re.sub('^(@@|session.)', '', p.strip())}" for p in parts]
    if options.flag("forceConnectionTimeZoneToSession") and zone:
        statements.append(f"SET SESSION time_zone = '{zone}'")
    return tuple(statements)


def _tls(options: Options, dialect: str) -> dict[str, Any]:
    """Reads PyMySQL's arguments of the URL's TLS; none said is encrypted where offered."""
    mode = options.choice("sslMode", _MODES)
    wanted, required = options.flag("useSSL"), options.flag("requireSSL")
    checked = options.flag("verifyServerCertificate")
    trusted = options.flag("trustServerCertificate")
    unnamed = options.flag("disableSslHostnameVerification")
    authority = options.text("serverSslCert")
    if mode is None and (wanted or required):
        mode = "required"
        if checked or dialect == "mariadb":
            mode = "verify_ca" if unnamed or dialect == "mysql" else "verify_full"
        mode = "required" if trusted else mode
    elif mode is None and wanted is False:
        mode = "off"
    if authority and not authority.startswith("/"):
        raise ConfigError("serverSslCert is the absolute path of a PEM file", key=KEY)
    return _arguments(mode or ("verify_full" if authority else None), authority)


def _arguments(mode: str | None, authority: str | None) -> dict[str, Any]:
    match mode:
        case None | "preferred":
            return {}
        case "off":
            return {"ssl_disabled": True}
        case "required":
            return {"ssl": {"check_hostname": False, "verify_mode": "none"}}
        case "verify_full" if authority is None:
            # Without an authority's file PyMySQL would not check the host's name.
            return {"ssl": ssl.create_default_context()}
    named = {"ssl_ca": authority} if authority else {}
    return named | {"ssl_verify_cert": True, "ssl_verify_identity": mode == "verify_full"}
