"""A client for a web server: TLS verified, nothing redirected, no proxy for this machine."""

import os
import ssl
from pathlib import Path
from typing import TypedDict, Unpack

import httpx

from schemas.errors import ConfigError, raise_as
from schemas.network.loopback import is_loopback
from schemas.network.proxies import check_proxies


class ClientOptions(TypedDict, total=False):
    """What a caller says of its client; as httpx takes it."""

    headers: dict[str, str]
    auth: httpx.Auth | None
    timeout: httpx.Timeout
    limits: httpx.Limits


def web_client(
    url: str, verify: ssl.SSLContext | bool, **options: Unpack[ClientOptions]
) -> httpx.Client:
    """A client for the server at `url`; nothing is sent yet.

    Raises:
        ConfigError: a variable of the environment names a proxy, or certificates, of no use.
    """
    # What comes from this machine comes through no proxy, whatever the environment says.
    is_here = is_loopback(httpx.URL(url).host)
    if not is_here:
        check_proxies(os.environ)
    limits = options.get("limits", httpx.Limits())

    def made() -> httpx.Client:
        transport = httpx.HTTPTransport(verify=verify, limits=limits) if is_here else None
        return httpx.Client(verify=verify, transport=transport, follow_redirects=False, **options)

    variable = "SSL_CERT_FILE" if os.environ.get("SSL_CERT_FILE") else "SSL_CERT_DIR"
    unusable = ConfigError(
        f"{variable} names no certificates that can be read: name a file in PEM, or unset it"
    )
    return raise_as(made, {OSError: lambda _: unusable})


def trusted_by(workspace: Path, ca_file: str | None, key: str) -> ssl.SSLContext | bool:
    """What verifies a server: the authorities in `ca_file`, which `key` names, or the usual ones.

    Raises:
        ConfigError: it cannot be read, or holds no certificate.
    """
    if not ca_file:
        return True
    return raise_as(
        lambda: ssl.create_default_context(cafile=workspace / ca_file),
        {
            ssl.SSLError: lambda _: ConfigError(f"{ca_file} holds no certificate", key=key),
            OSError: lambda error: ConfigError(
                f"{ca_file} cannot be read: {error.strerror}", key=key
            ),
        },
    )
