"""A bound connection to a directory, for reading only: hosts tried in order, TLS first."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ldap3 import (
    ANONYMOUS,
    DIGEST_MD5,
    EXTERNAL,
    KERBEROS,
    NONE,
    PLAIN,
    SASL,
    SIMPLE,
    SYNC,
    Connection,
    Server,
)
from ldap3.core.exceptions import LDAPException

from extractors.directory.ldap.protocol.hosts import (
    Endpoint,
    FindControllers,
    addresses_of,
    controllers_by_dns,
    endpoints_of,
)
from extractors.directory.ldap.protocol.result_codes import BUSY, result_text
from extractors.directory.ldap.protocol.tls import VerifiedTls, to_context
from extractors.optional_parts import install_extra, loaded
from schemas.errors import ConfigError, SourceUnavailableError, raise_as
from schemas.source_file.kinds.directory_source import ActiveDirectorySource, DirectoryServer
from schemas.source_file.secrets import Resolve

_PLAIN_PORTS, _TLS_PORTS = (389, 3268), (636, 3269)
_WRONG_NAME = 49


class BindRefusedError(SourceUnavailableError):
    """The server answers, and takes neither this name nor this password.

    Never tried again, nor elsewhere: each try counts towards locking the account.
    """

    retryable = False


@dataclass(frozen=True, slots=True)
class _Login:
    """The source, TLS and credentials of a connection; its text has none of them."""

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
    """Binds a connection to the first host that answers, and says which; closed at the end.

    Raises:
        ConfigError: the file asks for what cannot be, or would send a password in the clear.
        SourceUnavailableError: no host answers, or the bind is refused.
    """
    connection, endpoint = _first_that_answers(source, workspace, resolve, find_controllers)
    try:
        yield connection, endpoint
    finally:
        _close(connection)


def reopen(connection: Connection, source: DirectoryServer, endpoint: Endpoint) -> None:
    """Binds `connection` anew, to the same address.

    Raises:
        SourceUnavailableError: the server does not answer any more, or refuses the bind.
    """
    _close(connection)

    def failed(error: Exception) -> SourceUnavailableError:
        return SourceUnavailableError(f"{endpoint}: {reason_of(error, endpoint, connection)}")

    errors = (LDAPException, OSError, UnicodeError, *ticket_errors(source))
    if not raise_as(lambda: _open(connection, source), dict.fromkeys(errors, failed)):
        raise refusal_of(dict(connection.result or {}), endpoint, source)


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
    """Raises where a password would go over a line that others can read."""
    shows = source.authentication in {"simple", "plain"} and source.protocol == "ldap"
    if shows and not endpoint.is_loopback and not source.allow_plaintext:
        raise ConfigError(
            f"ldap would send the password to {endpoint.host} in the clear: "
            "say ldaps or starttls, or allow_plaintext: true",
            key="source.protocol",
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
    connection = _to_connection(login, server, endpoint)

    def failed(error: Exception) -> SourceUnavailableError:
        reason = (tls.problem if tls else None) or reason_of(error, endpoint, connection)
        hint = "" if _answers_nothing(error, connection) else port_hint(endpoint, reason)
        _close(connection)
        return SourceUnavailableError(f"{endpoint}: {reason}{hint}")

    errors = (LDAPException, OSError, UnicodeError, *ticket_errors(source))
    is_bound = raise_as(lambda: _open(connection, source), dict.fromkeys(errors, failed))
    if not is_bound:
        refused = dict(connection.result or {})
        _close(connection)
        raise refusal_of(refused, endpoint, source)
    return connection


def _to_connection(login: _Login, server: Server, endpoint: Endpoint) -> Connection:
    """Returns a connection to the server, for reading only; nothing is sent yet."""
    credentials = dict(login.credentials)
    if credentials.get("sasl_mechanism") == KERBEROS:
        credentials["sasl_credentials"] = (endpoint.host,)
    return Connection(
        server,
        **credentials,
        client_strategy=SYNC,
        read_only=True,
        auto_referrals=False,
        auto_range=False,
        check_names=False,
        return_empty_attributes=False,
        receive_timeout=server.connect_timeout,
    )


def _open(connection: Connection, source: DirectoryServer) -> bool:
    """Whether the bind was taken."""
    connection.open(read_server_info=False)
    if source.protocol == "starttls":
        connection.start_tls(read_server_info=False)
    if not connection.bind(read_server_info=False):
        return False
    connection.socket.settimeout(source.idle_timeout.total_seconds())
    return True


def _close(connection: Connection) -> None:
    """Unbinds where the server is still there, and closes the socket in any case."""
    try:
        if not connection.closed:
            connection.unbind()
    except (LDAPException, OSError):
        pass  # the server has gone first
    if connection.socket is not None:
        connection.socket.close()


def credentials_of(source: DirectoryServer, resolve: Resolve) -> dict[str, Any]:
    """Returns what ldap3 binds with.

    DIGEST-MD5 and PLAIN take a plain name, GSSAPI the host's own.
    """
    password = resolve(source.password).get_secret_value() if source.password else None
    match source.authentication:
        case "anonymous":
            return {"authentication": ANONYMOUS}
        case "simple":
            return {"authentication": SIMPLE, "user": source.username, "password": password}
        case "plain":
            sasl: Any = (None, source.username, password)
            return {"authentication": SASL, "sasl_mechanism": PLAIN, "sasl_credentials": sasl}
        case "digest-md5":
            sasl = (None, source.username, password, None)
            return {"authentication": SASL, "sasl_mechanism": DIGEST_MD5, "sasl_credentials": sasl}
        case "external":
            return {"authentication": SASL, "sasl_mechanism": EXTERNAL, "sasl_credentials": ""}
        case "gssapi":
            loaded(
                _gssapi,
                "gssapi",
                f"{install_extra('kerberos')}, after gcc, python3-dev and libkrb5-dev",
                key="source.authentication",
            )
            return {
                "authentication": SASL,
                "sasl_mechanism": KERBEROS,
                "user": source.username,
            }


def _gssapi() -> Any:  # noqa: ANN401 - a module
    import gssapi

    return gssapi


def refusal_of(
    refused: dict[str, Any], endpoint: Endpoint, source: DirectoryServer
) -> SourceUnavailableError:
    """Returns the error of a bind that was answered with the result `refused`."""
    code = int(refused.get("result", -1))
    is_bare = not set(source.username or "@") & set("@\\=")
    domain_hint = (
        "; Active Directory wants the name with its domain: name@corp.example, or CORP\\name"
        if is_bare and code == _WRONG_NAME and isinstance(source, ActiveDirectorySource)
        else ""
    )
    text = f"{endpoint}: the bind was refused: {result_text(code, refused.get('message') or '')}"
    text += domain_hint
    return SourceUnavailableError(text) if code in BUSY else BindRefusedError(text)


def ticket_errors(source: DirectoryServer) -> tuple[type[Exception], ...]:
    """Returns what else is raised where a login with a Kerberos ticket fails."""
    if source.authentication != "gssapi":
        return ()
    from gssapi.exceptions import GSSError

    return (GSSError,)


def reason_of(error: Exception, endpoint: Endpoint, connection: Connection) -> str:
    """Returns why there is no connection, without the text of ldap3, which can quote a name."""
    plain = _plain_reason(error, endpoint)
    if plain is not None:
        return plain
    started = (connection.result or {}).get("result")
    if started and endpoint.protocol == "starttls":
        return f"the server has no STARTTLS: say protocol: ldaps ({result_text(int(started))})"
    if started:
        return f"the server refused: {result_text(int(started))}"
    text = connection.last_error or ""
    for part, reason in (
        ("refused", "nothing answers there"),
        ("timed out", "no answer in time"),
        ("No such file", "there is no such socket"),
        ("unreachable", "there is no way to it"),
        ("mechanism", "the server does not take this way of authentication"),
    ):
        if part.lower() in text.lower():
            return reason
    name = type(error).__name__
    what = "TLS" if endpoint.protocol in {"ldaps", "starttls"} else "the connection"
    return f"{what} was not to be had ({name})"


def _answers_nothing(error: Exception, connection: Connection) -> bool:
    return isinstance(error, ConnectionRefusedError) or "refused" in (connection.last_error or "")


def port_hint(endpoint: Endpoint, reason: str) -> str:
    """Returns what to write where a port that does answer may be the one of another protocol."""
    if "certificate" in reason or "protocol:" in reason or endpoint.protocol == "ldapi":
        return ""
    if endpoint.protocol == "ldaps":
        known = f"port {endpoint.port} is" if endpoint.port in _PLAIN_PORTS else "if that port is"
        return f": {known} one of ldap and STARTTLS: say protocol: starttls, or port: 636"
    known = f"port {endpoint.port} is" if endpoint.port in _TLS_PORTS else "if that port is"
    return f": {known} one of ldaps: say protocol: ldaps, or port: 389"


def _plain_reason(error: Exception, endpoint: Endpoint) -> str | None:
    """Returns the reason that the kind of the error shows by itself; None where it does not."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "nothing answers there"
    if isinstance(error, UnicodeError):
        return "username or password has a character that cannot be sent"
    if type(error).__module__.startswith("gssapi"):
        return (
            f"no Kerberos ticket for ldap/{endpoint.host} was to be had: run kinit, and see that "
            "the domain knows the server by this name"
        )
    return None
