"""How a connection is secured: as the URL says, else as `tls` says, else verified."""

import ssl
from pathlib import Path
from typing import Any

from extractors.sql.urls.address import DatabaseUrl
from schemas.errors import ConfigError, raise_as
from schemas.network.loopback import is_loopback
from schemas.source_file.kinds.sql_source import Tls

TAKES_TLS = {"postgresql", "mysql", "mariadb"}
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Arch, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, Red Hat
    "/etc/ssl/ca-bundle.pem",  # SUSE
)


def tls_options(database: DatabaseUrl, tls: Tls | None, workspace: Path) -> dict[str, Any]:
    """Returns the driver's own arguments, beside those of the URL.

    A server elsewhere is verified unless the URL or `tls` says otherwise.

    Raises:
        ConfigError: the URL and `tls` both say it, a certificate's file cannot be used, or the
            driver takes it in the URL only.
    """
    in_url = _is_in_url(database)
    if tls is None:
        if in_url or _is_here(database):
            return _with_system_authorities(database)
        tls = Tls()
    elif database.dialect not in TAKES_TLS:
        raise ConfigError(
            f"for {database.dialect}, say in the url how it is secured", key="source.tls"
        )
    elif in_url:
        raise ConfigError(
            "the url says how to secure the connection, too: drop one", key="source.tls"
        )
    match database.dialect:
        case "postgresql":
            return _postgresql(tls, workspace)
        case "mysql" | "mariadb":
            return _mysql(tls, workspace)
    return {}


def _is_in_url(database: DatabaseUrl) -> bool:
    names = (*database.url.query, *database.connect_args)
    return any(name.lower().startswith("ssl") for name in names)


def _with_system_authorities(database: DatabaseUrl) -> dict[str, Any]:
    """Returns what `sslrootcert=system` means: verify-full by the system's authorities."""
    if "system" not in (
        database.url.query.get("sslrootcert"),
        database.connect_args.get("sslrootcert"),
    ):
        return {}
    return {"sslmode": "verify-full", "sslrootcert": _system_authorities()}


def _is_here(database: DatabaseUrl) -> bool:
    host = database.url.host or str(database.connect_args.get("host", ""))
    return not host or host.startswith("/") or is_loopback(host)


def _postgresql(tls: Tls, workspace: Path) -> dict[str, Any]:
    if tls.mode == "none":
        return {"sslmode": "disable"}
    _context(tls, workspace)
    options = {"sslmode": "require"}
    if tls.mode == "verify":
        own = tls.ca_file and str(workspace / tls.ca_file)
        options = {"sslmode": "verify-full", "sslrootcert": own or _system_authorities()}
    if tls.certificate:
        options["sslcert"] = str(workspace / tls.certificate)
        options["sslkey"] = str(workspace / (tls.key or tls.certificate))
    return options


def _system_authorities() -> str:
    """Finds the file of the system's authorities: OpenSSL in a driver's wheel knows none itself."""
    known = ssl.get_default_verify_paths().cafile
    return known or next((file for file in _BUNDLES if Path(file).is_file()), "system")


def _mysql(tls: Tls, workspace: Path) -> dict[str, Any]:
    if tls.mode == "none":
        return {"ssl_disabled": True}
    context = _context(tls, workspace)
    if tls.mode == "unverified":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return {"ssl": context}


def _context(tls: Tls, workspace: Path) -> ssl.SSLContext:
    """Makes what verifies the server and shows our certificate; its files are proved good here.

    Raises:
        ConfigError: a file is not there, is no certificate or key, or the two do not fit.
    """
    if tls.key and not tls.certificate:
        raise ConfigError("is of no use without certificate: name that, too", key="source.tls.key")
    files = {name: getattr(tls, name) for name in ("ca_file", "certificate", "key")}
    paths = {name: workspace / file for name, file in files.items() if file}
    for name, path in paths.items():
        if not path.is_file():
            raise ConfigError(
                f"{files[name]}: no such file: check the path", key=f"source.tls.{name}"
            )

    def load() -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=paths.get("ca_file"))
        if "certificate" in paths:
            # An empty passphrase: without one, OpenSSL would ask at the terminal.
            context.load_cert_chain(paths["certificate"], paths.get("key"), password="")
        return context

    return raise_as(load, {OSError: _unusable})


def _unusable(error: OSError) -> ConfigError:
    reason = error.strerror or type(error).__name__
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or "no PEM").lower().replace("_", " ")
    return ConfigError(
        f"a certificate or its key cannot be used: {reason}: give PEM files that belong together, "
        "the key without a passphrase",
        key="source.tls",
    )
