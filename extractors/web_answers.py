"""What a web server's answer says of a file, or why it is none."""

import os
import socket
import ssl
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx

from schemas.export_file import ExportFile

ABSENT = frozenset({404, 410})
"""The statuses of an answer that says that there is no such file."""

_REFUSED = frozenset({401, 403})
_UNKNOWN = -1


def described(answer: httpx.Response, key: str, name: str) -> ExportFile:
    """The file of an answer; its size and time are -1 where the answer does not say them."""
    written, length = answer.headers.get("last-modified"), answer.headers.get("content-length")
    modified_ns = _UNKNOWN
    if written:
        try:
            moment = parsedate_to_datetime(written)
            modified_ns = int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()) * 10**9
        except (ValueError, OverflowError):
            modified_ns = _UNKNOWN
    size_bytes = int(length) if length and length.isdecimal() else _UNKNOWN
    return ExportFile(key, name, size_bytes, modified_ns, answer.headers.get("etag", ""))


def refusal(answer: httpx.Response) -> str | None:
    """Why the answer is not the file; None where it is, or says that there is none."""
    status = answer.status_code
    if status in _REFUSED:
        return f"{status}: it refuses the credentials, or they may not read this"
    if answer.is_redirect:
        return f"{status}: a redirect is not followed: write the address it leads to"
    if answer.is_success or status in ABSENT:
        return None
    return f"{status} {answer.reason_phrase}".rstrip()


def failure(error: Exception) -> str:
    """What a request came to, in our own words: httpx's can quote what was sent."""
    if isinstance(error, httpx.InvalidURL):
        return "is no address"
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx.ProxyError):
        return "the proxy does not let it through"
    if isinstance(error, httpx.ConnectError):
        return _connect_reason(error)
    return "the connection was cut"


def _connect_reason(error: httpx.ConnectError) -> str:
    cause: BaseException | None = error
    while cause is not None:
        match cause:
            case ssl.SSLCertVerificationError():
                return (
                    f"the server's certificate is not trusted ({cause.verify_message}): is the "
                    "address right? Name a CA of your own in https.ca_file"
                )
            case ssl.SSLError():
                return "TLS could not be agreed on"
            case socket.gaierror():
                return "the host's name is not known"
            case OSError() if cause.errno:
                return f"cannot connect: {os.strerror(cause.errno)}"
        cause = cause.__cause__ or cause.__context__
    return "cannot connect"
