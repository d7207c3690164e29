"""A marked person and a marked secret, services that say them back, and every place to look.

A command or a sink that is new is one line here: `SINKS` are the places, `AFTERWARDS` the commands
that show what happened.
"""

import base64
import json
import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
from terminal import Workspace

from flows.cli.output import OURS

PERSON = "kx7q"
"""In every field of the marked person, and of what the person holds."""

SECRET = "zv9sSecret"
"""What every secret is."""

MARKED_ROW = (
    f"{PERSON}id,{PERSON}mail@example.com,{PERSON}given,{PERSON}family,ACTIVE,"
    f"{PERSON}team,{PERSON}role"
)
PRIVATE = ("exports", ".lumos-ingest/archive", ".lumos-ingest/bugs", "pipelines")
"""Where the person may be: the export itself, the private archive, reports of bugs."""

AFTERWARDS = (
    ("runs",),
    ("runs", "--json"),
    ("check", "hr", "--json"),
    ("why", "hr", f"{PERSON}mail@example.com"),
    ("preview", "hr", "--markdown"),
)
"""What is typed after a run went as it did, with a stdout that is no terminal."""

_BLOCKED = 3
_HOP = {"transfer-encoding", "content-encoding", "content-length", "connection"}


def marks_in(text: str, *, secret_alone: bool = False) -> list[str]:
    """What of the person and the secret is in a text, in any case, and as Basic auth has it."""
    folded = text.lower()
    # Of the three ways in which base64 can stand to the secret, the letters in the middle.
    coded = [base64.b64encode(b"x" * shift + SECRET.encode())[4:-4].decode() for shift in range(3)]
    wanted = [SECRET.lower(), *([] if secret_alone else [PERSON])]
    return [mark for mark in wanted if mark in folded] + [mark for mark in coded if mark in text]


def around_mark(line: str) -> str:
    """What stands around the first mark of a line."""
    at = min(at for mark in marks_in(line) if (at := line.lower().find(mark.lower())) >= 0)
    return line[max(0, at - 80) : at + 40]


@dataclass
class Heard:
    """What came out of a command, by the sink; see `SINKS`."""

    workspace: Workspace
    scratch: Path
    said: str = ""
    on_the_terminal: str = ""
    records: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notices: list[dict[str, object]] = field(default_factory=list)


def _files(folder: Path, private: tuple[str, ...] = ()) -> str:
    """Names and bytes of all files of a folder, but for the private parts of it."""
    return "\n".join(
        f"{path.relative_to(folder)} {path.read_bytes().decode('latin-1')}"
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(path.is_relative_to(folder / one) for one in private)
    )


SINKS: dict[str, Callable[[Heard], str]] = {
    "stdout and stderr": lambda heard: heard.said,
    "what libraries write past Python": lambda heard: heard.on_the_terminal,
    "log records of every level and library": lambda heard: "\n".join(heard.records),
    "warnings": lambda heard: "\n".join(heard.warnings),
    "notifications": lambda heard: json.dumps(heard.notices),
    "files of the workspace": lambda heard: _files(heard.workspace.path, PRIVATE),
    "temporary files left behind": lambda heard: _files(heard.scratch),
}


def leaks(heard: Heard) -> dict[str, list[str]]:
    """The sinks with a mark in them, each with the first lines that have one."""
    found = {}
    for name, read in SINKS.items():
        marked = [around_mark(line) for line in read(heard).splitlines() if marks_in(line)]
        if marked:
            found[name] = list(dict.fromkeys(marked))[:3]
    archive = _files(heard.workspace.path, ("exports", "pipelines"))
    if marks_in(archive, secret_alone=True):
        found["the archive, of a secret"] = marks_in(archive, secret_alone=True)
    return found


class _Listener(logging.Handler):
    """Takes down what reaches the root logger, as a program that logs all would have it."""

    def __init__(self, records: list[str]) -> None:
        super().__init__()
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        self._records.append(f"{record.name} {record.getMessage()} {trace}")


@contextmanager
def every_log_record(records: list[str]) -> Iterator[None]:
    """The block in which every logger makes records of every level, and all are taken down.

    Of ours, which the command keeps from the root logger, each record as it is made.
    """
    factory, listener = logging.getLogRecordFactory(), _Listener(records)

    def made(*args: object, **options: object) -> logging.LogRecord:
        record = factory(*args, **options)  # type: ignore[arg-type]
        if record.name.partition(".")[0] in OURS:
            listener.emit(record)
        return record

    every = [one for one in logging.Logger.manager.loggerDict.values() if hasattr(one, "setLevel")]
    levels = [(one, one.level) for one in (logging.getLogger(), *every)]
    logging.setLogRecordFactory(made)  # type: ignore[arg-type]
    logging.getLogger().addHandler(listener)
    try:
        for logger, _ in levels:
            logger.setLevel(logging.DEBUG)
        yield
    finally:
        logging.getLogger().removeHandler(listener)
        logging.setLogRecordFactory(factory)
        for logger, level in levels:
            logger.setLevel(level)


Strike = tuple[str, str, int]
"""A method, the beginning of a path, and the status it is answered with."""


class _EchoServer(ThreadingHTTPServer):
    def __init__(self, strike: Strike, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Echo)
        self.strike, self.behind = strike, behind


class _Echo(BaseHTTPRequestHandler):
    server: "_EchoServer"
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self._body()
        behind = self.server.behind
        if behind and not self._is_struck():
            asked = httpx.request(
                self.command,
                behind + self.path,
                headers=[one for one in self.headers.items() if one[0].lower() != "host"],
                content=body,
                timeout=60,
            )
            kept = {k: v for k, v in asked.headers.items() if k.lower() not in _HOP}
            self._send(asked.status_code, asked.content, kept)
            return
        told = dict(self.headers.items()) | {"row": MARKED_ROW, "secret": SECRET}
        sent = body.decode("utf-8", "replace")
        status = self.server.strike[2]
        said = {
            "detail": [{"loc": ["body", "accounts", 0, "email"], "msg": sent, "input": told}],
            "error": f"invalid_client {SECRET}",
            "error_description": f"{told} {sent}",
            "message": f"{told} {sent}",
            "scimType": "invalidValue",
            "state": f"FAILURE {MARKED_ROW}",
            "status": f"{status} {SECRET}",
        }
        headers = {"X-Echo": SECRET, "WWW-Authenticate": f'Bearer realm="{SECRET}"'}
        if status // 100 == _BLOCKED:
            headers["Location"] = f"http://127.0.0.1:9/{PERSON}?token={SECRET}"
        self._send(status, json.dumps(said).encode(), headers)

    do_GET = do_POST = do_PATCH = do_PUT = _answer  # noqa: N815 - the library's names

    def _is_struck(self) -> bool:
        method, path, _ = self.server.strike
        return self.command == method and self.path.startswith(path)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().strip() or b"0", 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "content-type" not in {name.lower() for name in headers}:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def echoing(strike: Strike, behind: str = "") -> Iterator[str]:
    """A service that says all it was told back, and the marked person; its URL.

    What `strike` does not name goes on to the service `behind` it, where there is one.
    """
    server = _EchoServer(strike, behind)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
