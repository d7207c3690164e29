"""The command `repair`: ledger and archive do not belong together, and a person takes them so."""

from dataclasses import asdict
from pathlib import Path

from flows.cli.output import Output, log_to_stderr
from flows.run.consistency import repair_state
from flows.run.context import open_context
from flows.run.settings import read_settings


def repair_command(workspace: Path, reason: str, *, as_json: bool) -> int:
    """Takes ledger and archive as they are, and puts every app in doubt; 0.

    Raises:
        ConfigError: the workspace is none, or no reason is given.
        StateError: ledger or archive cannot be used.
    """
    output = Output(as_json=as_json)
    log_to_stderr(verbose=False)
    with open_context(read_settings(workspace), with_lumos=False) as context:
        repaired = repair_state(context, reason)
    output.line(
        f"ledger and archive are taken as they are: {repaired.adopted} runs of the archive were "
        f"not in the ledger, {repaired.ended} that were under way are ended."
    )
    output.line(
        "Every app is in doubt until its next accepted run: plans are compared with what Lumos "
        "holds too. Look at each: lumos-ingest preview SOURCE"
    )
    output.document(asdict(repaired))
    return 0
