"""The command `deploy`: the schedules as deployments on a Prefect server."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

from flows.cli.each_source import check_prefect
from flows.cli.output import Output, log_to_stderr
from flows.run.settings import read_settings
from flows.run.workspace import read_sources

if TYPE_CHECKING:
    from flows.orchestration.deploy.prefect_file import PrefectFile
    from flows.orchestration.deploy.register import Registered


def deploy_command(workspace: Path, *, prune: bool, as_json: bool) -> int:
    """Writes prefect.yaml and makes the server have what it says; 2 where a source file is wrong.

    Raises:
        ConfigError: no server is named, no source file is right, or prefect.yaml is wrong.
        PrefectServerError: the server refuses, does not answer, or makes no runs.
    """
    from flows.orchestration.deploy.prefect_file import read_prefect_file, without, write
    from flows.orchestration.deploy.register import Clock, gone, register
    from flows.orchestration.prefect_api import api_url, open_prefect_api

    output = Output(as_json=as_json)
    log_to_stderr(verbose=as_json)
    settings = read_settings(workspace)
    sources, broken = read_sources(settings.workspace)
    for line in dict.fromkeys(map(str, broken.values())):
        output.error(line)
    file = read_prefect_file(settings.workspace, sources, broken)
    check_prefect(api_url())
    clock = Clock(lambda: datetime.now(UTC), sleep)
    with open_prefect_api() as api:
        names = {source.name for source in sources} | set(broken)
        orphans = {
            one.entry.full_name
            for one in file.located
            if one.entry.lumos_ingest.source not in {*names, None}
        }
        kept = without(file, orphans)
        has_written = write(kept if prune else file)
        registered = register(kept.located, kept.name, api, clock)
        stale = gone(kept.name, kept.located, api)
        registered.gone = sorted({one.full_name for one in stale} | orphans)
        if prune:
            for one in stale:
                api.delete_deployment(one.id)
            registered.removed, registered.gone = registered.gone, []
    _show(output, file, registered, has_written=has_written)
    return max((error.exit_code for error in broken.values()), default=0)


def _show(
    output: Output, file: "PrefectFile", registered: "Registered", *, has_written: bool
) -> None:
    if has_written:
        output.line(f"{file.path.name}: {'made' if file.is_new else 'brought up to date'}")
    if registered.made_pool:
        output.line(f"work pool {registered.made_pool}: made; a worker for it: prefect worker start"
                    f" --pool {registered.made_pool}")  # fmt: skip
    rows = [
        *((name, "made") for name in registered.made),
        *((name, f"changed: {', '.join(what)}") for name, what in registered.changed.items()),
        *((name, "unchanged") for name in registered.unchanged),
        *((name, "no longer found; --prune removes it") for name in registered.gone),
        *((name, "removed") for name in registered.removed),
    ]
    output.table("deployments", ("deployment", ""), sorted(rows))
    for name in registered.made_up:
        output.line(f"{name}: was due just then; asked for")
    for note in file.notes:
        output.note(f"lumos-ingest: {note}")
    for name in registered.paused:
        output.note(f"lumos-ingest: {name} is paused: it makes no runs, or none are worked on")
    output.document({**asdict(registered), "file": str(file.path), "has_written": has_written})
