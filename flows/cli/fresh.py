"""The command `check --fresh`: which sources were not accepted for too long; for a monitor."""

from datetime import timedelta
from pathlib import Path

from flows.cli.output import Output, log_to_stderr
from flows.run.context import open_context
from flows.run.settings import read_settings
from flows.run.workspace import pick_sources
from flows.schedule.fresh import Freshness, freshness
from schemas.errors import IngestError
from schemas.source_file.quantities import duration_text


def fresh_command(workspace: Path, names: list[str], longest: timedelta, *, as_json: bool) -> int:
    """0 where every source was accepted lately; 1, and a line each, where some were not.

    It asks the ledger alone: it answers also where the sources, Lumos or a Prefect server do not.

    Raises:
        ConfigError: the workspace is wrong, or a source that is named is not in it.
        StateError: the ledger cannot be read.
    """
    output = Output(as_json=as_json)
    log_to_stderr(verbose=False)
    settings = read_settings(workspace)
    sources, broken = pick_sources(settings.workspace, names, every=not names)
    with open_context(settings, with_lumos=False) as context:
        now = context.now()
        found = freshness(sources, context.ledger, now, longest)
    for one in found:
        if one.accepted_at is None:
            text = f"{one.source}: never accepted"
        else:
            text = f"{one.source}: accepted {duration_text(now - one.accepted_at)} ago"
        if one.is_fresh:
            output.line(text)
        else:
            output.note(f"lumos-ingest: {text}, not within {duration_text(longest)}")
    for line in map(str, broken.values()):
        output.note(f"lumos-ingest: {line}")
    output.document({"sources": {one.source: _document(one) for one in found}})
    if broken:
        return max(problem.exit_code for problem in broken.values())
    return 0 if all(one.is_fresh for one in found) else IngestError.exit_code


def _document(one: Freshness) -> dict[str, object]:
    at = one.accepted_at.isoformat() if one.accepted_at else None
    return {"fresh": one.is_fresh, "accepted_at": at}
