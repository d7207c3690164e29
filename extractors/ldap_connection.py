"""A bound connection to a directory, for reading only: hosts tried in order, TLS first."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ldap3 import KERBEROS, NONE, SYNC, Connection, Server
from ldap3.core.exceptions import LDAPException

from extractors.ldap_credentials import credentials_of
from extractors.ldap_hosts import (
    Endpoint,
    FindControllers,
    addresses_of,
    controllers_by_dns,
    endpoints_of,
)
from extractors.ldap_refusals import BindRefusedError, reason_of, refusal_of, ticket_errors
from extractors.ldap_tls import VerifiedTls, to_context
from schemas.directory_sources import DirectoryServer
from schemas.errors import ConfigError, SourceUnavailableError
from schemas.secrets import Resolve


@dataclass(frozen=True, slots=True)
class _Login:
    """What a connection is made with; `password` is not part of its text."""

    source: DirectoryServer
    context: ssl.SSLContext | None
    credentials: dict[str, Any]

    def __repr__(self) -> str:
        return f"_Login({self.source.authentication})"


@contextmanager
def connected(
    source: DirectoryServer,
    workspace: Path,
    resolve: Resolve,
    *,
    find_controllers: FindControllers = controllers_by_dns,
) -> Iterator[tuple[Connection, Endpoint]]:
    """A bound connection to the first host that answers, and which that is; closed at the end.

    Raises:
        ConfigError: the file asks for what cannot be, or would send a password in the clear.
        SourceUnavailableError: no host answers, or the bind is refused.
    """
    connection, endpoint = _first_that_answers(source, workspace, resolve, find_controllers)
    try:
        yield connection, endpoint
    finally:
        _close(connection)


def _first_that_answers(
    source: DirectoryServer,
    workspace: Path,
    resolve: Resolve,
    find_controllers: FindControllers,
) -> tuple[Connection, Endpoint]:
    secured = source.protocol in {"ldaps", "starttls"}
    login = _Login(
        source, to_context(source, workspace) if secured else None, credentials_of(source, resolve)
    )
    problems = []
    for endpoint in endpoints_of(source, find_controllers):
        _check_secured(source, endpoint)
        try:
            return _to_endpoint(login, endpoint), endpoint
        except BindRefusedError:
            raise
        except SourceUnavailableError as error:
            problems.append(str(error))
    raise SourceUnavailableError("; ".join(problems))


def _check_secured(source: DirectoryServer, endpoint: Endpoint) -> None:
    """Refuses to send a password over a line that others can read."""
    shows = source.authentication in {"simple", "plain"} and source.protocol == "ldap"
    if shows and not endpoint.is_loopback and not source.allow_plaintext:
        raise ConfigError(
            f"source.protocol: ldap would send the password to {endpoint.host} in the clear: "
            "say ldaps or starttls, or allow_plaintext: true"
        )


def _to_endpoint(login: _Login, endpoint: Endpoint) -> Connection:
    if endpoint.protocol == "ldapi":
        return _bound(login, endpoint, f"ldapi://{endpoint.host}")
    problems: list[str] = []
    for address in addresses_of(endpoint):
        try:
            return _bound(login, endpoint, address)
        except BindRefusedError:
            raise
        except SourceUnavailableError as error:
            problems.append(str(error))
    raise SourceUnavailableError("; ".join(dict.fromkeys(problems)))


def _bound(login: _Login, endpoint: Endpoint, address: str) -> Connection:
    source = login.source
    timeout_s = max(1, int(source.connect_timeout.total_seconds()))
    tls = VerifiedTls(login.context, endpoint.host) if login.context else None
    server = Server(
        address,
        port=endpoint.port or None,
        use_ssl=source.protocol == "ldaps",
        tls=tls,
        get_info=NONE,
        connect_timeout=timeout_s,
    )
    credentials = dict(login.credentials)
    if credentials.get("sasl_mechanism") == KERBEROS:
        credentials["sasl_credentials"] = (endpoint.host,)
    connection = Connection(
        server,
        **credentials,
        client_strategy=SYNC,
        read_only=True,
        auto_referrals=False,
        auto_range=False,
        check_names=False,
        return_empty_attributes=False,
        receive_timeout=timeout_s,
    )
    problem = None
    try:
        if _open(connection, starttls=source.protocol == "starttls"):
            idle_s = source.idle_timeout.total_seconds()
            connection.socket.settimeout(idle_s)
            return connection
    except (LDAPException, OSError, UnicodeError, *ticket_errors(source)) as error:
        problem = (tls.problem if tls else None) or reason_of(error, endpoint, connection)
    refused = dict(connection.result or {})
    _close(connection)
    if problem:
        raise SourceUnavailableError(f"{endpoint}: {problem}")
    raise refusal_of(refused, endpoint)


def _open(connection: Connection, *, starttls: bool) -> bool:
    """Whether the bind was taken."""
    connection.open(read_server_info=False)
    if starttls:
        connection.start_tls(read_server_info=False)
    return bool(connection.bind(read_server_info=False))


def _close(connection: Connection) -> None:
    """Says goodbye where there is still somebody, and closes the socket in any case."""
    try:
        if not connection.closed:
            connection.unbind()
    except (LDAPException, OSError):
        pass  # the server has gone first
    if connection.socket is not None:
        connection.socket.close()
