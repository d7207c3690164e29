"""The command line: what people type.

Each command is declared here and done in a module of its own.

Heavy imports stand inside the commands, so that `--help` and a wrong option answer at once.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from flows.bugs import report_bug
from schemas.errors import IngestError

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

Workspace = Annotated[
    Path, typer.Option("--workspace", "-w", metavar="DIR", help="The folder with `sources/*.yaml`.")
]
Json = Annotated[
    bool, typer.Option("--json", help="One JSON document on stdout, everything else on stderr.")
]
HERE = Path()


def _version(wanted: bool) -> None:
    if wanted:
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


@app.command()
def check(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE]...", help="Sources; all without any.")
    ] = None,
    workspace: Workspace = HERE,
    as_json: Json = False,
) -> None:
    """Read the source files, probe each source and the Lumos API; upload nothing.

    Example: `lumos-ingest check hr`
    """
    from flows.checking import check_command

    raise typer.Exit(check_command(workspace, sources or [], as_json=as_json))


@app.command()
def preview(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The source.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="Write the tables there: Parquet, and Lumos's CSV."
        ),
    ] = None,
    markdown: Annotated[
        bool,
        typer.Option(
            "--markdown", help="Print a plan for sharing: ids are hashes, no value of a row."
        ),
    ] = False,
    workspace: Workspace = HERE,
    as_json: Json = False,
) -> None:
    """Show what a sync would do now: rejects, changes, and the guards' verdict. Upload nothing.

    Exits 3 where a guard would hold the upload. Example: `lumos-ingest preview hr --out plan/`
    """
    from flows.previewing import preview_command

    if markdown and as_json:
        raise typer.BadParameter("--markdown and --json: choose one")
    raise typer.Exit(
        preview_command(workspace, source, out=out, as_markdown=markdown, as_json=as_json)
    )


@app.command()
def sync(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE]...", help="Sources, in this order.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every source of the workspace.")] = False,
    allow_removals: Annotated[
        bool,
        typer.Option(
            "--allow-removals",
            help="Let through the one plan that is held for its removals, if it is still the same.",
        ),
    ] = False,
    workspace: Workspace = HERE,
    as_json: Json = False,
) -> None:
    """Bring each source's app in Lumos to what the source says now.

    A plan that a guard stops is kept, uploads nothing, and exits 3.
    Example: `lumos-ingest sync hr` or `lumos-ingest sync --all`
    """
    from flows.syncing import sync_command

    raise typer.Exit(
        sync_command(
            workspace, sources or [], every=every, allow_removals=allow_removals, as_json=as_json
        )
    )


@app.command()
def runs(
    source: Annotated[
        str | None, typer.Argument(metavar="[SOURCE]", help="Only this source's runs.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 20,
    workspace: Workspace = HERE,
    as_json: Json = False,
) -> None:
    """List what happened, newest first.

    Example: `lumos-ingest runs hr --json`
    """
    from flows.listing import runs_command

    raise typer.Exit(runs_command(workspace, source, limit, as_json=as_json))


@app.command()
def demo(as_json: Json = False) -> None:
    """Sync the example sources into a sandbox, twice: a plan, a held guard, a kept reject.

    Needs no set-up and no network; leaves nothing behind. Example: `lumos-ingest demo`
    """
    from flows.demo import demo_command

    raise typer.Exit(demo_command(as_json=as_json))


@app.command()
def sandbox(  # noqa: PLR0913, PLR0917 - one parameter an option
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any free one.")] = 8765,
    db: Annotated[
        Path | None, typer.Option("--db", metavar="FILE", help="Keep its data in this SQLite file.")
    ] = None,
    token: Annotated[
        str, typer.Option("--token", help="The bearer token it wants.")
    ] = "lsk_sandbox",  # noqa: S107 - the stand-in's own, public
    uploads: Annotated[
        Literal["snapshot", "merge"],
        typer.Option(
            "--uploads", help="Whether accounts missing from an upload are gone, or stay."
        ),
    ] = "snapshot",
    job_seconds: Annotated[
        float, typer.Option("--job-seconds", min=0, help="How long a job takes.")
    ] = 0.5,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            "--fault", help="Do this wrong, such as `429=2*3`, `500@/accounts`, `job_fails`."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a local stand-in for the Lumos API until Ctrl-C; its page shows apps, accounts and jobs.

    Example: `lumos-ingest sandbox --port 8765 --fault 429=2`
    """
    from flows.sandboxing import SandboxOptions, sandbox_command

    options: SandboxOptions = {
        "db": db,
        "token": token,
        "uploads": uploads,
        "job_seconds": job_seconds,
        "faults": fault or [],
    }
    raise typer.Exit(sandbox_command(host, port, options, as_json=as_json))


@app.command()
def schema(as_json: Json = False) -> None:  # noqa: ARG001 - the schema is JSON either way
    """Print the JSON Schema of a source file, for editors.

    Example: `lumos-ingest schema > source.schema.json`
    """
    import json

    from schemas.source_file import SourceFile

    sys.stdout.write(json.dumps(SourceFile.model_json_schema(), indent=2) + "\n")


def main() -> None:
    """Runs what was typed; whatever a user can cause ends in one line and its exit code."""
    os.umask(0o077)
    sys.excepthook = report_bug
    try:
        app()
    except IngestError as error:
        sys.stderr.write(f"lumos-ingest: {error}\n")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has gone (`| head`); there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
