"""What brings a source's snapshot to Lumos: `check`, `preview`, `sync`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.options import HERE, Json, Workspace


def check(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE]...", help="Sources; all without any.")
    ] = None,
    privileges: Annotated[
        bool,
        typer.Option(
            "--privileges",
            help="Say what the account of each database could write, if it were let.",
        ),
    ] = False,
    account: Annotated[
        str | None,
        typer.Option(
            "--account", metavar="ID", help="Read this one account, by each database's get_account."
        ),
    ] = None,
    workspace: Workspace = HERE,
    as_json: Json = False,
) -> None:
    """Read the source files, probe each source and the Lumos API; upload nothing.

    Example: `lumos-ingest check hr` or `lumos-ingest check hr --privileges`
    """
    from flows.checking import check_command
    from flows.database_checks import DatabaseLook

    look = DatabaseLook(privileges=privileges, account_id=account)
    raise typer.Exit(check_command(workspace, sources or [], look, as_json=as_json))


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
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="DATE", help="Read the source's exports of that day."),
    ] = None,
    from_archive: Annotated[
        str | None,
        typer.Option(
            "--from-archive", metavar="RUN", help="Upload the snapshot of an accepted run again."
        ),
    ] = None,
    workspace: Workspace = HERE,
    as_json: Json = False,
) -> None:
    """Bring each source's app in Lumos to what the source says now.

    A plan that a guard stops is kept, uploads nothing, and exits 3.
    Example: `lumos-ingest sync hr` or `lumos-ingest sync --all`
    """
    from flows.origins import How, to_origin
    from flows.syncing import sync_command

    how = How(allow_removals, to_origin(as_of, from_archive))
    raise typer.Exit(sync_command(workspace, sources or [], how, every=every, as_json=as_json))
