"""The proxy that the environment names for a URL, and what of its variables cannot be used."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from schemas.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy.

    Attributes:
        variable: the variable that names it.
        place: its host and port, without who logs in there.
    """

    variable: str
    place: str


def check_proxies(environment: Mapping[str, str]) -> None:
    """Raises unless every proxy variable can be used, whichever URL it is for.

    Raises:
        ConfigError: one names a SOCKS proxy or no URL, or an IPv6 network that needs no proxy; the
            message has its name and not its value, in which a password may be.
    """
    for kind in ("http", "https", "all"):
        variable = _variable(environment, kind)
        if variable is not None:
            _check_url(variable, environment[variable])
    without = _variable(environment, "no")
    for part in environment[without].split(",") if without else ():
        if _is_no_name(part.strip()):
            raise ConfigError(
                f"{without} names an IPv6 network, or an address in brackets, which the HTTP "
                "library does not take: name hosts, domains, or plain addresses"
            )


def proxy_of(url_scheme: str, host: str, environment: Mapping[str, str]) -> Proxy | None:
    """Returns the proxy that a request of that scheme to that host goes through, where one does."""
    without = _variable(environment, "no")
    if any(_is_of(host.lower(), part) for part in environment.get(without or "", "").split(",")):
        return None
    for kind in (url_scheme, "all"):
        variable = _variable(environment, kind)
        if variable is not None:
            return Proxy(variable, _split(environment[variable]).netloc.rpartition("@")[2])
    return None


def _is_of(host: str, part: str) -> bool:
    """Whether a host is one of a part of NO_PROXY: a name stands for all below it, too."""
    name = part.strip().lower()
    below = name if name.startswith(".") else f".{name}"
    return name == "*" or (bool(name) and (host == name or host.endswith(below)))


def _variable(environment: Mapping[str, str], kind: str) -> str | None:
    # Written small it goes before the same in capitals, as everywhere (Python's urllib, curl).
    small = f"{kind}_proxy"
    return next((name for name in (small, small.upper()) if environment.get(name)), None)


def _split(value: str) -> SplitResult:
    return urlsplit(value if "://" in value else f"http://{value}")


def _check_url(variable: str, value: str) -> None:
    scheme, is_url = "", True
    try:
        parts = _split(value)
        scheme, is_url = parts.scheme.lower(), bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_url = False
    if scheme.startswith("socks"):
        raise ConfigError(
            f"{variable} names a SOCKS proxy, which is not spoken here: name an HTTP proxy, "
            f"http://host:port, or unset {variable} for lumos-ingest"
        )
    if not is_url or scheme not in {"http", "https"}:
        raise ConfigError(f"{variable} is no proxy's URL: write http://host:port")


def _is_no_name(part: str) -> bool:
    if part.startswith("["):
        return True
    if not re.search("/", part) or ":" not in part or "://" in part:
        return False
    try:
        ipaddress.IPv6Network(part, strict=False)
    except ValueError:
        return False
    return True
