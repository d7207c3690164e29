"""What a connector's error means, and what to do next: its families, as the SDK sorts them.

connector-py 4.280, connector-sdk-types 0.79, read and run in November 2026. Errors come with status
200 or exit code 0. `error.message` is never told: it quotes the upstream's answer, and on a request
that does not fit the whole request with its credential.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from schemas.errors import ConfigError, IngestError, SourceFormatError, SourceUnavailableError

Family = Literal["retry", "throttle", "login", "settings", "refuse"]

_FAMILIES: dict[str, Family] = {
    **dict.fromkeys(
        (
            "bad_gateway", "service_error", "connection_timeout", "request_timeout",
            "connection_rejected", "connection_closed", "internal_error",
        ),
        "retry",
    ),
    **dict.fromkeys(("rate_limit", "budget_exhausted"), "throttle"),
    **dict.fromkeys(("unauthorized", "authentication_expired", "creds_revoked"), "login"),
    **dict.fromkeys(
        ("bad_request", "invalid_value", "integration_missing_parameter"), "settings"
    ),
    **dict.fromkeys(
        (
            "unknown_value", "not_found", "conflict", "invalid_page_token",
            "unsupported_operation", "permission_denied", "invalid_response",
        ),
        "refuse",
    ),
}  # fmt: skip
_RENAMED = {
    "api_error": "invalid_response",
    "client_call_error": "invalid_response",
    "not_implemented": "unsupported_operation",
    "unexpected_error": "internal_error",
    "unauthenticated": "unauthorized",
}
"""Codes of older connectors."""
_WORD = re.compile(r"[A-Za-z_][\w.]{0,60}")
_EMAIL = re.compile(r"[^\s@<>'\"]+@[^\s@<>'\"]+")
_UNSHOWN = re.compile(r"[^ -~]+")
_LONGEST_HINT = 160


class ConnectorRefusedError(SourceUnavailableError):
    """The connector's upstream does not take the credentials: trying again would not help."""

    retryable = False


@dataclass(frozen=True, slots=True)
class Fault:
    """An error that a connector answered with.

    Attributes:
        code: its error code.
        family: what to do next.
        pause_s: the pause that it asks for, in seconds; 0 for none: the SDK's own handler of HTTP
            errors loses Retry-After.
        said: code, status, who raised it and the hint, without credentials and addresses.
    """

    code: str
    family: Family
    pause_s: float
    said: str

    def to_error(self, origin: str) -> IngestError:
        """Returns the error that ends a read."""
        text = f"{origin}: {self.said}"
        match self.family:
            case "login":
                return ConnectorRefusedError(f"{text}: the credentials in auth are not taken")
            case "settings":
                return ConfigError(
                    f"{text}: are auth and settings as the connector wants them?", key="source"
                )
            case "retry" | "throttle":
                return SourceUnavailableError(text)
            case "refuse":
                return SourceFormatError(text)


def to_fault(error: Any, secrets: Iterable[str]) -> Fault:  # noqa: ANN401 - JSON holds anything
    """Returns what the `error` of an answer says; `secrets` are cut out of it."""
    error = error if isinstance(error, dict) else {}
    metadata = error.get("error_metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    written = _word(error.get("error_code"), secrets) or "an error without a code"
    code = _RENAMED.get(written.lower(), written.lower())
    told: tuple[tuple[str, Family], ...] = (
        ("throttled", "throttle"), ("refreshable", "login"), ("retryable", "retry"),
    )  # fmt: skip
    by_flag = next((family for flag, family in told if metadata.get(flag) is True), None)
    pause = metadata.get("retry_after_seconds")
    is_pause = isinstance(pause, int | float) and not isinstance(pause, bool) and pause > 0
    status, raised_by = error.get("status_code"), _word(error.get("raised_by"), secrets)
    parts = [
        written,
        f"status {status}" if isinstance(status, int) else "",
        f"raised by {raised_by}" if raised_by else "",
        _hint(metadata.get("hint"), secrets),
    ]
    return Fault(
        code,
        _FAMILIES.get(code) or by_flag or "refuse",
        float(pause) if is_pause and pause is not None else 0.0,
        ", ".join(filter(None, parts)),
    )


def _word(value: Any, secrets: Iterable[str]) -> str:  # noqa: ANN401 - JSON holds anything
    is_word = isinstance(value, str) and _WORD.fullmatch(value)
    return str(value) if is_word and not any(secret in value for secret in secrets) else ""


def _hint(value: Any, secrets: Iterable[str]) -> str:  # noqa: ANN401 - JSON holds anything
    if not isinstance(value, str):
        return ""
    text = _EMAIL.sub("[value]", _UNSHOWN.sub(" ", value))
    for secret in secrets:
        text = text.replace(secret, "[secret]")
    return text.strip()[:_LONGEST_HINT].rstrip(".")
