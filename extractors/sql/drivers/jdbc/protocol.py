"""The wire to the Java reader: messages out, frames in, each with a time limit."""

import csv
import fcntl
import io
import select
import struct
import time
from collections.abc import Sequence
from subprocess import Popen
from typing import NamedTuple

_PIPE_BYTES = 1 << 20
_F_SETPIPE_SZ = getattr(fcntl, "F_SETPIPE_SZ", None)


class Frame(NamedTuple):
    """A frame: R connected, H a query's columns, D rows as CSV, E the end, X an error."""

    letter: str
    content: bytes

    def texts(self) -> list[str]:
        """Returns the texts of an R, H or X."""
        return next(csv.reader(io.StringIO(self.content.decode(), newline="")), [])


class Cut(Exception):  # noqa: N818 - a turn of events between two modules, never seen outside
    """No whole frame came: the process ended, or nothing was heard of it for too long."""

    def __init__(self, *, is_silent: bool) -> None:
        super().__init__()
        self.is_silent = is_silent


def widen(process: "Popen[bytes]") -> None:
    """Makes the pipe from the process as wide as a frame is long, where the system can."""
    assert process.stdout is not None  # noqa: S101 - a pipe, as it was started
    if _F_SETPIPE_SZ is not None:
        try:
            fcntl.fcntl(process.stdout, _F_SETPIPE_SZ, _PIPE_BYTES)
        except OSError:  # more than a user may have: slower, and all the same
            return


def send(process: "Popen[bytes]", texts: Sequence[str | None]) -> None:
    """Sends one message: a list of texts, each of which may be null.

    Raises:
        Cut: the process has ended.
    """
    assert process.stdin is not None  # noqa: S101 - a pipe, as it was started
    parts = [struct.pack(">i", len(texts))]
    for text in texts:
        encoded = b"" if text is None else text.encode()
        parts += [struct.pack(">i", -1 if text is None else len(encoded)), encoded]
    try:
        process.stdin.write(b"".join(parts))
        process.stdin.flush()
    except BrokenPipeError:
        raise Cut(is_silent=False) from None


def receive(process: "Popen[bytes]", limit_s: float) -> Frame:
    """Waits for the next frame, and returns it whole.

    Raises:
        Cut: the stream ended in or before it, or `limit_s` seconds passed without a byte.
    """
    letter, length = struct.unpack(">ci", _exactly(process, 5, limit_s))
    return Frame(letter.decode(), _exactly(process, length, limit_s))


def _exactly(process: "Popen[bytes]", count: int, limit_s: float) -> bytes:
    stream = process.stdout
    assert isinstance(stream, io.FileIO)  # noqa: S101 - an unbuffered pipe, as it was started
    waiting = select.poll()
    waiting.register(stream, select.POLLIN)
    content = bytearray(count)
    room = memoryview(content)
    heard_at = time.monotonic()
    while room:
        if not waiting.poll(max(0.0, heard_at + limit_s - time.monotonic()) * 1000):
            raise Cut(is_silent=True)
        read = stream.readinto(room)
        if not read:
            raise Cut(is_silent=False)
        heard_at = time.monotonic()
        room = room[read:]
    return bytes(content)
