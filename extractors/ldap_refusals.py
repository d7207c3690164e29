"""Why there is no connection to a directory, in words that quote no name and no password."""

from typing import Any

from ldap3 import Connection

from extractors.ldap_errors import BUSY, result_text
from extractors.ldap_hosts import Endpoint
from schemas.directory_sources import DirectoryServer
from schemas.errors import SourceUnavailableError


class BindRefusedError(SourceUnavailableError):
    """The server answers, and takes neither this name nor this password.

    Never tried again, nor elsewhere: each try counts towards locking the account.
    """

    retryable = False


def refusal_of(refused: dict[str, Any], endpoint: Endpoint) -> SourceUnavailableError:
    """The error of a bind that was answered with the result `refused`."""
    code = int(refused.get("result", -1))
    text = f"{endpoint}: the bind was refused: {result_text(code, refused.get('message') or '')}"
    return SourceUnavailableError(text) if code in BUSY else BindRefusedError(text)


def ticket_errors(source: DirectoryServer) -> tuple[type[Exception], ...]:
    """What else is raised where a login with a Kerberos ticket comes to nothing."""
    if source.authentication != "gssapi":
        return ()
    from gssapi.exceptions import GSSError  # noqa: PLC0415 - an extra

    return (GSSError,)


def reason_of(error: Exception, endpoint: Endpoint, connection: Connection) -> str:
    """Why no connection came about, without the text of ldap3, which can quote a name."""
    plain = _plain_reason(error, endpoint)
    if plain is not None:
        return plain
    started = (connection.result or {}).get("result")
    if started:
        return f"the server refused: {result_text(int(started))}"
    text = connection.last_error or ""
    for said, meant in (
        ("refused", "nothing answers there"),
        ("timed out", "no answer in time"),
        ("No such file", "there is no such socket"),
        ("unreachable", "there is no way to it"),
        ("mechanism", "the server does not take this way of authentication"),
    ):
        if said.lower() in text.lower():
            return meant
    name = type(error).__name__
    what = "TLS" if endpoint.protocol in {"ldaps", "starttls"} else "the connection"
    return f"{what} was not to be had ({name})"


def _plain_reason(error: Exception, endpoint: Endpoint) -> str | None:
    """What the kind of the error says by itself; None where it does not."""
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
