"""How a connection is secured: as the URL says, else as `tls` says, else verified."""

import ipaddress
import ssl
from pathlib import Path
from typing import Any

from extractors.database_urls.value import DatabaseUrl
from schemas.errors import ConfigError
from schemas.sql_source import Tls

TAKES_TLS = {"postgresql", "mysql", "mariadb"}


def tls_options(database: DatabaseUrl, tls: Tls | None, workspace: Path) -> dict[str, Any]:
    """The driver's own arguments, beside those of the URL.

    A server elsewhere is verified unless the URL or `tls` says otherwise.

    Raises:
        ConfigError: the URL and `tls` both say it, a certificate's file cannot be used, or the
            driver takes it in the URL only.
    """
    in_url = _said_in_url(database)
    if tls is None:
        if in_url or _is_here(database):
            return {}
        tls = Tls()
    elif database.dialect not in TAKES_TLS:
        raise ConfigError(f"source.tls: for {database.dialect}, say in the url how it is secured")
    elif in_url:
        raise ConfigError("source.tls: the url says how to secure the connection, too: drop one")
    match database.dialect:
        case "postgresql":
            return _postgresql(tls, workspace)
        case "mysql" | "mariadb":
            return _mysql(tls, workspace)
    return {}


def _said_in_url(database: DatabaseUrl) -> bool:
    names = (*database.url.query, *database.connect_args)
    return any(name.lower().startswith("ssl") for name in names)


def _is_here(database: DatabaseUrl) -> bool:
    """Whether the server is this machine, so that what is sent leaves it for nobody to see."""
    host = database.url.host or str(database.connect_args.get("host", ""))
    if host in {"", "localhost"} or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _postgresql(tls: Tls, workspace: Path) -> dict[str, Any]:
    if tls.mode == "none":
        return {"sslmode": "disable"}
    found: dict[str, Any] = {"sslmode": "require"}
    if tls.mode == "verify":
        own = tls.ca_file and str(workspace / tls.ca_file)
        trusted = own or ssl.get_default_verify_paths().cafile or "system"
        found = {"sslmode": "verify-full", "sslrootcert": trusted}
    if tls.certificate:
        found["sslcert"] = str(workspace / tls.certificate)
    if tls.key:
        found["sslkey"] = str(workspace / tls.key)
    return found


def _mysql(tls: Tls, workspace: Path) -> dict[str, Any]:
    if tls.mode == "none":
        return {"ssl_disabled": True}
    problem = None
    try:
        context = ssl.create_default_context(cafile=tls.ca_file and str(workspace / tls.ca_file))
        if tls.certificate:
            key = tls.key and str(workspace / tls.key)
            context.load_cert_chain(str(workspace / tls.certificate), key)
    except (OSError, ssl.SSLError) as error:
        problem = error.strerror or type(error).__name__
    if problem:
        raise ConfigError(f"source.tls: a certificate's file cannot be used: {problem}")
    if tls.mode == "unverified":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return {"ssl": context}
