"""A SCIM service as it is asked: logged in, TLS verified, tried again, never led elsewhere."""

import email.utils
import importlib.metadata
import logging
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import httpx

from extractors.scim.documents import NotJsonError, decode
from extractors.scim.login import Login, LoginRefusedError, to_login
from extractors.zones.https import failure
from extractors.zones.web import trusted_by, web_client
from schemas.errors import SourceFormatError, SourceUnavailableError
from schemas.source_file.kinds.scim_source import ScimSource
from schemas.source_file.secrets import Resolve

_log = logging.getLogger(__name__)

_MOST_BYTES = 256 << 20
_MOST_REDIRECTS = 3
_ATTEMPTS = 6
_LONGEST_PAUSE_S = 300.0
_MAY_PASS = frozenset({408, 425, 429, 500, 502, 503, 504})
_SCIM_TYPE = re.compile(r"[A-Za-z]{1,40}")
_ADVICE = {
    403: "the login may not read this",
    404: "there is no such resource: is url the service's base, without /Users?",
    501: "the service does not do that",
}


class AnswerError(SourceFormatError):
    """The service refuses a request.

    Attributes:
        status: the HTTP status.
        scim_type: the word that the error carries for programs (RFC 7644, 3.12); empty for none.
    """

    def __init__(self, message: str, status: int, scim_type: str) -> None:
        super().__init__(message)
        self.status = status
        self.scim_type = scim_type


@dataclass(frozen=True, slots=True)
class _Outage:
    reason: str
    pause_s: float | None = None
    is_answer: bool = False
    is_throttled: bool = False


@contextmanager
def opened_service(
    source: ScimSource,
    workspace: Path,
    resolve: Resolve,
    sleep: Callable[[float], None],
    clock: Callable[[], float] = time.monotonic,
) -> Iterator["ScimService"]:
    """The service; nothing is sent yet.

    Raises:
        ConfigError: a secret or the CA file is not in its place, or is no such thing.
    """
    timeout_s = source.timeout.total_seconds()
    verify = trusted_by(workspace, source.ca_file, "source.ca_file")
    with web_client(
        source.url,
        verify,
        headers={
            "Accept": "application/scim+json, application/json",
            "User-Agent": f"lumos-ingest/{importlib.metadata.version('lumos-ingest')}",
        },
        timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, 10)),
        limits=httpx.Limits(max_connections=source.pages_at_once + 1),
    ) as client:
        login = to_login(source, resolve, client)
        yield ScimService(source.url.rstrip("/"), client, login, source.pages_at_once, sleep, clock)


class ScimService:
    """Answers to GET as folded documents; several threads may ask."""

    def __init__(
        self,
        base: str,
        client: httpx.Client,
        login: Login,
        at_once: int,
        sleep: Callable[[float], None],
        clock: Callable[[], float],
    ) -> None:
        self.base = base
        self._client = client
        self._login = login
        self._gate = _Gate(at_once)
        self._sleep = sleep
        self._clock = clock
        self._not_before = 0.0
        self._has_answered = False

    def get(self, path: str, params: Mapping[str, str | int], attempts: int = _ATTEMPTS) -> Any:  # noqa: ANN401 - JSON holds anything
        """Returns the document at `path` with its names folded.

        An outage is borne for a while, and the pause that the service asks for is kept by all. A
        service that never answered at all is not waited for.

        Raises:
            SourceUnavailableError: unreachable, cut, slow, 429 or 5xx to the end of the tries; the
                login is refused.
            AnswerError: any other refusal.
            SourceFormatError: an answer that is no JSON, is too large, or leads elsewhere.
        """
        name = f"{self.base}{path}"
        pause_s, outage, is_renewed = 0.5, _Outage(""), False
        for attempt in range(1, attempts + 1):
            self._wait()
            with self._gate.passed() as slot:
                answer = self._asked(name, params)
                if isinstance(answer, _Outage) and answer.is_throttled:
                    slot.narrow()
            if isinstance(answer, httpx.Response):
                if answer.status_code == httpx.codes.UNAUTHORIZED and not is_renewed:
                    is_renewed = True
                    if self._login.renew():
                        outage = _Outage("401 Unauthorized")
                        continue
                return _document(answer, name)
            outage = answer
            asked_s = outage.pause_s or 0.0
            is_gone = not (outage.is_answer or self._has_answered)
            if is_gone or attempt == attempts or asked_s > _LONGEST_PAUSE_S:
                break
            self._hold_back(max(asked_s, pause_s * random.uniform(0.8, 1.2)))  # noqa: S311
            pause_s *= 2
            _log.info("%s: %s: asked again (attempt %d)", name, outage.reason, attempt + 1)
        raise SourceUnavailableError(f"{name}: {outage.reason}")

    def _asked(self, url: str, params: Mapping[str, str | int]) -> httpx.Response | _Outage:
        header = self._login.header()
        headers = {"Authorization": header} if header else {}
        query: Mapping[str, str | int] | None = params
        for _ in range(_MOST_REDIRECTS + 1):
            problem = ""
            try:
                answer = self._read(url, query, headers)
            except (httpx.TransportError, httpx.DecodingError, httpx.InvalidURL) as error:
                problem = failure(error, "source.ca_file")
            if problem:
                return _Outage(problem)
            self._has_answered = True
            if answer.status_code in _MAY_PASS:
                return _Outage(
                    f"{answer.status_code} {answer.reason_phrase}".rstrip(),
                    _pause_asked_s(answer),
                    is_answer=True,
                    is_throttled=answer.status_code == httpx.codes.TOO_MANY_REQUESTS,
                )
            if not answer.has_redirect_location:
                return answer
            url, query = self._same_host(answer, url), None
        raise SourceFormatError(f"{self.base}: redirects in a circle")

    def _read(
        self, url: str, params: Mapping[str, str | int] | None, headers: dict[str, str]
    ) -> httpx.Response:
        with self._client.stream("GET", url, params=params, headers=headers) as answer:
            content = bytearray()
            for block in answer.iter_bytes():
                content += block
                if len(content) > _MOST_BYTES:
                    raise SourceFormatError(
                        f"{self.base}: a page of more than {_MOST_BYTES >> 20} MB: set page_size"
                    )
            plain = [
                (name, value)
                for name, value in answer.headers.items()
                if name not in {"content-encoding", "content-length", "transfer-encoding"}
            ]
            return httpx.Response(
                answer.status_code, headers=plain, content=bytes(content), request=answer.request
            )

    def _same_host(self, answer: httpx.Response, url: str) -> str:
        """Returns where a redirect leads, if that is the same server: credentials go with it."""
        asked, target = httpx.URL(url), None
        with suppress(httpx.InvalidURL):
            target = asked.join(answer.headers["location"])
        if target is None or _origin(target) != _origin(asked):
            raise SourceFormatError(
                f"{self.base}: {answer.status_code}: a redirect to another host is not followed: "
                "write the address it leads to"
            )
        return str(target)

    def _wait(self) -> None:
        pause_s = self._not_before - self._clock()
        if pause_s > 0:
            self._sleep(pause_s)

    def _hold_back(self, pause_s: float) -> None:
        self._not_before = max(self._not_before, self._clock() + pause_s)


class _Gate:
    """Lets so many requests through at once; fewer, down to one, after each that is throttled."""

    def __init__(self, at_once: int) -> None:
        self._free = threading.Semaphore(at_once)
        self._lock = threading.Lock()
        self._at_once = at_once

    @contextmanager
    def passed(self) -> Iterator["_Slot"]:
        """Waits for its turn."""
        self._free.acquire()
        slot = _Slot()
        try:
            yield slot
        finally:
            if not (slot.is_narrowed and self._is_narrower()):
                self._free.release()

    def _is_narrower(self) -> bool:
        with self._lock:
            can = self._at_once > 1
            self._at_once -= can
            return can


class _Slot:
    def __init__(self) -> None:
        self.is_narrowed = False

    def narrow(self) -> None:
        """Says that the service bears less."""
        self.is_narrowed = True


def _document(answer: httpx.Response, name: str) -> Any:  # noqa: ANN401 - JSON holds anything
    document = None
    try:
        document = decode(answer.content)
    except NotJsonError:
        document = None
    status = answer.status_code
    if status == httpx.codes.UNAUTHORIZED:
        raise LoginRefusedError(f"{name}: 401: the service refuses the login")
    if not answer.is_success or _is_error(document):
        scim_type = document.get("scimtype") if isinstance(document, dict) else None
        is_word = isinstance(scim_type, str) and _SCIM_TYPE.fullmatch(scim_type)
        word = str(scim_type) if is_word else ""
        advice = f": {_ADVICE[status]}" if status in _ADVICE else ""
        said = f"{status} {answer.reason_phrase}".rstrip() + (f", {word}" if word else "")
        raise AnswerError(f"{name}: {said}{advice}", status, word)
    if document is None:
        raise SourceFormatError(f"{name}: the answer is no JSON: is url the base of a service?")
    return document


def _is_error(document: Any) -> bool:  # noqa: ANN401 - JSON holds anything
    """Whether it is an error although its status says otherwise."""
    schemas = document.get("schemas") if isinstance(document, dict) else None
    return isinstance(schemas, list) and any(
        str(one).lower() == "urn:ietf:params:scim:api:messages:2.0:error" for one in schemas
    )


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _pause_asked_s(answer: httpx.Response) -> float | None:
    """Returns the seconds that Retry-After asks for; None where it asks for none."""
    text = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", text):
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    at = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, at.timestamp() - time.time())
