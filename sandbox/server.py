"""Serves the sandbox with uvicorn: in a thread for as long as a block lasts, or until Ctrl-C."""

import asyncio
import contextlib
import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import uvicorn
from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.app import create_app
from sandbox.errors import stopped, to_answer, wrong_host

_LONGEST_STOP_S = 3


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A sandbox that is being served."""

    url: str
    token: str
    app: FastAPI


class _CuttableProtocol(H11Protocol):
    """HTTP/1.1 that hands the app its connection's transport, so that a fault can cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Put the transport where every request of the connection finds it."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class _StoppableApp:
    """The app, which refuses the requests that uvicorn cancels when it stops.

    On loopback it answers to loopback's names alone: a page of another site, whose name leads here
    by then, must not read the accounts.
    """

    def __init__(self, app: FastAPI, *, is_loopback: bool) -> None:
        self._app = app
        self._is_loopback = is_loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; one that is cancelled before its answer has begun, with a 503."""
        if self._is_loopback and scope["type"] == "http" and not _is_meant_for_loopback(scope):
            await to_answer(wrong_host())(scope, receive, send)
            return
        has_begun = False

        async def send_noted(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        except asyncio.CancelledError:
            if has_begun or not self._app.state.traffic.is_stopping:
                raise
            await to_answer(stopped())(scope, receive, send)


def _is_meant_for_loopback(scope: Scope) -> bool:
    """Whether the request names a host that is this machine and no other."""
    host = Headers(scope=scope).get("host", "")
    name = host.partition("]")[0].strip("[") if host.startswith("[") else host.partition(":")[0]
    return name.lower() == "localhost" or _is_loopback_address(name)


def _is_loopback_address(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False


class _Server(uvicorn.Server):
    """A uvicorn server that tells when it is up, and lets slow answers go when it stops."""

    def __init__(self, app: FastAPI, listener: socket.socket, up: Callable[[], None]) -> None:
        address = str(listener.getsockname()[0])
        super().__init__(
            uvicorn.Config(
                _StoppableApp(app, is_loopback=_is_loopback_address(address)),
                http=_CuttableProtocol,
                ws="none",
                log_config=None,
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=_LONGEST_STOP_S,
            )
        )
        self._app = app
        self._up = up

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen."""
        await super().startup(sockets)
        self._up()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop, without waiting for slow answers."""
        self._app.state.traffic.is_stopping = True
        await super().shutdown(sockets)


def _listen(host: str, port: int) -> tuple[socket.socket, str]:
    """Return a bound socket and its URL.

    Raises:
        OSError: the address is taken, or is not one of this machine.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError:
        listener.close()
        raise
    shown = f"[{host}]" if ":" in host else host
    return listener, f"http://{shown}:{listener.getsockname()[1]}"


def serve(host: str, port: int, app: FastAPI, *, up: Callable[[str], None] | None = None) -> None:
    """Serve `app` until Ctrl-C; `up` is called with the URL once it answers.

    Raises:
        OSError: the port is taken, or the host is not one of this machine.
    """
    listener, url = _listen(host, port)
    server = _Server(app, listener, lambda: up(url) if up else None)
    # uvicorn raises the signal again after a clean stop; the stop is all that was asked for.
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listener])


@contextmanager
def running_sandbox(
    port: int = 0,
    *,
    db: Path | None = None,
    token: str = "lsk_sandbox",  # noqa: S107
    uploads: Literal["snapshot", "merge"] = "snapshot",
    job_seconds: float = 0.5,
    faults: Sequence[str] = (),
) -> Iterator[Sandbox]:
    """Serve a sandbox on loopback, in a thread, for as long as the block lasts.

    Raises:
        OSError: the port is taken; port 0 takes a free one.
        ValueError: a fault cannot be understood.
    """
    app = create_app(db=db, token=token, uploads=uploads, job_seconds=job_seconds, faults=faults)
    listener, url = _listen("127.0.0.1", port)
    is_up = threading.Event()
    server = _Server(app, listener, is_up.set)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, name="sandbox", daemon=True
    )
    thread.start()
    try:
        while not is_up.wait(0.05):
            if not thread.is_alive():
                raise RuntimeError("the sandbox did not start")
        yield Sandbox(url, token, app)
    finally:
        server.should_exit = True
        thread.join()
