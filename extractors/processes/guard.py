"""Runs a command for as long as whoever wants it lives: `python guard.py DESCRIPTOR COMMAND…`.

A script with nothing but the standard library, the first of a process group of its own. The
descriptor is the end of a pipe whose other end closes with the process that wants the command,
even where that was killed; then the whole group ends.
"""

import os
import select
import signal
import sys
from collections.abc import Sequence

_CANNOT_BE_RUN = 126


def guard(watched: int, command: Sequence[str]) -> int:
    """Runs the command; its wait status."""
    os.set_inheritable(watched, False)
    has_ended, tells_end = os.pipe()
    os.set_blocking(tells_end, False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.set_wakeup_fd(tells_end)
    child = os.fork()
    if not child:
        _become(command)
    _let_go_of_its_pipes()
    waiting = select.poll()
    waiting.register(watched, select.POLLIN)
    waiting.register(has_ended, select.POLLIN)
    while True:
        if any(descriptor == watched for descriptor, _ in waiting.poll()):
            os.killpg(0, signal.SIGKILL)
        os.read(has_ended, 1)
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status


def _become(command: Sequence[str]) -> None:
    for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], list(command))  # noqa: S606 - no shell
    except OSError:
        os._exit(_CANNOT_BE_RUN)


def _let_go_of_its_pipes() -> None:
    """So that who reads them sees their end when the command closes them."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(null, descriptor)


def _end_as(status: int) -> None:
    """Ends this process as the command ended: by its exit code, or by its signal."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        if -code not in {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    _end_as(guard(int(sys.argv[1]), sys.argv[2:]))
