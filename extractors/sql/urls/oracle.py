"""An Oracle thin JDBC URL, for python-oracledb's thin mode."""

import re
from typing import Any

from sqlalchemy import URL

from extractors.sql.urls.address import KEY, DatabaseUrl
from extractors.sql.urls.syntax import Options, query_pairs, secret_error, split_hosts
from schemas.errors import ConfigError

_EASY = re.compile(
    r"(?:(?P<protocol>tcps?):)?(?://)?(?P<hosts>[^/()?]+)/(?P<service>[\w.$#\-]+)"
    r"(?::(?P<kind>dedicated|shared|pooled))?",
    re.IGNORECASE,
)
_SID = re.compile(r"(?P<host>\[[^\]]+\]|[^:/()?\s]+):(?P<port>\d+):(?P<sid>[\w$#]+)")
_NAMED = re.compile(r"\(\s*(?:HOST|SERVICE_NAME|SID)\s*=\s*([^()]+?)\s*\)", re.IGNORECASE)
_ALIAS = re.compile(r"[A-Za-z][\w.\-]*")
_EASY_OPTIONS = (
    "connect_timeout",
    "transport_connect_timeout",
    "retry_count",
    "retry_delay",
    "ssl_server_dn_match",
    "ssl_server_cert_dn",
    "wallet_location",
    "my_wallet_directory",
    "expire_time",
    "sdu",
    "https_proxy",
    "https_proxy_port",
    "use_sni",
)
_HARMLESS = {
    "how rows and statements travel": "defaultRowPrefetch oracle.jdbc.defaultRowPrefetch "
    "oracle.jdbc.implicitStatementCacheSize oracle.jdbc.defaultLobPrefetchSize "
    "useFetchSizeWithLongColumn",
    "what Java programs ask the driver": "remarksReporting includeSynonyms restrictGetTables "
    "oracle.jdbc.J2EE13Compliant oracle.jdbc.mapDateToTimestamp oracle.net.disableOob",
}


def oracle_url(rest: str) -> DatabaseUrl:
    """Reads `thin:@host:port:SID`, `@//host:port/service`, `@(DESCRIPTION=…)` or `@alias`.

    Raises:
        ConfigError: the thick driver (oci), or none of these forms.
    """
    kind, _, rest = rest.partition(":")
    if kind.lower() != "thin":
        raise ConfigError("of Oracle's JDBC drivers, thin is read: jdbc:oracle:thin:@…", key=KEY)
    login, at, address = rest.partition("@")
    if not at:
        raise ConfigError("write jdbc:oracle:thin:@//host:port/service", key=KEY)
    if "/" in login.strip("/"):
        raise secret_error()
    if address.startswith("("):
        return _by_name(login, address, {}, _described(address))
    address, _, query = address.partition("?")
    options = Options(query_pairs(query))
    arguments, limit_s = _arguments(options)
    easy = {name: value for name in _EASY_OPTIONS if (value := options.text(name))}
    options.ignore(_HARMLESS)
    options.finish()
    sid = _SID.fullmatch(address)
    if sid and not easy:
        host, port = split_hosts(f"{sid['host']}:{sid['port']}")[0]
        url = URL.create("oracle+oracledb", login.strip("/") or None, None, host, port, sid["sid"])
        return DatabaseUrl(url, f"{host}:{port}/{sid['sid']}", arguments, query_timeout_s=limit_s)
    return _easy(login, address, easy, arguments, limit_s)


def _easy(
    login: str, address: str, easy: dict[str, str], arguments: dict[str, Any], limit_s: int | None
) -> DatabaseUrl:
    """Reads Oracle's own short form, or a name of `tnsnames.ora`."""
    match = _EASY.fullmatch(address)
    if not match:
        if easy or not _ALIAS.fullmatch(address):
            raise ConfigError(
                "write jdbc:oracle:thin:@//host:port/service, @host:port:SID, "
                "@(DESCRIPTION=…) or @alias?TNS_ADMIN=folder",
                key=KEY,
            )
        return _by_name(login, address, arguments, address, limit_s)
    hosts = split_hosts(match["hosts"])
    place = f"{','.join(host for host, _ in hosts)}/{match['service']}"
    plain = (match["protocol"] or "tcp").lower() == "tcp" and not easy and not match["kind"]
    if plain and len(hosts) == 1:
        url = URL.create(
            "oracle+oracledb",
            login.strip("/") or None,
            host=hosts[0][0],
            port=hosts[0][1] or 1521,
            query={"service_name": match["service"]},
        )
        return DatabaseUrl(url, place, arguments, query_timeout_s=limit_s)
    protocol = f"{match['protocol'].lower()}://" if match["protocol"] else ""
    short = f"{protocol}{match['hosts']}/{match['service']}"
    short += f":{match['kind']}" if match["kind"] else ""
    options = "&".join(f"{name}={value}" for name, value in easy.items())
    dsn = f"{short}?{options}" if options else short
    return _by_name(login, dsn, arguments, place, limit_s)


def _by_name(
    login: str, dsn: str, arguments: dict[str, Any], place: str, limit_s: int | None = None
) -> DatabaseUrl:
    """Makes an address that goes to the driver as it is."""
    url = URL.create("oracle+oracledb", username=login.strip("/") or None)
    return DatabaseUrl(url, place, {**arguments, "dsn": dsn}, query_timeout_s=limit_s)


def _described(descriptor: str) -> str:
    """Returns the host and the service that a descriptor names, for messages.

    Raises:
        ConfigError: its brackets do not close, or it holds a password.
    """
    if re.search(r"\(\s*(password|.*_pwd|token)\s*=", descriptor, re.IGNORECASE):
        raise secret_error()
    if descriptor.count("(") != descriptor.count(")") or not descriptor.endswith(")"):
        raise ConfigError("the brackets of (DESCRIPTION=…) do not close", key=KEY)
    return "/".join(_NAMED.findall(descriptor))


def _arguments(options: Options) -> tuple[dict[str, Any], int | None]:
    """Reads python-oracledb's arguments of what are properties in Java, and the query's limit."""
    folder = options.text("TNS_ADMIN", "oracle.net.tns_admin")
    login_s = options.seconds("oracle.net.CONNECT_TIMEOUT", 0.001)
    wallet = options.text("oracle.net.wallet_location")
    matched = options.flag("oracle.net.ssl_server_dn_match")
    user = options.text("oracle.jdbc.user")
    if user:
        raise ConfigError("the option oracle.jdbc.user is written as source.username", key=KEY)
    arguments = {
        "config_dir": folder,
        "tcp_connect_timeout": login_s,
        "wallet_location": wallet,
        "ssl_server_dn_match": matched,
    }
    limit_s = options.seconds("oracle.jdbc.ReadTimeout", 0.001)
    return {name: value for name, value in arguments.items() if value is not None}, limit_s
