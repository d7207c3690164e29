"""A bug of ours: one line for the person, the traceback in a private file."""

import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import TypeVar

from schemas.errors import IngestError

_Done = TypeVar("_Done")

_RUST = "pyo3_runtime"
"""Where the panics of libraries written in Rust are from: they are no Exception."""


class BugError(RuntimeError):
    """A bug whose traceback is in a private file already; its own text quotes no data.

    Attributes:
        run_id: the run that it ended; None where no run had begun.
        exit_code: the command's.
    """

    exit_code = 1
    run_id: str | None = None


def save_bug(bug: BaseException) -> str | None:
    """The new private file, 0600, with the traceback, which can quote a row; None where none."""
    try:
        handle, path = tempfile.mkstemp(prefix="lumos-ingest-bug-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            traceback.print_exception(bug, file=file)
    except OSError:
        return None
    return path


def bug_line(bug: BaseException) -> str:
    """One line about the bug, without its text; its traceback is saved where it is not yet."""
    if isinstance(bug, BugError):
        return str(bug)
    path = save_bug(bug)
    kept = f"see {path} (0600; it may quote data)" if path else "its traceback could not be saved"
    return f"{type(bug).__name__}: a bug of this program, not of your data; {kept}"


def report_bug(bug: BaseException) -> str:
    """Says the line about the bug on stderr, and returns it."""
    line = bug_line(bug)
    sys.stderr.write(f"lumos-ingest: {line}\n")
    return line


def without_text(work: Callable[[], _Done]) -> _Done:
    """What `work` returns; a bug in it goes on without its text, which can quote a row.

    Raises:
        IngestError: as `work` raised it.
        BugError: anything else went wrong; with neither cause nor context.
    """
    try:
        return work()
    except (IngestError, BugError):
        raise
    except BaseException as bug:  # what is left is a bug, and goes no further
        if not isinstance(bug, Exception) and type(bug).__module__ != _RUST:
            raise
        line = bug_line(bug)
    raise BugError(line) from None
