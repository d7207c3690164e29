"""A SQL Server JDBC URL, for an ODBC driver (mssql-jdbc's options)."""

from sqlalchemy import URL

from extractors.sql.urls.address import KEY, DatabaseUrl
from extractors.sql.urls.syntax import Options, semicolon_pairs, split_hosts
from schemas.errors import ConfigError

_ENCRYPTION = {
    "true": "yes",
    "yes": "yes",
    "mandatory": "yes",
    "false": "no",
    "no": "no",
    "optional": "no",
    "strict": "strict",
}
_INTENTS = {"readonly": "ReadOnly", "readwrite": "ReadWrite"}
_SCHEMES = {"javakerberos": "Yes", "nativeauthentication": "Yes"}
_LOGINS = {
    "notspecified": "",
    "sqlpassword": "",
    "activedirectorypassword": "ActiveDirectoryPassword",
    "activedirectoryintegrated": "ActiveDirectoryIntegrated",
    "activedirectoryserviceprincipal": "ActiveDirectoryServicePrincipal",
    "activedirectorymsi": "ActiveDirectoryMSI",
    "activedirectorymanagedidentity": "ActiveDirectoryMSI",
}
_AS_THEY_ARE = {
    "applicationName": "APP",
    "workstationID": "WSID",
    "packetSize": "PacketSize",
    "hostNameInCertificate": "HostnameInCertificate",
    "serverCertificate": "ServerCertificate",
    "serverSpn": "ServerSPN",
    "failoverPartner": "Failover_Partner",
    "connectRetryCount": "ConnectRetryCount",
    "connectRetryInterval": "ConnectRetryInterval",
    "ipAddressPreference": "IpAddressPreference",
}
_HARMLESS = {
    "how rows and statements travel": "selectMethod responseBuffering "
    "sendStringParametersAsUnicode statementPoolingCacheSize disableStatementPooling "
    "enablePrepareOnFirstPreparedStatementCall "
    "serverPreparedStatementDiscardThreshold prepareMethod useFmtOnly delayLoadingLobs "
    "maxResultBuffer sendTimeAsDatetime datetimeParameterType "
    "sendTemporalDataTypesAsStringForBulkCopy",
    "what Java programs ask the driver": "xopenStates lastUpdateCount "
    "ignoreOffsetOnDateTimeOffset* "
    "calcBigDecimalPrecision useDefaultJaasConfig jaasConfigurationName useDefaultGSSCredential "
    "serverNameAsACE vectorTypeSupport supportsDateTimeOffset",
    "for writing": "useBulkCopyForBatchInsert bulkCopyForBatchInsert* cacheBulkCopyMetadata",
    "cancelling has limits of its own": "cancelQueryTimeout",
}


def mssql_url(rest: str) -> DatabaseUrl:
    r"""Reads the address in `//host\instance:port;option=value`; its ODBC driver is found later.

    Where the URL is silent the certificate is checked and everything encrypted, as the newer
    drivers of both worlds do by themselves.
    """
    address, _, text = rest.removeprefix("//").partition(";")
    options = Options(semicolon_pairs(text))
    host, port = _server(address, options)
    database = options.text("databaseName", "database") or ""
    user = options.text("user", "userName")
    query = {"Encrypt": options.choice("encrypt", _ENCRYPTION) or "yes"}
    query["TrustServerCertificate"] = "yes" if options.flag("trustServerCertificate") else "no"
    query |= {ours: v for name, ours in _AS_THEY_ARE.items() if (v := options.text(name))}
    query |= _ways(options)
    login_s = options.seconds("loginTimeout")
    lock_ms = options.text("lockTimeout")
    limits = [options.seconds("queryTimeout"), options.seconds("socketTimeout", 0.001)]
    options.ignore(_HARMLESS)
    options.finish()
    if lock_ms and not lock_ms.removeprefix("-").isdecimal():
        raise ConfigError("the option lockTimeout is a whole number", key=KEY)
    # A host without a database would be taken for a DSN: an empty name is the login's own.
    query |= {} if database else {"database": ""}
    return DatabaseUrl(
        URL.create("mssql+pyodbc", user, None, host, port, database or None, query),
        f"{host}/{database}",
        {"timeout": login_s} if login_s else {},
        (f"SET LOCK_TIMEOUT {lock_ms}",) if lock_ms and lock_ms != "-1" else (),
        query_timeout_s=min((limit for limit in limits if limit), default=None),
    )


def _server(address: str, options: Options) -> tuple[str, int | None]:
    r"""Reads `host\instance` and port; with a port, the instance needs no looking up."""
    hosts = split_hosts(address)
    if len(hosts) > 1:
        raise ConfigError("write one server, the other one as failoverPartner", key=KEY)
    host, port = hosts[0] if hosts else (None, None)
    host = host or options.text("serverName", "server") or "localhost"
    instance = options.text("instanceName")
    named = options.text("portNumber", "port")
    if named and port is None:
        port = split_hosts(f"localhost:{named}")[0][1]
    if instance and "\\" not in host:
        host = f"{host}\\{instance}"
    return host, port if port or "\\" in host else 1433


def _ways(options: Options) -> dict[str, str]:
    """Reads how to log in other than by password, and which replica to read from."""
    intent = options.choice("applicationIntent", _INTENTS)
    scheme = options.choice("authenticationScheme", _SCHEMES)
    login = options.choice("authentication", _LOGINS)
    query = {
        "ApplicationIntent": intent,
        "MultiSubnetFailover": "Yes" if options.flag("multiSubnetFailover") else None,
        "TransparentNetworkIPResolution": (
            "Disabled" if options.flag("transparentNetworkIPResolution") is False else None
        ),
        "Trusted_Connection": (scheme or "Yes") if options.flag("integratedSecurity") else None,
        "authentication": login,
        "ColumnEncryption": options.choice(
            "columnEncryptionSetting", {"enabled": "Enabled", "disabled": ""}
        ),
    }
    return {name: value for name, value in query.items() if value}
