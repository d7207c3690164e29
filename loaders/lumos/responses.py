"""Reads what the Lumos API answers: the pause it asks for; a refusal, as one line with no value."""

import email.utils
import json
import re
import time
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import httpx

from schemas.errors import LumosRefusedError

_LONGEST_TEXT = 200
_EMAIL = re.compile(r"[^\s'\"<>,;]+@[^\s'\"<>,;]+")
_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_MB = 1_000_000
_HAVE_ROWS = ("/accounts", "/activity_records")
"""Where rows are sent or read: what Lumos says of these in its own words may name a person."""

_OF_PYDANTIC = re.compile(
    r"(Field required|Extra inputs are not permitted|(Input|String|List|Dictionary) should) ?.*",
    re.DOTALL,
)
"""The messages of FastAPI's that never have the value in them."""

_WORD = re.compile(r"[A-Za-z0-9_.-]{1,60}")
_NOT_LUMOS = "did not answer as the Lumos API does: is LUMOS_API_URL right?"

_ADVICE = {
    401: "check LUMOS_API_TOKEN",
    403: "the token's owner lacks a right in Lumos: give it, or use the token of another person",
    404: "check the app's id, and LUMOS_API_URL",
    409: "something else is at work on it in Lumos: run again when that has ended",
    422: "fix what that field is made from; nothing was uploaded",
}


def not_lumos(request_name: str) -> LumosRefusedError:
    """The refusal of an answer that is not the Lumos API's."""
    return LumosRefusedError(f"{request_name}: {_NOT_LUMOS}")


def clean_text(text: str) -> str:
    """The text on one line of at most 200 characters, without control characters and addresses."""
    shown = _EMAIL.sub("[value]", _NOT_SHOWN.sub(" ", text)).strip()
    return shown if len(shown) <= _LONGEST_TEXT else f"{shown[: _LONGEST_TEXT - 1]}…"


def pause_asked_s(response: httpx.Response) -> float | None:
    """Seconds to wait before the request is sent again; None where the answer names no pause.

    `Retry-After` goes before `x-ratelimit-reset`: it speaks of this request. One of 0, or of a time
    that is past, is no hint: sent again at once, the request would meet the same outage.
    """
    retry_after = response.headers.get("retry-after", "").strip()
    moment = _to_epoch_s(retry_after) if retry_after else None
    pause_s = 0.0 if moment is None else moment - _now_of(response)
    if re.fullmatch(r"\d+(\.\d+)?", retry_after):
        pause_s = float(retry_after)
    return pause_s if pause_s > 0 else rate_pause_s(response) or None


@dataclass(frozen=True, slots=True)
class RateTold:
    """What an answer tells of the rate limit.

    Attributes:
        limit: requests a window; None where it does not tell.
        remaining: how many more the window has room for.
        resets_in_s: seconds until the window ends.
    """

    limit: int | None
    remaining: int
    resets_in_s: float


def rate_told(response: httpx.Response) -> RateTold | None:
    """What the answer tells of the rate limit; None unless it says what remains, until when."""
    told = {
        name: response.headers.get(f"x-ratelimit-{name}", "").strip()
        for name in ("limit", "remaining", "reset")
    }
    if not re.fullmatch(r"\d{1,12}(\.\d+)?", told["reset"]) or not _is_count(told["remaining"]):
        return None
    limit = int(told["limit"]) if _is_count(told["limit"]) else None
    resets_in_s = max(0.0, float(told["reset"]) - _now_of(response))
    return RateTold(limit, int(told["remaining"]), resets_in_s)


def _is_count(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,9}", text) is not None


def rate_pause_s(response: httpx.Response) -> float | None:
    """Seconds until the rate limit's window ends; None unless this answer was its last."""
    told = rate_told(response)
    return told.resets_in_s if told is not None and told.remaining == 0 else None


def _now_of(response: httpx.Response) -> float:
    """Epoch seconds by the server's clock, as its moments are; by ours where it does not tell."""
    date = _to_epoch_s(response.headers.get("date", ""))
    return time.time() if date is None else date


def _to_epoch_s(text: str) -> float | None:
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def refusal_text(response: httpx.Response, request_name: str, body_size: int) -> str:
    """The refusal as one line: request, status, first problem, count of the others, what to do.

    Of a request that has to do with rows, only the place and the kind of a problem are told, since
    the text may quote one.

    Args:
        response: read whole.
        request_name: method and path.
        body_size: bytes that were sent, for a 413.
    """
    problem = _problem_of(response, has_rows=request_name.partition(" ")[2].startswith(_HAVE_ROWS))
    status = f"{response.status_code} {response.reason_phrase}".strip()
    return f"{request_name}: {status}{problem and f', {problem}'}{_advice(response, body_size)}"


def _advice(response: httpx.Response, body_size: int) -> str:
    status = response.status_code
    if status == 413:  # noqa: PLR2004 - the status is its own name
        return (
            f": the body is {body_size / _MB:.1f} MB: ask Lumos for its limit; set"
            " upload.accounts_per_request only if you accept that the app is half full between"
            " two requests"
        )
    if 300 <= status < 400:  # noqa: PLR2004 - redirects
        return ": the Lumos API does not redirect: is LUMOS_API_URL right?"
    advice = _ADVICE.get(status)
    return f": {advice}" if advice else ""


def _problem_of(response: httpx.Response, *, has_rows: bool) -> str:
    """What the answer says is wrong, in either shape the API has; empty where it is in none."""
    answer = decoded(response)
    if not isinstance(answer, dict):
        return ""
    detail = answer.get("detail")
    if isinstance(detail, list):
        return _listed_problems(detail, "loc", "msg", has_rows=has_rows)
    texts = [clean_text(str(answer[key])) for key in ("code", "detail") if answer.get(key)]
    if has_rows:
        texts = [text for text in texts[:1] if _WORD.fullmatch(str(answer.get("code")))]
    errors = answer.get("errors")
    listed = ""
    if isinstance(errors, list):
        listed = _listed_problems(errors, "field", "message", has_rows=has_rows)
    return ", ".join([*texts, *([listed] if listed else [])])


def _listed_problems(problems: list[Any], where: str, what: str, *, has_rows: bool) -> str:
    readable = [problem for problem in problems if isinstance(problem, dict)]
    if not readable:
        return ""
    first, more = readable[0], len(readable) - 1
    message = str(first.get(what, ""))
    if has_rows and not _OF_PYDANTIC.fullmatch(message):
        kind = str(first.get("type") or first.get("code") or "")
        message = kind if _WORD.fullmatch(kind) else "it is refused"
    quoted = first.get("input")
    if isinstance(quoted, str | int | float) and str(quoted):
        message = message.replace(str(quoted), "[value]")
    place = clean_text(_place_text(first.get(where)))
    return f"at {place}: {clean_text(message)}" + (f" (and {more} more)" if more > 0 else "")


def _place_text(loc: object) -> str:
    """`["body", "accounts", 3, "status"]` as `accounts[3].status`."""
    if not isinstance(loc, list):
        return str(loc or "the request")
    parts = loc[1:] if loc[:1] == ["body"] else loc
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".") or "the body"


def decoded(response: httpx.Response) -> Any:  # noqa: ANN401 - JSON holds anything
    """The answer's JSON; None where it is none, as for the word null, which Lumos never answers."""
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        return None
