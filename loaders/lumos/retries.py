"""How a request is tried again: growing pauses with jitter, ceilings in attempts and in time."""

import logging
import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, TypeVar

import httpx
from tenacity import RetryCallState, Retrying, retry_if_result, wait_exponential_jitter

from loaders.lumos.responses import pause_asked_s
from schemas.errors import LumosRefusedError, LumosUnavailableError
from schemas.network.proxies import Proxy

_log = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Retry:
    """How long an outage is borne.

    Attributes:
        attempts: how often a request is sent at most.
        time_limit_s: seconds after the first failure within which the last attempt must begin.
            The first attempt does not count: a large body may be on its way for longer than that.
        first_pause_s: the first pause in seconds; each further one is twice as long.
        longest_pause_s: the longest pause of our own choice, in seconds; Retry-After may ask for
            a longer one.
    """

    attempts: int = 6
    time_limit_s: float = 300.0
    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0


_CHANGE_NOTHING = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Outage:
    """A request that came to nothing, for a reason that may pass.

    Attributes:
        method: the request's.
        reason: what happened, one line, with method and path.
        pause_asked_s: the pause that the API asked for, in seconds; None where it named none.
        may_be_taken: whether the server may have done what it was asked to do.
    """

    method: str
    reason: str
    pause_asked_s: float | None = None
    may_be_taken: bool = False

    @property
    def is_outcome_known(self) -> bool:
        """Whether the request certainly had no effect."""
        return not self.may_be_taken or self.method in _CHANGE_NOTHING


def answer_with_retries(
    attempt: Callable[[], _Answer | Outage],
    retry: Retry,
    *,
    may_repeat: Callable[[Outage], bool],
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> _Answer:
    """The first answer of `attempt` that is no outage.

    tenacity's stops read a clock that no test can set, so the one in time is written here.

    Raises:
        LumosUnavailableError: the last outage, at a ceiling, or when `may_repeat` says no.
    """
    patience = _Patience(retry, may_repeat, clock)
    retrying = Retrying(
        retry=retry_if_result(lambda answer: isinstance(answer, Outage)),
        wait=patience.pause,
        stop=patience.is_over,
        before_sleep=_tell_repeat,
        retry_error_callback=patience.give_up,
        sleep=sleep,
    )
    answer = retrying(attempt)
    if isinstance(answer, Outage):  # pragma: no cover - `retry_if_result` never lets one through
        raise TypeError
    return answer


def _outage_of(state: RetryCallState) -> Outage:
    outage = state.outcome.result() if state.outcome else None
    if not isinstance(outage, Outage):  # pragma: no cover - tenacity asks after an outage only
        raise TypeError
    return outage


def _tell_repeat(state: RetryCallState) -> None:
    outage, pause_s = _outage_of(state), state.upcoming_sleep
    if outage.is_outcome_known:
        _log.info("%s: trying again in %.1f s", outage.reason, pause_s)
    else:
        text = "%s: it may have been taken; sending the same again in %.1f s"
        _log.warning(text, outage.reason, pause_s)


class _Patience:
    """What is left of a retry's ceilings, for one request."""

    def __init__(
        self, retry: Retry, may_repeat: Callable[[Outage], bool], clock: Callable[[], float]
    ) -> None:
        self._retry = retry
        self._may_repeat = may_repeat
        self._clock = clock
        self._first_failed_at: float | None = None
        self._grown = wait_exponential_jitter(
            multiplier=retry.first_pause_s, max=retry.longest_pause_s, jitter=retry.first_pause_s
        )

    def pause(self, state: RetryCallState) -> float:
        pause_s = _outage_of(state).pause_asked_s
        return self._grown(state) if pause_s is None else pause_s

    def is_over(self, state: RetryCallState) -> bool:
        now = self._clock()
        if self._first_failed_at is None:
            self._first_failed_at = now
        ends_at = self._first_failed_at + self._retry.time_limit_s
        return (
            state.attempt_number >= self._retry.attempts
            or now + state.upcoming_sleep > ends_at
            or not self._may_repeat(_outage_of(state))
        )

    def give_up(self, state: RetryCallState) -> NoReturn:
        outage, count = _outage_of(state), state.attempt_number
        pause_s = outage.pause_asked_s
        if pause_s is not None and pause_s > self._retry.time_limit_s:
            text = (
                f"{outage.reason}: Lumos asks for a pause of {pause_s:.0f} s, which is longer than"
                f" the {self._retry.time_limit_s:.0f} s that are waited: run again later"
            )
        else:
            times = "1 attempt" if count == 1 else f"{count} attempts"
            text = f"{outage.reason} (given up after {times}): run again later"
        raise LumosUnavailableError(text, pause_s)


# What a failed request came to, in our own words: the libraries' can quote what was sent.

_Cause = TypeVar("_Cause", bound=BaseException)

_TOO_MANY = 429
_STAYS = frozenset({501, 505})
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


def network_outage(
    error: httpx.TransportError, method: str, path: str, proxy: Proxy | None = None
) -> Outage:
    """The outage that a network error means; `proxy` is what the request went through."""
    url = error.request.url
    where = f"{method} {path} at {url.scheme}://{url.netloc.decode()}"
    if proxy is not None:
        where += f", through the proxy {proxy.place} ({proxy.variable})"
    may_be_taken = not isinstance(error, _NOT_SENT)
    return Outage(method, f"{where}: {_reason(error)}", may_be_taken=may_be_taken)


def is_outage(response: httpx.Response) -> bool:
    """Whether the answer tells of a trouble that may pass: 429, or 5xx but for two that stay."""
    status = response.status_code
    return status == _TOO_MANY or (response.is_server_error and status not in _STAYS)


def status_outage(response: httpx.Response, method: str, path: str) -> Outage:
    """The outage that an answer tells of; a 429 says that nothing was done, a 5xx does not."""
    reason = f"{method} {path}: {response.status_code} {response.reason_phrase}".rstrip()
    may_be_taken = response.status_code != _TOO_MANY
    return Outage(method, reason, pause_asked_s(response), may_be_taken)


def certificate_refusal(error: httpx.TransportError, request_name: str) -> LumosRefusedError | None:
    """The refusal of a certificate that is not trusted, which no retry mends; None for others."""
    untrusted = _cause(error, ssl.SSLCertVerificationError)
    if untrusted is None:
        return None
    return LumosRefusedError(
        f"{request_name}: the server's certificate is not trusted ({untrusted.verify_message}): is"
        " LUMOS_API_URL right? If a proxy of your own stands between, name its CA file in"
        " SSL_CERT_FILE"
    )


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
    cause = _cause(error, OSError)
    return f": {os.strerror(cause.errno)}" if cause is not None and cause.errno else ""


def _cause(error: BaseException, kind: type[_Cause]) -> _Cause | None:
    """The nearest error of that kind among the causes; None where there is none."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, kind):
        cause = cause.__cause__ or cause.__context__
    return cause
