"""Refusals in the two shapes of the contract: `ApiError`, and the validation error of a 422."""

from collections.abc import Sequence
from typing import Any, Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from typing_extensions import TypedDict

ErrorType = Literal[
    "validation",
    "authentication",
    "permission",
    "not_found",
    "conflict",
    "rate_limited",
    "runtime",
]

_LISTED_ERRORS = 50


class ValidationError(TypedDict):
    """One thing that is wrong with a request."""

    loc: list[str | int]
    msg: str
    type: str


class HTTPValidationError(TypedDict, total=False):
    """The body of a 422."""

    detail: list[ValidationError]


class RefusedError(Exception):
    """A request is refused with the `ApiError` envelope."""

    def __init__(self, status: int, kind: ErrorType, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.kind: ErrorType = kind
        self.code = code
        self.detail = detail


def not_found(what: str) -> RefusedError:
    """Return the refusal for something that does not exist."""
    return RefusedError(404, "not_found", "not_found", f"{what} not found")


def stopped() -> RefusedError:
    """Return the refusal for a request that the sandbox's end leaves no time for."""
    return RefusedError(503, "runtime", "stopped", "The sandbox has stopped")


def wrong_host() -> RefusedError:
    """Return the refusal of a request that names another host, sent to a sandbox on loopback."""
    text = "This sandbox is on loopback: ask it as 127.0.0.1, [::1] or localhost"
    return RefusedError(421, "validation", "wrong_host", text)


def api_error(kind: ErrorType, code: str, detail: str) -> dict[str, Any]:
    """Return the body of the `ApiError` envelope."""
    return {"detail": detail, "type": kind, "code": code, "errors": []}


def to_answer(error: RefusedError) -> JSONResponse:
    """Return the answer that refuses a request."""
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None  # noqa: PLR2004
    return JSONResponse(api_error(error.kind, error.code, error.detail), error.status, headers)


def to_validation_body(errors: Sequence[Any]) -> HTTPValidationError:
    """Return the body of a 422: the first errors, without the input that caused them."""
    return {
        "detail": [
            {"loc": list(error["loc"]), "msg": error["msg"], "type": error["type"]}
            for error in errors[:_LISTED_ERRORS]
        ]
    }


def add_error_answers(app: FastAPI) -> None:
    """Make `app` answer every refusal in a shape of the contract."""

    @app.exception_handler(RefusedError)
    def _refused(_: Request, error: RefusedError) -> JSONResponse:
        return to_answer(error)

    @app.exception_handler(HTTPException)
    def _http_error(_: Request, error: HTTPException) -> JSONResponse:
        kind: ErrorType = "not_found" if error.status_code == 404 else "validation"  # noqa: PLR2004
        body = api_error(kind, f"http_{error.status_code}", str(error.detail))
        return JSONResponse(body, error.status_code, error.headers)

    @app.exception_handler(RequestValidationError)
    def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse(to_validation_body(error.errors()), 422)
