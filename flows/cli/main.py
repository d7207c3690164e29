"""The command line: its commands together, and how each ends for whoever typed it."""

import gc
import os
import sys
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
    runs,
    sandbox,
    schema,
    serve,
    stop_worker,
    sync,
    why,
)
from flows.cli.output import Output, go_quiet, never_fail_to_encode
from flows.run.crash_report import report_bug
from schemas.errors import IngestError

OBJECTS_A_COLLECTION = 100_000
"""How many objects more than went there are before the collector looks for cycles.

Python's 700 has it walk through every library that is loaded, again and again, while they load and
while a large document is parsed: two thirds of the time that the sandbox takes for an upload.
"""

app = typer.Typer(
    name="lumos-ingest",
    no_args_is_help=True,
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


for _command in (check, preview, sync, approve, reject, abandon, activity, backfill):
    app.command()(_command)
for _other in (serve, deploy, stop_worker, runs, why, repair, init, new, demo, sandbox, schema):
    app.command()(_other)


def main() -> None:
    """Runs what was typed; whatever a user can cause ends in one line and its exit code."""
    gc.set_threshold(OBJECTS_A_COLLECTION)
    os.umask(0o077)
    never_fail_to_encode()
    try:
        app()
    except IngestError as error:
        line, code = str(error), error.exit_code
        sys.stderr.write(f"lumos-ingest: {line}\n")
    except BrokenPipeError:
        # Whoever read our output has gone (`| head`); there is nobody left to tell.
        go_quiet(sys.stdout)
        sys.exit(1)
    except SystemExit as ended:
        usage = _wrong_usage(ended)
        if usage is None:
            raise
        line, code = usage, 2
    except Exception as bug:  # noqa: BLE001 - whatever is left is a bug: one line, no traceback
        line, code = report_bug(bug), 1
    if "--json" in sys.argv:
        Output(as_json=True).document({"error": line, "exit_code": code})
    sys.exit(code)


def _wrong_usage(ended: SystemExit) -> str | None:
    """What was wrong with the words typed, told on stderr already; None of any other end."""
    # Typer has shown its own exception by then, and ends with this one in its place.
    shown = getattr(ended.__context__, "format_message", None)
    return None if shown is None else str(shown())
