"""Who a process is, so that another one can tell whether it still lives."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_START_TIME = 21
_STATE = 2
_ENDED = {"Z", "X"}


@dataclass(frozen=True, slots=True)
class Process:
    """A process.

    Attributes:
        host: the name of its machine.
        pid: its number there.
        started: when it began, in ticks since the machine did; empty where the system does not
            tell. A number is used again, a number with its beginning is not.
        place: the machine's present life and the process table: where it can be looked up. Two
            containers may share a host's name, and know nothing of each other's processes.
    """

    host: str
    pid: int
    started: str
    place: str

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}:{self.started}"


def this_process() -> Process:
    """The process that asks."""
    pid = os.getpid()
    return process_of(pid) or Process(socket.gethostname(), pid, "", _this_place())


def process_of(pid: int) -> Process | None:
    """This machine's process of that number; None where none can be seen."""
    stat = _stat_of(pid)
    if stat is None:
        return None
    return Process(socket.gethostname(), pid, stat[_START_TIME], _this_place())


def to_process(text: str, place: str) -> Process:
    """The process that `str` of it and its place name."""
    host, pid, started = text.rsplit(":", 2)
    return Process(host, int(pid), started, place)


def is_dead(process: Process) -> bool:
    """Whether the process certainly is no more; False where that cannot be told from here."""
    if process.host != socket.gethostname() or process.place != _this_place():
        return False
    stat = _stat_of(process.pid)
    if stat is not None:
        is_another = bool(process.started) and stat[_START_TIME] != process.started
        return is_another or stat[_STATE] in _ENDED
    return not _answers(process.pid)


def _stat_of(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat (proc(5)), from number 0; None where there is none."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name stands in brackets and may hold anything, brackets too.
    before, _, after = text.rpartition(")")
    return [*before.split(" (", 1), *after.split()]


def _answers(pid: int) -> bool:
    """Whether there is such a process, as far as signals tell; /proc may be hidden from us."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _this_place() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return ""
