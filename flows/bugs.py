"""A bug of ours: one line for the person, the traceback in a private file."""

import os
import sys
import tempfile
import traceback
from types import TracebackType


def report_bug(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """One line for a bug of ours; its traceback, which can quote a row, goes to a private file."""
    if issubclass(kind, KeyboardInterrupt):
        sys.stderr.write("lumos-ingest: interrupted; the next run settles what this one left\n")
        return
    handle, path = tempfile.mkstemp(prefix="lumos-ingest-bug-", suffix=".txt")
    with os.fdopen(handle, "w") as file:
        traceback.print_exception(kind, error, trace, file=file)
    sys.stderr.write(
        f"lumos-ingest: {kind.__name__}: a bug of this program, not of your data. "
        f"What it was doing, which may quote data, is in {path} (0600).\n"
    )
