"""Starts a program that ends with the block it is started for, and with this process.

Linux would do so itself (`PR_SET_PDEATHSIG`), but for the program alone, not for what it starts;
and it goes by the thread that started it.
"""

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from extractors.processes import guard


@contextmanager
def running(
    command: Sequence[str],
    *,
    cwd: Path,
    env: dict[str, str] | None = None,
    stdin: int | None = None,
    stderr: int = subprocess.DEVNULL,
) -> Iterator["subprocess.Popen[bytes]"]:
    """Runs a command for the time of a `with`: its process, whose stdout is a pipe.

    What it started, and what is in its process group still, ends with the block or with this
    process, whichever ends first, and however.

    Args:
        command: the program and its arguments; no shell sees them.
        cwd: the folder in which it runs.
        env: its environment; this process's own where none is given.
        stdin: as of `subprocess.Popen`; this process's own where none is given.
        stderr: as of `subprocess.Popen`; nowhere where none is given.

    Raises:
        OSError: there is no such program, or it may not be run.
    """
    _check_is_program(command[0], cwd)
    watched, alive = os.pipe()
    try:
        process = subprocess.Popen(  # noqa: S603 - a command of the workspace's own, without a shell
            [sys.executable, "-I", "-S", guard.__file__, str(watched), *command],
            cwd=cwd,
            env=env,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            pass_fds=(watched,),
            start_new_session=True,
        )
    except OSError:
        os.close(alive)
        raise
    finally:
        os.close(watched)
    try:
        yield process
    finally:
        os.close(alive)
        _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ends the group, where its guard has not ended by itself."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _check_is_program(program: str, cwd: Path) -> None:
    """Raises as starting it would: it is the guard that starts it."""
    if os.sep in program:
        path = cwd / program
        if not path.exists():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        if path.is_dir() or not os.access(path, os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    elif shutil.which(program) is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
