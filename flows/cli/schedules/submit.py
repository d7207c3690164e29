"""`--submit`: a run of each source's deployment is asked for, and a worker takes it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from flows.activity.backfill import to_spans
from flows.cli.activity import choose_with_activity
from flows.cli.each_source import Choose, check_prefect
from flows.cli.output import Output, log_to_stderr
from flows.cli.sync import check_origin_alone
from flows.run.settings import read_settings
from flows.run.workspace import choose_sources, pick_sources
from flows.schedule.timetable import DutyKind
from flows.sync.origin import SyncOptions
from schemas.errors import ConfigError


def submit_sync(
    workspace: Path, names: list[str], options: SyncOptions, *, every: bool, as_json: bool
) -> int:
    """Asks for a sync of each source; 0, or 2 where a source file is wrong.

    Raises:
        ConfigError: no server is named, or a source has no deployment there.
        PrefectServerError: the server refuses, or does not answer.
    """
    check_origin_alone(names, options, every=every)
    day = options.origin.as_of
    parameters: dict[str, Any] = {
        "allow_removals": options.allow_removals or None,
        "as_of": day.isoformat() if day else None,
        "from_archive": options.origin.from_archive,
    }
    given = {name: value for name, value in parameters.items() if value is not None}
    return _submit(workspace, names, "sync", given, every=every, as_json=as_json)


def submit_activity(workspace: Path, names: list[str], *, every: bool, as_json: bool) -> int:
    """Asks for a run of each source's activity; 0, or 2 where a source file is wrong.

    Raises:
        ConfigError: no server is named, or a source has no deployment there.
        PrefectServerError: the server refuses, or does not answer.
    """
    choose = choose_with_activity(every=every)
    return _submit(workspace, names, "activity", {}, every=every, as_json=as_json, choose=choose)


def submit_backfill(
    workspace: Path,
    name: str,
    borders: tuple[str, str, str],
    *,
    again: bool,
    is_dry: bool,
    as_json: bool,
) -> int:
    """Asks for one run that sends the activity from the first to the second of `borders`; 0.

    Raises:
        ConfigError: no server is named, the source has no deployment there, or a date is wrong.
        PrefectServerError: the server refuses, or does not answer.
    """
    if is_dry:
        raise ConfigError("--dry-run and --submit do not go together: a count is told here")
    settings = read_settings(workspace)
    source = choose_sources(settings.workspace, [name], every=False)[0]
    to_spans(source, *borders, datetime.now(UTC))
    since, until, window = borders
    parameters = {"since": since, "until": until, "window": window, "again": again}
    return _submit(workspace, [name], "activity", parameters, every=False, as_json=as_json)


def _submit(
    workspace: Path,
    names: list[str],
    kind: DutyKind,
    parameters: dict[str, Any],
    *,
    every: bool,
    as_json: bool,
    choose: Choose = lambda sources, _broken: sources,
) -> int:
    from flows.orchestration.night import deployments_of, our_deployments
    from flows.orchestration.prefect_api import api_url, open_prefect_api
    from flows.schedule.timetable import Duty

    output = Output(as_json=as_json)
    log_to_stderr(verbose=as_json)
    settings = read_settings(workspace)
    sources, broken = pick_sources(settings.workspace, names, every=every)
    sources = choose(sources, broken)
    for line in dict.fromkeys(map(str, broken.values())):
        output.error(line)
    check_prefect(api_url())
    asked = []
    with open_prefect_api() as api:
        known = deployments_of(our_deployments(api, str(settings.workspace)))
        missing = [one.name for one in sources if Duty(one.name, kind) not in known]
        if missing:
            raise ConfigError(
                f"the Prefect server has no deployment of {kind} of {', '.join(missing)} in "
                f"{settings.workspace}: lumos-ingest deploy makes it"
            )
        for source in sources:
            deployment = known[Duty(source.name, kind)]
            now = datetime.now(UTC)
            what = "backfill" if "since" in parameters else kind
            run = api.ask_for_run(
                deployment.id,
                name=f"{what}-{source.name}-{now:%Y-%m-%dT%H:%MZ}",
                key=str(uuid4()),
                due_at=now,
                parameters=parameters,
            )
            output.line(f"{source.name}: handed to {deployment.full_name} as {run.name}")
            asked.append({"source": source.name, "flow_run": run.name, "flow_run_id": run.id})
    output.document({"sources": asked})
    return max((error.exit_code for error in broken.values()), default=0)
