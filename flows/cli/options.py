"""Options that every command has."""

from pathlib import Path
from typing import Annotated

import typer

Workspace = Annotated[
    Path, typer.Option("--workspace", "-w", metavar="DIR", help="The folder with `sources/*.yaml`.")
]
Json = Annotated[
    bool, typer.Option("--json", help="One JSON document on stdout, everything else on stderr.")
]
Unused = Annotated[
    Path, typer.Option("--workspace", "-w", metavar="DIR", help="Not needed: no workspace is read.")
]
HERE = Path()
