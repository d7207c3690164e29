"""What a failed request came to, in our own words: the libraries' can quote what was sent."""

import os
import socket
import ssl
from typing import TypeVar

import httpx

from loaders.answers import pause_asked_s
from loaders.retries import Outage
from schemas.errors import LumosRefusedError

_Cause = TypeVar("_Cause", bound=BaseException)

_TOO_MANY = 429
_STAYS = frozenset({501, 505})
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


def network_outage(error: httpx.TransportError, request_name: str) -> Outage:
    """The outage that a network error means."""
    is_outcome_known = isinstance(error, _NOT_SENT) or _changes_nothing(request_name)
    url = error.request.url
    where = f"{request_name} at {url.scheme}://{url.netloc.decode()}"
    return Outage(f"{where}: {_reason(error)}", None, is_outcome_known)


def is_outage(response: httpx.Response) -> bool:
    """Whether the answer tells of a trouble that may pass: 429, or 5xx but for two that stay."""
    status = response.status_code
    return status == _TOO_MANY or (response.is_server_error and status not in _STAYS)


def status_outage(response: httpx.Response, request_name: str) -> Outage:
    """The outage that an answer tells of; a 429 says that nothing was done, a 5xx does not."""
    reason = f"{request_name}: {response.status_code} {response.reason_phrase}".rstrip()
    is_outcome_known = response.status_code == _TOO_MANY or _changes_nothing(request_name)
    return Outage(reason, pause_asked_s(response), is_outcome_known)


def certificate_refusal(error: httpx.TransportError, request_name: str) -> LumosRefusedError | None:
    """The refusal of a certificate that is not trusted, which no retry mends; None for others."""
    found = _cause(error, ssl.SSLCertVerificationError)
    if found is None:
        return None
    return LumosRefusedError(
        f"{request_name}: the server's certificate is not trusted ({found.verify_message}): is"
        " LUMOS_API_URL right? If a proxy of your own stands between, name its CA file in"
        " SSL_CERT_FILE"
    )


def _changes_nothing(request_name: str) -> bool:
    return request_name.startswith("GET ")


def _reason(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return "no connection in time"
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx.ProxyError):
        return "the proxy does not let it through"
    if isinstance(error, httpx.ConnectError):
        return f"cannot connect{_system_reason(error)}"
    return "the connection was cut"


def _system_reason(error: httpx.TransportError) -> str:
    if _cause(error, socket.gaierror) is not None:
        return ": the host's name is not known"
    if _cause(error, ssl.SSLError) is not None:
        return ": TLS could not be agreed on"
    found = _cause(error, OSError)
    return f": {os.strerror(found.errno)}" if found is not None and found.errno else ""


def _cause(error: BaseException, kind: type[_Cause]) -> _Cause | None:
    """The nearest error of that kind among the causes; None where there is none."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, kind):
        found = found.__cause__ or found.__context__
    return found
