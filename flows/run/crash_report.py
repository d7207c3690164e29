"""A bug of ours: one line for the person, the traceback in a private file of the state folder."""

import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, TypeVar

from schemas.errors import IngestError

_Done = TypeVar("_Done")

_RUST = "pyo3_runtime"
"""Where the panics of libraries written in Rust are from: they are no Exception."""

FOLDER = "bugs"
"""Where in a state folder the reports lie."""

MOST_REPORTS = 50
"""How many reports are kept: a bug that comes every minute fills no disk."""


class _Process:
    """What this process has come to; it begins before any workspace is known."""

    state: ClassVar[Path | None] = None


class BugError(RuntimeError):
    """A bug whose traceback is in a private file already; its own text quotes no data.

    Attributes:
        run_id: the run that it ended; None where no run had begun.
        exit_code: the command's.
    """

    exit_code = 1
    run_id: str | None = None


def keep_reports_in(state: Path | None) -> None:
    """From here on the reports of this process go into that state folder, unless one is named.

    None forgets it: they go to the user's own again.
    """
    _Process.state = state


def save_bug(bug: BaseException, state: Path | None = None) -> Path | None:
    """The new private file, 0600, with the traceback, which can quote a row; None where none.

    It lies in the state folder; where the process has come to none, in the user's own.
    """
    folder = (state or _Process.state or _of_the_user()) / FOLDER
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    try:
        for each in (folder.parent, folder):  # the mode is that of the last one alone
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        forget_reports(folder.parent)
        handle, path = tempfile.mkstemp(prefix=f"{stamp}-", suffix=".txt", dir=folder)
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            traceback.print_exception(bug, file=file)
    except OSError:
        return None
    return Path(path)


def forget_reports(state: Path, before: datetime | None = None) -> None:
    """Removes all but the newest reports of a state folder, and those written before a moment."""
    with suppress(OSError):
        reports = sorted((state / FOLDER).glob("*.txt"), reverse=True)
        old = [] if before is None else reports
        for report in {*reports[MOST_REPORTS - 1 :], *(x for x in old if _is_older(x, before))}:
            report.unlink(missing_ok=True)


def _is_older(report: Path, before: datetime | None) -> bool:
    return before is not None and report.stat().st_mtime < before.timestamp()


def _of_the_user() -> Path:
    """Where programs keep what is of no workspace (XDG Base Directory Specification 0.8)."""
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(base).expanduser() / "lumos-ingest"


def bug_line(bug: BaseException, state: Path | None = None) -> str:
    """One line about the bug, without its text; its traceback is saved where it is not yet."""
    if isinstance(bug, BugError):
        return str(bug)
    path = save_bug(bug, state)
    kept = f"see {path} (0600; it may quote data)" if path else "its traceback could not be saved"
    return f"{type(bug).__name__}: a bug of this program, not of your data; {kept}"


def report_bug(bug: BaseException) -> str:
    """Says the line about the bug on stderr, and returns it."""
    line = bug_line(bug)
    sys.stderr.write(f"lumos-ingest: {line}\n")
    return line


def without_text(work: Callable[[], _Done], state: Path | None = None) -> _Done:
    """What `work` returns; a bug in it goes on without its text, which can quote a row.

    Its traceback goes into the state folder `state`; None means that of the process.

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
        line = bug_line(bug, state)
    raise BugError(line) from None
