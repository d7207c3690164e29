"""What only tells: `runs`, `schema`."""

import sys
from typing import Annotated

import typer

from flows.commands.options import HERE, Json, Unused, Workspace


def runs(
    source: Annotated[
        str | None, typer.Argument(metavar="[SOURCE]", help="Only this source's runs.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help="At most so many; without it 20, and all with --json."),
    ] = None,
    workspace: Workspace = HERE,
    as_json: Json = False,
) -> None:
    """List what happened, newest first.

    Example: `lumos-ingest runs hr --json`
    """
    from flows.listing import runs_command

    raise typer.Exit(runs_command(workspace, source, limit, as_json=as_json))


def schema(
    _workspace: Unused = HERE,
    _as_json: Json = False,
) -> None:
    """Print the JSON Schema of a source file, for editors. Needs no workspace, and is JSON always.

    Example: `lumos-ingest schema > source.schema.json`
    """
    import json

    from schemas.source_file import SourceFile

    sys.stdout.write(json.dumps(SourceFile.model_json_schema(), indent=2) + "\n")
