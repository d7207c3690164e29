"""The command `check --fresh`: which sources were not accepted for too long; for a monitor."""

from datetime import datetime, timedelta
from pathlib import Path

from flows.cli.output import Output, log_to_stderr
from flows.notices.notify import tell_stale
from flows.run.context import open_context
from flows.run.settings import read_settings
from flows.run.workspace import pick_sources
from flows.schedule.fresh import Freshness, freshness
from schemas.errors import IngestError
from schemas.source_file.quantities import duration_text


def fresh_command(workspace: Path, names: list[str], longest: timedelta, *, as_json: bool) -> int:
    """0 where every source was accepted lately; 1, and a line each, where some were not.

    It asks the ledger alone: it answers also where the sources, Lumos or a Prefect server do not.
    Whoever looks after a source is told that it is late.

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
            text = _text(one, now)
            if one.is_fresh:
                output.line(text)
                continue
            late = f"{text}, not within {duration_text(longest)}"
            output.error(late)
            tell_stale(one.source, one.kind, context, late)
    for line in map(str, broken.values()):
        output.error(line)
    output.document({"sources": _documents(found)})
    if broken:
        return max(problem.exit_code for problem in broken.values())
    return 0 if all(one.is_fresh for one in found) else IngestError.exit_code


def _text(one: Freshness, now: datetime) -> str:
    name = one.source.name if one.kind == "sync" else f"{one.source.name}, {one.kind}"
    if one.accepted_at is None:
        return f"{name}: never accepted"
    return f"{name}: accepted {duration_text(now - one.accepted_at)} ago"


def _documents(found: list[Freshness]) -> dict[str, dict[str, object]]:
    """By source; one whose activity is looked at, too, has that under `activity`."""
    documents: dict[str, dict[str, object]] = {}
    for one in found:
        at = one.accepted_at.isoformat() if one.accepted_at else None
        document: dict[str, object] = {"fresh": one.is_fresh, "accepted_at": at}
        if one.kind == "sync":
            documents[one.source.name] = document
        else:
            documents[one.source.name]["activity"] = document
    return documents
