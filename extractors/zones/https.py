"""A web server that one export is fetched from, through httpx: TLS verified, nothing redirected."""

import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import NoReturn

import httpx

from extractors.zones.private_file import open_private
from extractors.zones.web import trusted_by, web_client
from schemas.errors import (
    ConfigError,
    SourceFormatError,
    SourceIncompleteError,
    SourceUnavailableError,
)
from schemas.export_file import ExportFile
from schemas.source_file.secrets import Resolve
from schemas.source_file.zones.logins import HttpsZone
from schemas.source_file.zones.urls import ZoneUrl

ABSENT = frozenset({404, 410})
"""The statuses of an answer that says that there is no such file."""

_REFUSED = frozenset({401, 403})
_UNKNOWN = -1
_BLOCK = 1 << 20
_MOST_READ = 16 << 20


@dataclass(frozen=True, slots=True)
class WebZone:
    """Files by their address.

    Attributes:
        client: logged in, if at all.
        base: the server's address.
        most_bytes: a larger file is not fetched: nobody says how long it goes on.
    """

    client: httpx.Client
    base: str
    most_bytes: int = 64 << 30

    def matches(self, address: str) -> list[ExportFile]:
        """Returns the file of that address; a web server lists none."""
        file = self.look_at(address)
        return [file] if file else []

    def look_at(self, key: str) -> ExportFile | None:
        """Returns the file as the head of an answer describes it; None where none is there.

        Not by HEAD: many servers refuse it, or answer it otherwise.

        Raises:
            SourceUnavailableError: the server cannot be reached, or refuses.
        """
        with self._answer(key) as answer:
            return None if answer.status_code in ABSENT else to_file(answer, key, self._name(key))

    def fetch(self, file: ExportFile, folder: Path) -> Path:
        """Makes a private copy of the whole file, the one that was found.

        Raises:
            SourceUnavailableError: the server cannot be reached, or refuses.
            SourceIncompleteError: it was replaced or cut off meanwhile, or its end cannot be told.
            SourceFormatError: it goes on and on.
        """
        target = folder / f"fetched{Path(self._name(file.key)).suffix}"
        with self._answer(file.key) as answer:
            is_same = to_file(answer, file.key, file.name) == file
            if answer.status_code in ABSENT or not is_same:
                raise SourceIncompleteError(f"{file.name}: changed while it was read: run again")
            has_end = "content-length" in answer.headers or "transfer-encoding" in answer.headers
            if not has_end:
                raise SourceIncompleteError(
                    f"{file.name}: the server does not say how long it is: a cut would not be seen"
                )
            with open_private(target) as out:
                # As it was sent: a .gz may also be announced as a content coding.
                for block in answer.iter_raw(_BLOCK):
                    out.write(block)
                    if out.tell() > self.most_bytes:
                        raise SourceFormatError(
                            f"{file.name}: is larger than {self.most_bytes:,} bytes: no export is"
                        )
        return target

    def read(self, key: str) -> bytes | None:
        """Returns the content of a small file; None where none is there, or it is not small.

        Raises:
            SourceUnavailableError: the server cannot be reached, or refuses.
        """
        content = bytearray()
        with self._answer(key) as answer:
            for block in answer.iter_raw():
                content += block
                if len(content) > _MOST_READ:
                    return None
            return None if answer.status_code in ABSENT else bytes(content)

    def move(self, file: ExportFile, _folder: str) -> NoReturn:
        """Refused: a web server moves nothing.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(f"{file.name}: a web server moves no files: leave archive_to out")

    def close(self) -> None:
        """Ends the connections."""
        self.client.close()

    def _name(self, key: str) -> str:
        return f"{self.base}/{key.partition('?')[0]}"

    @contextmanager
    def _answer(self, key: str) -> Iterator[httpx.Response]:
        """Gets an answer that is the file or says that there is none; its body is not read yet."""
        name, problem, is_begun = self._name(key), None, False
        try:
            with self.client.stream("GET", f"{self.base}/{key}") as answer:
                problem = refusal(answer)
                if problem is None:
                    is_begun = True
                    yield answer
        except (httpx.TransportError, httpx.InvalidURL) as error:
            problem = failure(error)
        if problem and is_begun:
            raise SourceIncompleteError(f"{name}: {problem} half-way: run again")
        if problem:
            raise SourceUnavailableError(f"{name}: {problem}")


def open_web_zone(
    url: ZoneUrl, login: HttpsZone, workspace: Path, resolve: Resolve, timeout_s: float = 60
) -> WebZone:
    """Returns the server of the URL; nothing is sent yet.

    Raises:
        ConfigError: a secret or the CA file is not in its place, or is no such thing.
    """
    headers = {"Accept-Encoding": "identity"}
    auth = None
    if login.token:
        token = resolve(login.token).get_secret_value()
        if not (token.isascii() and token.isprintable()):
            raise ConfigError("has characters in it that no token has", key="https.token")
        headers["Authorization"] = f"Bearer {token}"
    elif login.username and login.password:
        auth = httpx.BasicAuth(login.username, resolve(login.password).get_secret_value())
    client = web_client(
        url.base,
        trusted_by(workspace, login.ca_file, "https.ca_file"),
        headers=headers,
        auth=auth,
        timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, 10)),
    )
    return WebZone(client, url.base)


def to_file(answer: httpx.Response, key: str, name: str) -> ExportFile:
    """Returns the file of an answer; size and time are -1 where the answer has none."""
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
    """Returns why the answer is not the file; None where it is, or says that there is none."""
    status = answer.status_code
    if status in _REFUSED:
        return f"{status}: it refuses the credentials, or they may not read this"
    if answer.is_redirect:
        return f"{status}: a redirect is not followed: write the address it leads to"
    if answer.is_success or status in ABSENT:
        return None
    return f"{status} {answer.reason_phrase}".rstrip()


def failure(error: Exception, ca_key: str = "https.ca_file") -> str:
    """Returns why a request failed, in words of ours: httpx's can quote what was sent.

    `ca_key` is the key of the source file that names authorities of one's own.
    """
    if isinstance(error, httpx.InvalidURL):
        return "is no address"
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx.ProxyError):
        return "the proxy does not let it through"
    if isinstance(error, httpx.ConnectError):
        return _connect_reason(error, ca_key)
    return "the connection was cut"


def _connect_reason(error: httpx.ConnectError, ca_key: str) -> str:
    cause: BaseException | None = error
    while cause is not None:
        match cause:
            case ssl.SSLCertVerificationError():
                return (
                    f"the server's certificate is not trusted ({cause.verify_message}): is the "
                    f"address right? Name a CA of your own in {ca_key}"
                )
            case ssl.SSLError():
                return "TLS could not be agreed on"
            case socket.gaierror():
                return "the host's name is not known"
            case OSError() if cause.errno:
                return f"cannot connect: {os.strerror(cause.errno)}"
        cause = cause.__cause__ or cause.__context__
    return "cannot connect"
