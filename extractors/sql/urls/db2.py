"""A DB2 JDBC URL, for ibm_db (the properties of IBM's JDBC driver, the keywords of IBM's CLI).

IBM, "Common IBM Data Server Driver for JDBC and SQLJ properties" and "CLI/ODBC configuration
keywords", read 2026-11.
"""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import URL

from extractors.sql.urls.address import KEY, DatabaseUrl
from extractors.sql.urls.syntax import Options, secret_error, semicolon_pairs, split_hosts
from schemas.errors import ConfigError

_WRITTEN = re.compile(r"//(?P<host>[^/?;]+)/(?P<database>[\w$#.\-]+)(?::(?P<options>.*))?")
_JAVAS_PORT = 446
_LOGINS = {
    "3": "SERVER",
    "7": "SERVER_ENCRYPT",
    "9": "SERVER_ENCRYPT",
    "11": "KERBEROS",
    "13": "DATA_ENCRYPT",
    "15": "GSSPLUGIN",
    "18": "CERTIFICATE",
}
_NAMES = {"basic": "Basic", "off": "Off"}
_AS_THEY_ARE = {
    "sslCertLocation": "SSLServerCertificate",
    "currentSchema": "CurrentSchema",
    "currentFunctionPath": "CurrentFunctionPath",
    "kerberosServerPrincipal": "TargetPrincipal",
    "clientUser": "ClientUserID",
    "clientWorkstation": "ClientWrkStnName",
    "clientProgramName": "ClientApplName",
    "clientApplicationInformation": "ClientApplName",
    "clientAccountingInformation": "ClientAcctStr",
}
_HARMLESS = {
    "how rows and statements travel": "queryDataSize fetchSize fullyMaterializeLobData "
    "fullyMaterializeInputStreams* progressiveStreaming progressiveLocators streamBufferSize "
    "enableRowsetSupport useRowsetCursor cursorSensitivity resultSetHoldability keepDynamic "
    "maxStatements statementConcentrator deferPrepares sendDataAsIs sendCharInputsUTF8 "
    "enableExtendedDescribe",
    "what Java programs ask the driver": "retrieveMessagesFromServerOnGetMessage driverType "
    "useJDBC4ColumnNameAndLabelSemantics allowNextOnExhaustedResultSet timestampFormat "
    "dateFormat timeFormat decimalSeparator decimalStringFormat jdbcCollection description "
    "emulateParameterMetaDataForZCalls returnAlias",
    "reading only, in a transaction of ours": "readOnly defaultIsolationLevel",
    "for writing": "atomicMultiRowInsert enableMultiRowInsertSupport generateSqlOnBatch*",
    "a lost connection is an error": "enableSeamlessFailover maxRetriesForClientReroute "
    "retryIntervalForClientReroute connectionCloseWithInFlightTransaction enableSysplexWLB "
    "maxTransportObjects",
    "cancelling has limits of its own": "timerLevelForQueryTimeOut interruptProcessingMode "
    "queryTimeoutInterruptProcessingMode",
    "what the Java driver logs": "traceLevel traceFile* traceDirectory traceOption logWriter "
    "monitor* dumpPool*",
}


def db2_url(rest: str) -> DatabaseUrl:
    """Reads the address in `//host:port/database:property=value;property=value;`.

    Its encryption is as in Java: none unless the URL says `sslConnection=true`.
    """
    match = _WRITTEN.fullmatch(rest)
    if not match and "@" in rest.partition(";")[0]:
        raise secret_error()
    hosts = split_hosts(match["host"]) if match else []
    if not match or len(hosts) != 1:
        raise ConfigError("write jdbc:db2://host:port/database:name=value;name=value;", key=KEY)
    options = Options(semicolon_pairs(match["options"] or ""))
    user = options.text("user")
    keywords = _keywords(options)
    options.ignore(_HARMLESS)
    options.finish("write the authority's PEM file as sslCertLocation=/path/of/it")
    host, port = hosts[0]
    url = URL.create("db2+ibm_db", user, None, host, port or _JAVAS_PORT, match["database"])
    return DatabaseUrl(url, f"{host}/{match['database']}", keywords)


def _keywords(options: Options) -> dict[str, Any]:
    silences = [options.seconds(n) for n in ("commandTimeout", "blockingReadConnectionTimeout")]
    keywords: dict[str, Any] = {
        "Security": "SSL" if options.flag("sslConnection") else None,
        "SSLClientHostnameValidation": options.choice("sslClientHostnameValidation", _NAMES),
        "ConnectTimeout": options.seconds("loginTimeout"),
        "ReceiveTimeout": min((limit for limit in silences if limit), default=None),
        "Authentication": options.choice("securityMechanism", _LOGINS),
    }
    by_aes = options.choice("encryptionAlgorithm", {"1": "", "2": "_AES"})
    if keywords["Authentication"] == "SERVER_ENCRYPT" and by_aes:
        keywords["Authentication"] = "SERVER_ENCRYPT_AES"
    keywords |= {ours: v for name, ours in _AS_THEY_ARE.items() if (v := options.text(name))}
    return {name: value for name, value in keywords.items() if value is not None}


def connection_string(url: URL, keywords: Mapping[str, object]) -> str:
    """Writes what IBM's CLI is told, password included: for the driver, never for a log.

    Its keywords are in capitals, as ibm_db_dbi looks for one of them; the first of two is heard.
    ibm_db_sa's own string leaves out every keyword but five, and all of a password that follows a
    semicolon; the CLI knows no way to quote one.

    Raises:
        ConfigError: a value has a semicolon, which would begin another keyword.
    """
    address: dict[str, object] = {"DSN": url.database}
    if url.host:
        address = {"DATABASE": url.database, "HOSTNAME": url.host, "PROTOCOL": "TCPIP"}
        address["PORT"] = url.port or _JAVAS_PORT
    login = {"UID": url.username, "PWD": url.password}
    settings: dict[str, str] = {}
    for name, value in [*address.items(), *login.items(), *url.query.items(), *keywords.items()]:
        if value is not None:
            settings.setdefault(name.upper(), str(value))
    for name, value in settings.items():
        if ";" in value:
            named = {"UID": "source.username", "PWD": "source.password"}.get(name, KEY)
            raise ConfigError("DB2's driver takes no semicolon in a value", key=named)
    return "".join(f"{name}={value};" for name, value in settings.items())
