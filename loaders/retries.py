"""How a request is tried again: growing pauses with jitter, ceilings in attempts and in time."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_result, wait_exponential_jitter

from schemas.errors import LumosUnavailableError

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


@dataclass(frozen=True, slots=True)
class Outage:
    """A request that came to nothing, for a reason that may pass.

    Attributes:
        reason: what happened, one line, with method and path.
        pause_asked_s: the pause that the API asked for, in seconds; None where it named none.
        is_outcome_known: whether the request certainly had no effect.
    """

    reason: str
    pause_asked_s: float | None = None
    is_outcome_known: bool = True


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
        asked = _outage_of(state).pause_asked_s
        return self._grown(state) if asked is None else asked

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
        asked = outage.pause_asked_s
        if asked is not None and asked > self._retry.time_limit_s:
            text = (
                f"{outage.reason}: Lumos asks for a pause of {asked:.0f} s, which is longer than"
                f" the {self._retry.time_limit_s:.0f} s that are waited: run again later"
            )
        else:
            times = "1 attempt" if count == 1 else f"{count} attempts"
            text = f"{outage.reason} (given up after {times}): run again later"
        raise LumosUnavailableError(text, asked)
