"""Answers of an LDAP server as bytes, and a server that gives just the answers it is told to."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ldap3 import NONE, Connection, Server

Answer = Callable[[int], bytes]
"""Bytes sent for one request, given the request's message id."""

PAGED = b"1.2.840.113556.1.4.319"


def element(tag: int, content: bytes, *, long: bool = False) -> bytes:
    """An element of BER; with `long`, its length in four bytes as Active Directory writes it."""
    size = len(content)
    if long:
        return bytes([tag, 0x84]) + size.to_bytes(4, "big") + content
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def message(number: int, operation: bytes, controls: bytes = b"") -> bytes:
    """A whole LDAP message."""
    tail = element(0xA0, controls) if controls else b""
    return element(0x30, element(2, number.to_bytes(3, "big")) + operation + tail)


def entry(dn: str, attributes: dict[str, list[bytes]], *, long: bool = False) -> bytes:
    """A SearchResultEntry."""
    listed = b"".join(
        element(
            0x30,
            element(4, name.encode(), long=long)
            + element(0x31, b"".join(element(4, value) for value in values), long=long),
            long=long,
        )
        for name, values in attributes.items()
    )
    return element(0x64, element(4, dn.encode()) + element(0x30, listed, long=long), long=long)


def result(tag: int, code: int = 0, text: str = "", more: bytes = b"") -> bytes:
    """An LDAPResult under an operation's tag: 0x61 bind, 0x65 search, 0x78 extended."""
    said = element(10, bytes([code])) + element(4, b"") + element(4, text.encode())
    return element(tag, said + more)


def page_control(cookie: bytes) -> bytes:
    """The control that ends a page."""
    value = element(0x30, element(2, b"\0") + element(4, cookie))
    return element(0x30, element(4, PAGED) + element(4, value))


def page(
    entries: Sequence[tuple[str, dict[str, list[bytes]]]],
    cookie: bytes | None = b"",
    code: int = 0,
    text: str = "",
) -> Answer:
    """A page of a search; no control at all where `cookie` is None."""

    def answered(number: int) -> bytes:
        control = b"" if cookie is None else page_control(cookie)
        sent = [message(number, entry(dn, attributes)) for dn, attributes in entries]
        return b"".join([*sent, message(number, result(0x65, code, text), control)])

    return answered


@contextmanager
def listening(
    answers: Sequence[Answer | None],
    *,
    hangs_up: bool = False,
    requests: list[bytes] | None = None,
) -> Iterator[int]:
    """The port of a server that takes a bind, then gives `answers` in turn; None: hangs up.

    With `hangs_up`, it does so right after the last one instead of waiting for more. What is asked
    goes to `requests`.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    bound: Answer = lambda number: message(number, result(0x61))  # noqa: E731
    server = threading.Thread(
        target=_serve,
        args=(listener, [bound, *answers], hangs_up, [] if requests is None else requests),
        daemon=True,
    )
    server.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()
        server.join(10)


@contextmanager
def answering(
    answers: Sequence[Answer | None],
    *,
    hangs_up: bool = False,
    requests: list[bytes] | None = None,
) -> Iterator[Connection]:
    """A connection, bound already, to a server that is `listening`."""
    with listening(answers, hangs_up=hangs_up, requests=requests) as port:
        connection = Connection(
            Server("127.0.0.1", port=port, get_info=NONE), receive_timeout=20, read_only=True
        )
        try:
            connection.bind()
            yield connection
        finally:
            if connection.socket is not None:
                connection.socket.close()


def _serve(
    listener: socket.socket,
    answers: Sequence[Answer | None],
    hangs_up: bool,
    requests: list[bytes],
) -> None:
    link, _ = listener.accept()
    with link, contextlib.suppress(ConnectionError):
        link.settimeout(20)
        for answer in answers:
            number = _request_id(link, requests)
            if number is None or answer is None:
                return
            link.sendall(answer(number))
        while not hangs_up and link.recv(1 << 16):
            pass


def _request_id(link: socket.socket, requests: list[bytes]) -> int | None:
    """Reads one request whole."""
    data = b""
    while len(data) < 6 or len(data) < _size(data):
        block = link.recv(1 << 16)
        if not block:
            return None
        data += block
    requests.append(data)
    at = 2 + (data[1] & 0x7F if data[1] & 0x80 else 0)
    return int.from_bytes(data[at + 2 : at + 2 + data[at + 1]], "big")


def _size(data: bytes) -> int:
    count = data[1] & 0x7F if data[1] & 0x80 else 0
    return 2 + count + (int.from_bytes(data[2 : 2 + count], "big") if count else data[1])
