"""The command `init`: a workspace laid out in a folder."""

from pathlib import Path

from flows.cli.output import Output
from schemas.errors import ConfigError, raise_as

_FOLDERS = ("sources", "exports")
_IGNORED = """\
# Ledger and archive, tokens, and people's data are never committed.
.lumos-ingest/
.env
exports/
"""
_SETTINGS = """\
# The token of the Lumos API; for a sandbox (`lumos-ingest sandbox`), its address too.
#LUMOS_API_TOKEN=lsk_...
#LUMOS_API_URL=http://127.0.0.1:8765
"""


def init_command(workspace: Path, *, as_json: bool) -> int:
    """Makes the folders and files of a workspace that are not there yet; 0.

    Raises:
        ConfigError: they cannot be made.
    """
    output = Output(as_json=as_json)
    made = raise_as(
        lambda: _made(workspace),
        {OSError: lambda error: ConfigError(f"{workspace}: cannot be laid out: {error.strerror}")},
    )
    for name in made:
        output.line(f"made {name}")
    if not made:
        output.line(f"{workspace.resolve()} is laid out already; nothing was changed")
    output.line("")
    output.line("Next: lumos-ingest new hr --from exports/hr.csv, or write sources/hr.yaml;")
    output.line("then the token into .env, and lumos-ingest check")
    output.document({"workspace": str(workspace.resolve()), "made": made})
    return 0


def _made(workspace: Path) -> list[str]:
    """Makes what is missing; its names, folders with a slash."""
    made = []
    for name in _FOLDERS:
        folder = workspace / name
        if not folder.is_dir():
            folder.mkdir(parents=True, mode=0o700)
            made.append(f"{name}/")
    for name, text in ((".gitignore", _IGNORED), (".env", _SETTINGS)):
        file = workspace / name
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(text, "utf-8")
            made.append(name)
    return made
