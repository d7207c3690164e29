"""The command line: its commands together, and how each ends for whoever typed it."""

import os
import signal
import sys
import threading
from types import FrameType
from typing import Annotated

import typer

from flows.cli.commands import (
    abandon,
    activity,
    approve,
    backfill,
    check,
    demo,
    deploy,
    init,
    new,
    preview,
    reject,
    repair,
    report,
    runs,
    sandbox,
    schema,
    serve,
    stop_worker,
    sync,
    why,
)
from flows.cli.output import Output, go_quiet, never_fail_to_encode, tell_error
from flows.cli.telemetry import observed
from flows.cli.usage import check_command_name, reordered, usage_line
from flows.run.crash_report import bug_line
from schemas.errors import ConfigError, IngestError

app = typer.Typer(
    name="lumos-ingest",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Identities into Lumos: read whole, checked, planned, guarded, uploaded as one snapshot.",
    epilog="Exit codes: 0 done; 1 a run failed; 2 wrong usage or a wrong source file; "
    "3 a guard held the upload and a person must decide.",
)


def _version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        sys.stdout.write(f"lumos-ingest {version('lumos-ingest')}\n")
        raise typer.Exit


@app.callback()
def lumos_ingest(
    _version_wanted: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Identities into Lumos: read whole, checked, planned, guarded, uploaded as one snapshot."""


_COMMANDS = (check, preview, sync, approve, reject, abandon, activity, backfill, serve, deploy)
_OTHERS = (stop_worker, runs, report, why, repair, init, new, demo, sandbox, schema)
for _command in (*_COMMANDS, *_OTHERS):
    app.command()(_command)

_NAMES = [_command.__name__.replace("_", "-") for _command in (*_COMMANDS, *_OTHERS)]
_SENDING = frozenset({"sync", "activity", "backfill"})
"""Commands that take an interrupt themselves as soon as something may have been sent."""

INTERRUPTED = 130
"""The exit code of what Ctrl-C ended."""


def main() -> None:
    """Runs what was typed; whatever a user can cause ends in one line and its exit code."""
    os.umask(0o077)
    never_fail_to_encode()
    words = reordered(sys.argv[1:])
    code, line = _typed(words)
    if line is not None and "--json" in words:
        Output(as_json=True).document({"error": line, "exit_code": code})
    sys.exit(code)


def _typed(words: list[str]) -> tuple[int, str | None]:
    """Runs the command; its exit code, and the line that was told where nothing could begin."""
    came: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        came.append(number)
        signal.default_int_handler(number, frame)

    if threading.current_thread() is not threading.main_thread():
        return _run(words)
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        code, line = _run(words)
    finally:
        signal.signal(signal.SIGINT, before)
    # A command that takes interrupts itself, has said what became of its runs.
    if came and code == INTERRUPTED:
        tell_error("stopped; nothing was sent" if words[0] in _SENDING else "stopped")
    return code, line


def _run(words: list[str]) -> tuple[int, str | None]:
    try:
        check_command_name(words, _NAMES)
        with observed(words):
            code = app(words or ["--help"], standalone_mode=False)
    except IngestError as error:
        tell_error(str(error))
        return error.exit_code, str(error)
    except BrokenPipeError:
        # Whoever read our output has gone (`| head`); there is nobody left to tell.
        go_quiet(sys.stdout)
        return 1, None
    except Exception as error:  # noqa: BLE001 - words refused, or a bug: one line, no traceback
        usage = usage_line(error)
        if usage is None:
            usage = bug_line(error)
            tell_error(usage)
            return 1, usage
        tell_error(usage)
        return ConfigError.exit_code, usage
    return (code or 0) if words else ConfigError.exit_code, None
