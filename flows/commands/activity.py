"""What brings activity records to Lumos: `activity`, `backfill`."""

from typing import Annotated

import typer

from flows.commands.options import HERE, Json, Workspace


def activity(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE]...", help="Sources, in this order.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every source that has a block activity.")
    ] = False,
    workspace: Workspace = HERE,
    as_json: Json = False,
) -> None:
    """Send each source's activity records since its watermark: who used what, when.

    Example: `lumos-ingest activity hr` or `lumos-ingest activity --all`
    """
    from flows.sending import activity_command

    raise typer.Exit(activity_command(workspace, sources or [], every=every, as_json=as_json))


def backfill(  # noqa: PLR0913, PLR0917 - one parameter an option
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The source.")],
    since: Annotated[str, typer.Option("--since", metavar="T", help="From this date or time on.")],
    until: Annotated[str, typer.Option("--until", metavar="T", help="Before this date or time.")],
    window: Annotated[
        str, typer.Option("--window", metavar="DURATION", help="How much goes in one run.")
    ] = "1d",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what would be sent; send nothing.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Send also the windows that are done.")
    ] = False,
    workspace: Workspace = HERE,
    as_json: Json = False,
) -> None:
    """Send the activity of a past time, window by window; one that was cut off goes on.

    The watermark stays where it is. Example:
    `lumos-ingest backfill hr --since 2026-01-01 --until 2026-07-01 --window 7d`
    """
    from flows.backfilling import backfill_command

    raise typer.Exit(
        backfill_command(
            workspace, source, (since, until, window), again=again, is_dry=dry_run, as_json=as_json
        )
    )
