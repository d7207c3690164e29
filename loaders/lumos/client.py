"""The Lumos API: one client, every request with timeouts and retries, no value in an error."""

import contextlib
import importlib.metadata
import io
import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import httpx
from pydantic import SecretStr

from loaders.lumos.rate import RateBudget
from loaders.lumos.responses import decoded, not_lumos, refusal_text
from loaders.lumos.retries import (
    Outage,
    Retry,
    answer_with_retries,
    certificate_refusal,
    is_outage,
    network_outage,
    status_outage,
)
from schemas.errors import ConfigError, LumosRefusedError, StateError, raise_as
from schemas.network.loopback import is_loopback
from schemas.network.proxies import check_proxies, proxy_of

# What the API's URL and token must be before anything is sent with them.


def check_api_url(api_url: str) -> str:
    """The URL, if a token may be sent there.

    Raises:
        ConfigError: no scheme or host, a user or a password, a query, or plain HTTP to another
            machine.
    """
    url = None
    with contextlib.suppress(httpx.InvalidURL):
        url = httpx.URL(api_url)
    if url is None or url.scheme not in {"http", "https"} or not url.host:
        raise ConfigError("LUMOS_API_URL is not a URL: write it as https://api.lumos.com")
    if url.userinfo:
        raise ConfigError("LUMOS_API_URL holds a user or a password: only LUMOS_API_TOKEN is sent")
    if url.query or url.fragment:
        raise ConfigError("LUMOS_API_URL has a query: end it with the host or a path")
    if url.scheme == "http" and not is_loopback(url.host):
        raise ConfigError(
            f"LUMOS_API_URL is plain http to {url.host}: the token would travel in clear; use https"
        )
    return api_url


def check_token(token: SecretStr) -> str:
    """The token, if it can stand in a header; HTTP libraries quote one that cannot in their errors.

    Raises:
        ConfigError: empty, or with blanks, line breaks or letters outside ASCII.
    """
    text = token.get_secret_value()
    if not text:
        raise ConfigError("LUMOS_API_TOKEN is empty: make a token under Settings, API Tokens")
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ConfigError("LUMOS_API_TOKEN holds a blank, a line break or a letter no token has")
    return text


_log = logging.getLogger(__name__)

__all__ = ["Check", "LumosApi", "Params", "Retry"]

Params = Mapping[str, str | int | bool]

Check = Callable[[], None]
"""Called right before each attempt of a request that changes something, retries too, and once more
before the last part of its body leaves.

It raises where nothing more may be sent: whoever lost its lease sends nothing more. A request whose
last part is held back never takes effect: a process that is suspended while it sends does no harm
when it wakes.
"""


def _always() -> None:
    """The check of a request that only reads."""


TIMEOUT = httpx.Timeout(connect=10.0, read=120.0, write=120.0, pool=10.0)
_RETRY = Retry()
_PART_SIZE = 65_536


class LumosApi:
    """One connection's worth of the Lumos API. Nothing connects before the first request."""

    def __init__(
        self,
        api_url: str,
        token: SecretStr,
        *,
        transport: httpx.BaseTransport | None = None,
        retry: Retry = _RETRY,
        timeout: httpx.Timeout = TIMEOUT,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepares the client.

        Args:
            api_url: where the API is, with a path prefix where it has one.
            token: the bearer token.
            transport: in place of the network.
            retry: how long an outage is borne.
            timeout: seconds for a connection, for each read and each write.
            clock: seconds, only ever growing.
            sleep: waits for so many seconds.

        Raises:
            ConfigError: the URL or the token cannot be used, or what the environment says of
                proxies and certificates.
        """
        version = importlib.metadata.version("lumos-ingest")
        url = httpx.URL(check_api_url(api_url))
        # What goes to this machine goes through no proxy, whatever the environment says.
        is_direct = transport is not None or is_loopback(url.host)
        if not is_direct:
            check_proxies(os.environ)
        self._proxy = None if is_direct else proxy_of(url.scheme, url.host, os.environ)
        headers = {
            "Authorization": f"Bearer {check_token(token)}",
            "Accept": "application/json",
            "User-Agent": f"lumos-ingest/{version}",
        }
        self._client = _trusting(
            lambda: httpx.Client(
                base_url=url,
                headers=headers,
                timeout=timeout,
                transport=transport or (httpx.HTTPTransport() if is_direct else None),
                follow_redirects=False,
            )
        )
        self._retry = retry
        self._clock = clock
        self._sleep = sleep
        self.rate = RateBudget(clock, sleep)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def get(self, path: str, params: Params | None = None) -> Any:  # noqa: ANN401
        """The decoded JSON of a GET.

        Raises:
            LumosUnavailableError: unreachable, cut, slow, 429 or 5xx, to the end of the retries.
            LumosRefusedError: any other status than 2xx; an answer that is not JSON; a certificate
                that is not trusted.
        """
        return self._answer("GET", path, params=params)

    def post(
        self,
        path: str,
        json_body: object,
        *,
        check: Check,
        repeat_unknown: bool = True,
    ) -> Any:  # noqa: ANN401 - JSON holds anything
        """The decoded JSON of a POST of `json_body`.

        Args:
            path: after the API's URL.
            json_body: what is sent, as JSON.
            check: see `Check`.
            repeat_unknown: whether to send it again where it may have had its effect.

        Raises:
            LumosUnavailableError: as `get`, or the effect is not known and must not come twice.
            LumosRefusedError: as `get`.
            BusyError: as `check` raises it; nothing is sent then.
        """
        body = json.dumps(json_body, ensure_ascii=False, allow_nan=False).encode()
        return self._answer("POST", path, body=body, check=check, repeat_unknown=repeat_unknown)

    def post_file(self, path: str, body: Path, *, check: Check) -> Any:  # noqa: ANN401
        """The decoded JSON of a POST of a file of JSON, streamed, with its length told first.

        It is sent again even where it may have been taken: an upload is a snapshot, and every
        attempt sends the same bytes, so that the second changes nothing.

        Raises:
            LumosUnavailableError: as `get`.
            LumosRefusedError: as `get`.
            BusyError: as `check` raises it; nothing is sent then.
            StateError: the file cannot be read.
        """
        return self._answer("POST", path, body=body, check=check)

    def post_bytes(self, path: str, body: bytes, *, check: Check) -> Any:  # noqa: ANN401
        """The decoded JSON of a POST of JSON that is encoded already.

        It is sent again even where it may have been taken: of activity records, Lumos keeps the
        newest moment, so that the same bytes a second time change nothing.

        Raises:
            LumosUnavailableError: as `get`.
            LumosRefusedError: as `get`.
            BusyError: as `check` raises it; nothing is sent then.
        """
        return self._answer("POST", path, body=body, check=check)

    def _answer(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: bytes | Path | None = None,
        check: Check = _always,
        repeat_unknown: bool = True,
    ) -> Any:  # noqa: ANN401 - JSON holds anything
        name = f"{method} {path}"

        def attempt() -> httpx.Response | Outage:
            with self.rate.request():
                check()
                with _opened(body) as content:
                    sent = None if content is None else _to_body(content, check)
                    return self._sent(method, path, params, sent)

        response = answer_with_retries(
            attempt,
            self._retry,
            may_repeat=lambda outage: repeat_unknown or outage.is_outcome_known,
            clock=self._clock,
            sleep=self._sleep,
        )
        if not response.is_success:
            text = refusal_text(response, name, _size_of(body))
            raise LumosRefusedError(text, response.status_code)
        answer = decoded(response)
        if answer is None:
            raise not_lumos(name)
        return answer

    def _sent(
        self, method: str, path: str, params: Params | None, body: "_Body | None"
    ) -> httpx.Response | Outage:
        name = f"{method} {path}"
        outage, refusal = None, None
        try:
            response = self._client.request(
                method,
                path,
                params=params,
                content=body.parts if body else None,
                headers=body.headers if body else None,
            )
        except httpx.TransportError as error:
            outage = network_outage(error, method, path, self._proxy)
            refusal = certificate_refusal(error, name)
        except httpx.DecodingError:
            refusal = not_lumos(name)
        if refusal is not None:
            raise refusal
        if outage is not None:
            return outage
        if is_outage(response):
            failed = status_outage(response, method, path)
            self.rate.hold_back(failed.pause_asked_s, self._retry.time_limit_s)
            return failed
        self.rate.note(response)
        return response


def _trusting(make: Callable[[], httpx.Client]) -> httpx.Client:
    """Makes a client, which loads the certificates that the environment names.

    Raises:
        ConfigError: there are none.
    """
    variable = "SSL_CERT_FILE" if os.environ.get("SSL_CERT_FILE") else "SSL_CERT_DIR"
    unusable = ConfigError(
        f"{variable} names no certificates that can be read: name a file in PEM, or unset it"
    )
    return raise_as(make, {OSError: lambda _: unusable})


@dataclass(frozen=True, slots=True)
class _Body:
    """What one attempt sends: its parts, and the headers that say what they are."""

    parts: Iterator[bytes]
    headers: dict[str, str]


def _to_body(content: BinaryIO, check: Check) -> _Body:
    size = content.seek(0, os.SEEK_END)
    content.seek(0)
    headers = {"Content-Type": "application/json", "Content-Length": str(size)}
    return _Body(_guarded(content, check), headers)


def _guarded(content: BinaryIO, check: Check) -> Iterator[bytes]:
    """The body part by part; what would make it whole only once `check` has let it pass."""
    part = content.read(_PART_SIZE)
    while following := content.read(_PART_SIZE):
        yield part
        part = following
    check()
    yield part


def _size_of(body: bytes | Path | None) -> int:
    return body.stat().st_size if isinstance(body, Path) else len(body or b"")


def _opened(body: bytes | Path | None) -> AbstractContextManager[BinaryIO | None]:
    """The body for one attempt, at its beginning.

    Raises:
        StateError: the file cannot be opened.
    """
    if not isinstance(body, Path):
        return nullcontext(None if body is None else io.BytesIO(body))
    return raise_as(
        lambda: body.open("rb"),
        {
            OSError: lambda error: StateError(
                f"the upload's body cannot be read: {body}: {error.strerror}"
            )
        },
    )
