"""Where a directory answers: the hosts of a source in order, a domain's controllers by DNS."""

import ipaddress
import random
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import SourceUnavailableError, raise_as
from schemas.network.loopback import is_loopback
from schemas.source_file.kinds.directory_source import ActiveDirectorySource, DirectoryServer

if TYPE_CHECKING:
    import dns.resolver

_LOOKUP_S = 5
_PLAIN_PORT, _TLS_PORT = 389, 636

FindControllers = Callable[[str], list[str]]
"""The controllers of a domain by preference; none where the name is no domain's."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One server.

    Attributes:
        host: its name, which its certificate must carry; for ldapi the path of its socket.
        port: its port; 0 for ldapi.
        protocol: as in the source.
    """

    host: str
    port: int
    protocol: str

    def __str__(self) -> str:
        if self.protocol == "ldapi":
            return f"ldapi {self.host}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "ldaps" if self.protocol == "ldaps" else "ldap"
        return f"{scheme}://{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether what is sent to it never leaves this machine."""
        return self.protocol == "ldapi" or is_loopback(self.host)


def endpoints_of(source: DirectoryServer, find_controllers: FindControllers) -> list[Endpoint]:
    """Returns the servers of `source`, in the order in which they are tried."""
    hosts: list[str] = []
    for host in source.hosts:
        is_domain = isinstance(source, ActiveDirectorySource) and not _is_address(host)
        hosts += (find_controllers(host) if is_domain else []) or [host]
    if source.protocol == "ldapi":
        return [Endpoint(host, 0, "ldapi") for host in hosts]
    port = source.port or (_TLS_PORT if source.protocol == "ldaps" else _PLAIN_PORT)
    return [Endpoint(host, port, source.protocol) for host in hosts]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." not in host
    return True


def controllers_by_dns(domain: str, resolver: "dns.resolver.Resolver | None" = None) -> list[str]:
    """Looks up the controllers that DNS names for `domain`: by priority, then by lot, by weight.

    None where it names none: `domain` is then a host's name. Record: Microsoft, "How DNS support
    for Active Directory works", read 2026-08.
    """
    import dns.exception
    import dns.resolver

    name = f"_ldap._tcp.dc._msdcs.{domain.rstrip('.')}."
    try:
        resolver = resolver or dns.resolver.get_default_resolver()
        records = resolver.resolve(name, "SRV", lifetime=_LOOKUP_S)
    except (dns.exception.DNSException, OSError):
        return []
    # RFC 2782: the greater its weight, the likelier a server comes first among its priority.
    ranked = sorted(
        records,
        key=lambda srv: (srv.priority, random.random() ** (1 / max(srv.weight, 0.001)) * -1),  # noqa: S311 - spreads load
    )
    return [str(srv.target).rstrip(".") for srv in ranked]


def addresses_of(endpoint: Endpoint) -> list[str]:
    """Looks up the addresses of an endpoint's host, in the system's order.

    Raises:
        SourceUnavailableError: its name is not known.
    """

    def unknown(error: Exception) -> SourceUnavailableError:
        reason = getattr(error, "strerror", None) or "no name of a host"
        return SourceUnavailableError(f"{endpoint}: {reason}")

    infos = raise_as(
        lambda: socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM),
        dict.fromkeys((OSError, UnicodeError), unknown),
    )
    return list(dict.fromkeys(str(info[4][0]) for info in infos))
