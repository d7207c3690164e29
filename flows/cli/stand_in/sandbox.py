"""The command `sandbox`: the local Lumos API, until Ctrl-C."""

import sqlite3
from pathlib import Path
from typing import Literal, TypedDict

from flows.cli.output import Output
from sandbox.app import create_app
from sandbox.server import serve
from schemas.errors import ConfigError, raise_as
from schemas.network.loopback import is_loopback


class SandboxOptions(TypedDict):
    """What the sandbox is told at its start."""

    db: Path | None
    token: str
    uploads: Literal["snapshot", "merge"]
    job_seconds: float
    faults: list[str]


def sandbox_command(host: str, port: int, options: SandboxOptions, *, as_json: bool) -> int:
    """Runs the sandbox until Ctrl-C, then 0.

    Raises:
        ConfigError: an option that cannot be meant, a file that is no database, a port that is
            taken.
    """
    output = Output(as_json=as_json)

    def up(url: str) -> None:
        output.line(
            f"The sandbox, a local stand-in for the Lumos API, is at {url} (its page: {url}/)."
        )
        output.line("Ctrl-C stops it. In another terminal:")
        output.line(f"  export LUMOS_API_URL={url} LUMOS_API_TOKEN={options['token']}")
        output.document({"url": url, "token": options["token"]})
        if not is_loopback(host):
            output.note(
                f"lumos-ingest: sandbox: {host} is not loopback: whoever reaches it sees and "
                "changes what it holds, on its page without the token; leave --host away unless "
                "that is meant"
            )

    raise_as(
        lambda: serve(host, port, create_app(**options), up=up),
        {
            ValueError: lambda error: ConfigError(f"sandbox: {error}"),
            sqlite3.Error: lambda error: ConfigError(
                f"sandbox: --db {options['db']}: {error}: name a file that the sandbox made, or a "
                "new one"
            ),
            OSError: lambda error: ConfigError(
                f"sandbox: cannot listen on {host}:{port}: {error.strerror or error}"
            ),
        },
    )
    return 0
