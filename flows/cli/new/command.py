"""The command `new`: a commented source file, proposed from what an export or a URL shows."""

import re
import sys
from pathlib import Path

from rich.prompt import Prompt

from flows.cli.new.database import ENGINES, of_database
from flows.cli.new.directory import of_directory
from flows.cli.new.export import of_export
from flows.cli.new.scim import of_scim
from flows.cli.new.written import Wanted, Written, app_lines
from flows.cli.output import Output, log_to_stderr
from flows.run.workspace import read_source_file
from schemas.errors import ConfigError

_URL = re.compile(r"(?:jdbc:)?(?P<scheme>[A-Za-z][\w.-]*)(?:\+\w+)?:(?://|thin:)")
_ZONES = frozenset({"s3", "gs", "az", "azure", "abfs", "abfss", "sftp"})
_EXPORT = re.compile(r"(?i)\.(csv|tsv|txt|xlsx|zip)(\.gz|\.zst)?$")


def new_command(workspace: Path, name: str, origin: str, *, as_json: bool) -> int:
    """Writes `sources/NAME.yaml`; 0.

    Raises:
        ConfigError: the file is there already, or nothing can be proposed from `origin`.
        SourceError: the export cannot be read.
    """
    output = Output(as_json=as_json)
    log_to_stderr(verbose=False)
    target = workspace / "sources" / f"{name}.yaml"
    if target.exists() or target.with_suffix(".yml").exists():
        raise ConfigError(f"{target}: is there already: choose another name, or edit it")
    asks = sys.stdin.isatty() and not as_json
    app = Prompt.ask("What is the app called in Lumos?", default=name) if asks else name
    wanted = Wanted(workspace, name, origin, asks=asks)
    made = _proposed(wanted)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join([*app_lines(app), *made.lines]) + "\n", "utf-8")
    try:
        read_source_file(target, workspace)
    except ConfigError:
        target.unlink()
        raise
    output.line(f"{target.relative_to(workspace)} is written. See what it says, and then type:")
    output.line(f"lumos-ingest preview {name}")
    for doubt in made.doubts:
        output.line(f"- {doubt}")
    output.document({"source": name, "path": str(target), "doubts": list(made.doubts)})
    return 0


def _proposed(wanted: Wanted) -> Written:
    """Returns what the source file may say, by what kind of place it is.

    Raises:
        ConfigError: no such kind of URL is known.
        SourceError: an export, or a database that cannot be proposed unseen, cannot be read.
    """
    url = _URL.match(wanted.origin)
    if url is None:
        return of_export(wanted)
    scheme = url["scheme"].lower()
    if scheme in {"ldap", "ldaps"}:
        return of_directory(wanted, scheme)
    if scheme in ENGINES or wanted.origin.startswith("jdbc:"):
        return of_database(wanted, ENGINES.get(scheme))
    is_web = scheme in {"http", "https"}
    if scheme in _ZONES or (is_web and _EXPORT.search(wanted.origin)):
        return of_export(wanted)
    if is_web:
        return of_scim(wanted)
    raise ConfigError(f"{scheme}://: nothing is known of such a URL: see docs/source-file.md")
