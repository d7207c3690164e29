"""What needs no Lumos: `demo`, `sandbox`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from flows.commands.options import HERE, Json, Unused


def demo(
    _workspace: Unused = HERE,
    as_json: Json = False,
) -> None:
    """Sync the example sources into a sandbox, twice: a plan, a held guard, a kept reject.

    Needs no set-up, no workspace, no network; leaves nothing behind. Example: `lumos-ingest demo`
    """
    from flows.demo import demo_command

    raise typer.Exit(demo_command(as_json=as_json))


def sandbox(  # noqa: PLR0913, PLR0917 - one parameter an option
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any free one.")] = 8765,
    db: Annotated[
        Path | None,
        typer.Option(
            "--db", metavar="FILE", help="Keep its data in this SQLite file of the workspace."
        ),
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
    workspace: Annotated[
        Path, typer.Option("--workspace", "-w", metavar="DIR", help="Where a relative --db lies.")
    ] = HERE,
    as_json: Json = False,
) -> None:
    """Run a local stand-in for the Lumos API until Ctrl-C; its page shows apps, accounts and jobs.

    Example: `lumos-ingest sandbox --port 8765 --fault 429=2`
    """
    from flows.sandboxing import SandboxOptions, sandbox_command

    options: SandboxOptions = {
        "db": None if db is None else workspace / db,
        "token": token,
        "uploads": uploads,
        "job_seconds": job_seconds,
        "faults": fault or [],
    }
    raise typer.Exit(sandbox_command(host, port, options, as_json=as_json))
