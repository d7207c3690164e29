"""The command `check --fresh`: which sources were not accepted for too long; for a monitor."""

from datetime import datetime, timedelta
from pathlib import Path

from flows.cli.output import Output, log_to_stderr
from flows.notices.notify import tell_broken, tell_stale
from flows.run.context import open_context
from flows.run.settings import read_settings
from flows.run.workspace import pick_sources
from flows.schedule.fresh import Freshness, accepted_at, freshness
from schemas.errors import ConfigError, IngestError
from schemas.source_file.quantities import duration_text


def fresh_command(workspace: Path, names: list[str], longest: timedelta, *, as_json: bool) -> int:
    """0 where every source was accepted lately; 1, and a line each, where some were not.

    A source whose file is wrong is not accepted until that is right: 2, and its line. It asks the
    ledger alone: it answers also where the sources, Lumos or a Prefect server do not.
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
        documents = _documents(found)
        for name, error in broken.items():
            at = accepted_at(context.ledger, name, "sync")
            output.error(f"{error}; {_age_text(name, at, now)}")
            tell_broken(name, error, context)
            documents[name] = _broken_document(error, at)
    output.document({"sources": documents})
    if broken:
        return max(problem.exit_code for problem in broken.values())
    return 0 if all(one.is_fresh for one in found) else IngestError.exit_code


def _text(one: Freshness, now: datetime) -> str:
    name = one.source.name if one.kind == "sync" else f"{one.source.name}, {one.kind}"
    return _age_text(name, one.accepted_at, now)


def _age_text(name: str, at: datetime | None, now: datetime) -> str:
    return f"{name}: accepted {duration_text(now - at)} ago" if at else f"{name}: never accepted"


def _broken_document(error: ConfigError, at: datetime | None) -> dict[str, object]:
    """Not fresh, whenever it was accepted: nothing keeps it so."""
    return {"fresh": False, "accepted_at": at.isoformat() if at else None, "error": str(error)}


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
