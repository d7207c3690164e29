"""What a command says: tables and a bar on a terminal, plain lines elsewhere, or one JSON document.

Stdout is for what was asked for; everything else goes to stderr.
"""

import io
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

OURS = ("extractors", "transforms", "loaders", "flows", "sandbox")
PLAIN_WIDTH = 200

Moved = Callable[[str, int, int], None]
"""Told (stage, how much is done, of how much; 0 where that is not known)."""


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

    def line(self, text: str, style: str | None = None) -> None:
        """One line for a person, on stdout."""
        if not self.as_json:
            self._out.print(escape(text), style=style, highlight=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """One line about the work, on stderr."""
        self._err.print(escape(text), highlight=False, soft_wrap=True)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A table for a person; numbers stand to the right."""
        if self.as_json:
            return
        is_terminal = self._out.is_terminal
        style = "bold" if is_terminal else ""
        # Not the table's own title, which would be wrapped at the table's width.
        self._out.print(escape(title), style=style, highlight=False, soft_wrap=True)
        table = Table(box=SIMPLE_HEAD if is_terminal else None, header_style=style)
        for number, name in enumerate(columns):
            is_number = bool(rows) and all(isinstance(row[number], int | None) for row in rows)
            table.add_column(name, justify="right" if is_number else "left", overflow="fold")
        for row in rows:
            table.add_row(*("" if cell is None else escape(str(cell)) for cell in row))
        self._out.print(table)
        self._out.print()

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
        """A callback (stage, done, total) that moves a bar on a terminal; silent elsewhere."""
        with self.progress_lines() as line_of, line_of("") as moved:
            yield moved

    @contextmanager
    def progress_lines(self) -> Iterator[Callable[[str], AbstractContextManager[Moved]]]:
        """Gives a line by its name, for a block: a callback as of `progress`."""
        if not self._err.is_terminal:
            yield lambda _name: nullcontext(lambda _stage, _done, _total: None)
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
        )
        with Progress(*columns, console=self._err, transient=True) as bar:

            @contextmanager
            def line_of(name: str) -> Iterator[Moved]:
                task = bar.add_task(name, total=None)

                def moved(stage: str, done: int, total: int) -> None:
                    text = f"{name}: {stage}" if name else stage
                    bar.update(task, description=text, completed=done, total=total or None)

                yield moved
                bar.remove_task(task)

            yield line_of


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
    # A text between colons is a text: Lumos has `:` in ids, and no emoji is meant.
    width = None if stream.isatty() else PLAIN_WIDTH
    return _Console(stderr=stderr, width=width, emoji=False)


def log_to_stderr(*, verbose: bool) -> None:
    """Our own loggers' lines on stderr: one a stage where nobody watches a bar; warnings always."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    # Not the loggers' own level: a Prefect server gets every line, whoever watches here.
    handler.setLevel(logging.WARNING if sys.stderr.isatty() and not verbose else logging.INFO)
    for name in OURS:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(logging.INFO)
        logger.propagate = False
