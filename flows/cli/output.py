"""What a command says: tables and a bar on a terminal, plain lines elsewhere, or one JSON document.

Stdout is for what was asked for; everything else goes to stderr.
"""

import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TextIO

from rich.console import Console
from rich.markup import escape

from flows.cli.lines.layout import table_lines, wrapped
from flows.cli.lines.logs import OURS, LogFormat, log_to_stderr, tell
from flows.cli.lines.progress import LineOf, Moved, plain_lines, watched_lines

__all__ = ["OURS", "Moved", "Output", "go_quiet", "log_to_stderr", "never_fail_to_encode"]

_UNBOUNDED = 10_000
"""As wide as nothing is: where no person looks, a line is one line."""


class Output:
    """Where a command's words go.

    `as_json` holds back everything but the one document; NO_COLOR is honoured by rich.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._out = _console(stderr=False)
        self._err = _console(stderr=True)

    @property
    def is_terminal(self) -> bool:
        """Whether stdout is read by a person, as it is written."""
        return self._out.is_terminal

    @property
    def width(self) -> int | None:
        """How wide stdout is, in letters; None where it is no terminal."""
        return self._out.width if self._out.is_terminal else None

    def line(self, text: str, style: str | None = None) -> None:
        """One line for a person, on stdout; at a terminal, no word of it is broken."""
        if not self.as_json:
            shown = "\n".join(wrapped(text, self.width))
            self._out.print(escape(shown), style=style, highlight=False, soft_wrap=True)

    def note(self, text: str, level: str = "info") -> None:
        """One line about the work, on stderr."""
        if LogFormat.is_json:
            tell(text, level)
            return
        shown = "\n".join(wrapped(text, self._err.width if self._err.is_terminal else None))
        self._err.print(escape(shown), highlight=False, soft_wrap=True)

    def error(self, text: str) -> None:
        """One line about what is wrong, on stderr."""
        self.note(f"lumos-ingest: {text}", "error")

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A table for a person; numbers stand to the right."""
        if self.as_json:
            return
        style = "bold" if self._out.is_terminal else None
        self.line(title, style)
        heading, *body = table_lines(columns, rows, self.width)
        self._print(heading, style)
        for line in body:
            self._print(line)
        self.line("")

    def _print(self, line: str, style: str | None = None) -> None:
        """A line as it is, whatever its width."""
        self._out.print(escape(line), style=style, highlight=False, soft_wrap=True)

    def text(self, text: str) -> None:
        """Text as it is, on stdout: Markdown, JSON."""
        try:
            sys.stdout.write(text if text.endswith("\n") else text + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            go_quiet(sys.stdout)

    def document(self, content: object) -> None:
        """The one JSON document, where it was asked for."""
        if self.as_json:
            self.text(to_json(content))

    def json_line(self, content: object) -> None:
        """One line of JSON, of a command that has one an event."""
        if self.as_json:
            self.text(json.dumps(content, default=str))

    @contextmanager
    def together(self) -> Iterator[None]:
        """The block whose lines, of this thread, are written at its end and in one piece."""
        with self._out, self._err:
            yield

    @contextmanager
    def progress(self) -> Iterator[Moved]:
        """A callback (stage, done, total): its line moves at a terminal, and is told elsewhere."""
        with self.progress_lines() as line_of, line_of("") as moved:
            yield moved

    def progress_lines(self) -> AbstractContextManager[LineOf]:
        """Gives a line by its name, for a block: a callback as of `progress`."""
        if self._err.is_terminal and not LogFormat.is_json:
            return watched_lines(self._err)
        return plain_lines(lambda text: self.note(f"lumos-ingest: {text}"))


def tell_error(text: str) -> None:
    """Says on stderr what is wrong, where no command has begun."""
    Output(as_json=False).error(text)


class _Console(Console):
    """A console that goes on without its reader: what is at work must not end with `| head`."""

    def on_broken_pipe(self) -> None:
        """Say nothing from here on."""
        self.quiet = True
        go_quiet(sys.stderr if self.stderr else sys.stdout)


def go_quiet(stream: TextIO) -> None:
    """Points a stream whose reader has gone at the null device."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


def never_fail_to_encode() -> None:
    """Lets stdout write `?` for a letter that its encoding lacks, rather than fail."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def to_json(content: object) -> str:
    """The content as JSON; with escapes where stdout cannot hold every letter."""
    holds_all = (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    return json.dumps(content, indent=2, ensure_ascii=not holds_all, default=str)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    return _Console(stderr=stderr, width=None if stream.isatty() else _UNBOUNDED)
