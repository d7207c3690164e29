"""What stands before the API: counts requests, strikes with armed faults, tells the rate limit."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from starlette.datastructures import MutableHeaders
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.errors import api_error
from sandbox.faults import ANSWER_FAULTS, Fault, Faults

RATE_LIMIT = 100_000
RATE_WINDOW_S = 60.0


@dataclass(slots=True)
class Traffic:
    """What has come in since the start."""

    requests: Counter[str] = field(default_factory=Counter)
    window_ends_at: float = 0.0
    window_count: int = 0
    is_stopping: bool = False

    def count(self, request: str, now: float) -> None:
        """Count a request, in all and in the rate limit's window."""
        self.requests[request] += 1
        if now >= self.window_ends_at:
            self.window_ends_at, self.window_count = now + RATE_WINDOW_S, 0
        self.window_count += 1

    def headers(self) -> dict[str, str]:
        """Return the headers that tell the rate limit, which is never enforced."""
        return {
            "x-ratelimit-limit": str(RATE_LIMIT),
            "x-ratelimit-remaining": str(max(0, RATE_LIMIT - self.window_count)),
            "x-ratelimit-reset": str(self.window_ends_at),
        }


class Gateway:
    """ASGI middleware around the API's own paths; the page and /sandbox pass untouched."""

    def __init__(
        self, app: ASGIApp, *, faults: Faults, traffic: Traffic, paths: Sequence[str]
    ) -> None:
        self._app = app
        self._faults = faults
        self._traffic = traffic
        self._templates = [(compile_path(path)[0], path) for path in paths]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        template = self._template_of(scope) if scope["type"] == "http" else None
        if template is None:
            await self._app(scope, receive, send)
            return
        self._traffic.count(f"{scope['method']} {template}", time.time())
        fault = self._faults.take(scope["path"], ANSWER_FAULTS)
        is_cut = fault is not None and fault.name.startswith("cut_")
        slow = None if is_cut else self._faults.take(scope["path"], {"slow"})

        async def send_late(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._traffic.headers().items():
                    headers.setdefault(name, value)
                await self._wait(slow)
            await send(message)

        if fault is None:
            await self._app(scope, receive, send_late)
        elif fault.name == "cut_before":
            await _cut(scope, receive)
        elif fault.name == "cut_after":
            await self._app(scope, receive, _swallow)
            await _cut(scope, receive)
        else:
            await _read_all(receive)
            await _answer_of(fault)(scope, receive, send_late)

    def _template_of(self, scope: Scope) -> str | None:
        for pattern, path in self._templates:
            if pattern.match(scope["path"]):
                return path
        return None

    async def _wait(self, slow: Fault | None) -> None:
        """Hold an answer back, though not beyond the server's own end."""
        until = time.monotonic() + (slow.value or 0.0 if slow else 0.0)
        while not self._traffic.is_stopping and (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(left, 0.05))


def _answer_of(fault: Fault) -> Response:
    """Return the answer of a fault; those of a proxy are HTML, as proxies' are."""
    if fault.name == "429":
        body = api_error("rate_limited", "rate_limited", "Too many requests")
        headers = {"Retry-After": f"{fault.value:g}", "x-ratelimit-remaining": "0"}
        return JSONResponse(body, 429, headers)
    if fault.name == "500":
        return JSONResponse(api_error("runtime", "internal_error", "Internal error"), 500)
    text = {"502": "502 Bad Gateway", "503": "503 Service Unavailable"}[fault.name]
    return HTMLResponse(f"<html><body><h1>{text}</h1></body></html>", int(fault.name))


async def _swallow(_: Message) -> None:
    """Take an answer and send nothing."""


async def _read_all(receive: Receive) -> None:
    """Read a request's body, so that its sender gets to read the answer."""
    while (message := await receive())["type"] == "http.request" and message.get("more_body"):
        pass


async def _cut(scope: Scope, receive: Receive) -> None:
    """Drop the connection, and return when it is gone.

    The transport is in the scope's state when `sandbox.server` serves the app.
    """
    transport = scope.get("state", {}).get("transport")
    if not isinstance(transport, asyncio.Transport):
        raise ConnectionAbortedError("a cut_ fault dropped the connection")
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
