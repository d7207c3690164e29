"""Makes a Prefect server have the deployments of prefect.yaml; what is as it should be stays."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from prefect.utilities.callables import parameter_schema

from flows.orchestration.activity_flow import activity
from flows.orchestration.decide_flow import decide
from flows.orchestration.deploy.entries import Entry, EntrySchedule, FlowName, Located
from flows.orchestration.deploy.prefect_file import POOL
from flows.orchestration.nightly_flow import nightly
from flows.orchestration.prefect_api import Deployment, DeploymentSchedule, PrefectApi
from flows.orchestration.sync_flow import sync
from flows.orchestration.watchdog_flow import watchdog
from flows.schedule.due import due_by
from schemas.errors import ConfigError, PrefectServerError
from schemas.source_file.blocks import Schedule

FLOWS: Mapping[FlowName, Any] = {
    "sync": sync,
    "activity": activity,
    "nightly": nightly,
    "watchdog": watchdog,
    "decide": decide,
}
LABEL = "lumos-ingest.workspace"
"""The label of a deployment that `deploy` made, with the workspace's name."""

RUNS_WITHIN_S = 90
"""How long a server may take to make the runs of a schedule: its scheduler looks once a minute."""

_QUEUE = "default"
"""The queue of a work pool that takes what names none."""

_LOOK_S = 1.0
_CLOCKS_DIFFER = timedelta(seconds=5)


@dataclass(slots=True)
class Registered:
    """What became of the deployments.

    Attributes:
        made: the full names of those that are new.
        changed: by full name, what was changed.
        unchanged: those that were so already, and were not touched.
        gone: those that `deploy` made before and that have no source any more.
        removed: those of them that were taken away.
        made_pool: the work pool that was made; None where it was there.
        paused: what makes no runs now, because a person paused it: pools, deployments, schedules.
        made_up: runs that were due while their deployment was changed, and were asked for.
    """

    made: list[str] = field(default_factory=list)
    changed: dict[str, list[str]] = field(default_factory=dict)
    unchanged: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    made_pool: str | None = None
    paused: list[str] = field(default_factory=list)
    made_up: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Touched:
    """A deployment that was made or changed.

    Attributes:
        entry: what it is now.
        owed_since: what is due from then on is owed, UTC.
        changed_at: when the change was done, UTC.
    """

    entry: Entry
    owed_since: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Clock:
    """The time, UTC, and how to wait for seconds."""

    now: Callable[[], datetime]
    sleep: Callable[[float], None]


def register(
    located: list[Located],
    workspace_name: str,
    api: PrefectApi,
    clock: Clock,
) -> Registered:
    """Makes and changes deployments until the server has what the entries say.

    A change takes away the runs that are yet to come, and the server makes them anew from that
    moment on: one that was due just then would be lost, and is asked for.

    Raises:
        ConfigError: a deployment of that name is somebody else's, or there is no such work pool;
            nothing was changed.
        PrefectServerError: the server refuses, does not answer, or makes no runs.
    """
    registered = Registered()
    server = {one.full_name: one for one in api.deployments(FLOWS)}
    _check_ours(located, workspace_name, server)
    _find_pools(located, api, registered)
    touched: dict[str, _Touched] = {}
    for entry in (one.entry for one in located):
        began_at = clock.now()
        there = server.get(entry.full_name)
        if there is None:
            _turn_off_other_names(entry, workspace_name, server, api, registered)
            _create(entry, workspace_name, api)
            registered.made.append(entry.full_name)
            touched[entry.full_name] = _Touched(entry, began_at, clock.now())
        elif changes := _change(entry, there, api):
            registered.changed[entry.full_name] = changes
            # Of a schedule that was not there before, nothing was due.
            since = began_at if "schedules" in changes else began_at - _CLOCKS_DIFFER
            touched[entry.full_name] = _Touched(entry, since, clock.now())
        else:
            registered.unchanged.append(entry.full_name)
    names = [one.entry.full_name for one in located]
    for deployment in _active(names, api, registered):
        one = touched.get(deployment.full_name)
        first_at = _first_to_come(deployment, one.changed_at if one else clock.now(), api, clock)
        if one is not None:
            registered.made_up += _make_up(one, deployment.id, first_at, api)
    return registered


def gone(workspace_name: str, located: list[Located], api: PrefectApi) -> list[Deployment]:
    """The deployments that `deploy` made for this workspace and that no entry is of any more."""
    names = {one.entry.full_name for one in located}
    folders = {str(one.entry.parameters["workspace"]) for one in located}
    return [
        one
        for one in api.deployments(FLOWS)
        if one.full_name not in names
        and one.labels.get(LABEL) == workspace_name
        and str(one.parameters.get("workspace")) in folders
    ]


def _check_ours(
    located: list[Located], workspace_name: str, server: Mapping[str, Deployment]
) -> None:
    for one in located:
        there = server.get(one.entry.full_name)
        if there is None or _is_ours(one.entry, there, workspace_name):
            continue
        whose = there.labels.get(LABEL)
        by = f"the workspace {whose}" if whose else "somebody else"
        raise ConfigError(
            f"{one.place}: the server has {one.entry.full_name} already, made by {by}: give this "
            "one another name there"
        )


def _is_ours(entry: Entry, there: Deployment, workspace_name: str) -> bool:
    """Whether `deploy` made it for this workspace, or a person did, for the same work."""
    if LABEL in there.labels:
        return bool(there.labels[LABEL] == workspace_name)
    return all(
        there.parameters.get(name) == entry.parameters.get(name) for name in ("source", "workspace")
    )


def _find_pools(located: list[Located], api: PrefectApi, registered: Registered) -> None:
    for name in dict.fromkeys(one.entry.work_pool.name for one in located):
        pool = api.pool(name)
        if pool is None and name != POOL:
            raise ConfigError(
                f"prefect.yaml: the server has no work pool {name}: make it with "
                f"`prefect work-pool create {name} --type process`, or another type"
            )
        if pool is None:
            api.create_process_pool(name)
            registered.made_pool = name
        elif pool.is_paused:
            registered.paused.append(f"work pool {name}")


def _turn_off_other_names(
    entry: Entry,
    workspace_name: str,
    server: Mapping[str, Deployment],
    api: PrefectApi,
    registered: Registered,
) -> None:
    """Takes the schedules from a deployment of ours for the same source under another name.

    Or each night would run twice.
    """
    for other in server.values():
        is_same = other.flow == entry.flow and other.labels.get(LABEL) == workspace_name
        if not is_same or other.parameters.get("source") != entry.lumos_ingest.source:
            continue
        for schedule in other.schedules:
            api.delete_schedule(other.id, schedule.id)
        if other.schedules:
            registered.changed[other.full_name] = ["schedules"]


def _create(entry: Entry, workspace_name: str, api: PrefectApi) -> None:
    fields = _fields(entry) | {
        "name": entry.name,
        "flow_id": api.flow_id(entry.flow),
        "labels": {LABEL: workspace_name},
        "enforce_parameter_schema": True,
        "schedules": [_schedule_fields(one) for one in entry.schedules],
    }
    if entry.paused is not None:
        fields["paused"] = entry.paused
    api.create_deployment({name: one for name, one in fields.items() if one is not None})


def _change(entry: Entry, there: Deployment, api: PrefectApi) -> list[str]:
    """Changes what differs, and nothing else; the names of it."""
    now = dict(there.fields)
    limit = now.get("global_concurrency_limit") or {}
    now["concurrency_limit"] = limit.get("limit")
    wanted = _fields(entry)
    # What Prefect fills in by itself where the file does not say it.
    for name in ("description", "version", "work_queue_name"):
        wanted[name] = now.get(name) if wanted[name] is None else wanted[name]
    differs = {name: one for name, one in wanted.items() if not _is_same(now.get(name), one)}
    if entry.paused is not None and entry.paused != there.is_paused:
        differs["paused"] = entry.paused
    if "work_queue_name" in differs or "work_pool_name" in differs:
        # Each names the other: a queue is one of a pool.
        differs["work_pool_name"] = entry.work_pool.name
        differs["work_queue_name"] = entry.work_pool.work_queue_name or _QUEUE
    if differs:
        api.update_deployment(there.id, differs)
    changes = [_SHOWN.get(name, name) for name in differs]
    if _change_schedules(entry, there, api):
        changes.append("schedules")
    return sorted(set(changes))


_SHOWN = {
    "concurrency_options": "concurrency_limit",
    "parameter_openapi_schema": "parameters",
    "pull_steps": "pull",
    "work_pool_name": "work_pool",
    "work_queue_name": "work_pool",
    "job_variables": "work_pool",
}


def _fields(entry: Entry) -> dict[str, Any]:
    """The entry by the names of the API, without its schedules."""
    limit = entry.concurrency_limit
    options: dict[str, Any] | None = None
    if limit is not None:
        options = {"collision_strategy": limit.collision_strategy}
        if limit.grace_period_seconds is not None:
            options["grace_period_seconds"] = limit.grace_period_seconds
    schema = parameter_schema(FLOWS[entry.flow].fn)
    return {
        "entrypoint": entry.entrypoint,
        "description": entry.description,
        "version": entry.version,
        "tags": sorted(entry.tags),
        "parameters": entry.parameters,
        "parameter_openapi_schema": schema.model_dump(mode="json"),
        "concurrency_limit": limit.limit if limit else None,
        "concurrency_options": options,
        "pull_steps": entry.pull,
        "work_pool_name": entry.work_pool.name,
        "work_queue_name": entry.work_pool.work_queue_name,
        "job_variables": entry.work_pool.job_variables,
    }


def _is_same(there: Any, wanted: Any) -> bool:  # noqa: ANN401 - as JSON has it
    """Whether the server has it: nothing, empty and a key with nothing in it are the same."""
    if isinstance(there, dict) and isinstance(wanted, dict):
        return all(_is_same(there.get(key), wanted.get(key)) for key in {*there, *wanted})
    if isinstance(there, list) and isinstance(wanted, list):
        if all(isinstance(one, str) for one in (*there, *wanted)):
            return sorted(there) == sorted(wanted)
        return len(there) == len(wanted) and all(map(_is_same, there, wanted))
    return bool(there == wanted) or (not there and not wanted)


def _schedule_fields(schedule: EntrySchedule) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "schedule": {"cron": schedule.cron, "timezone": schedule.timezone},
        "slug": schedule.slug,
        "parameters": schedule.parameters,
    }
    if schedule.active is not None:
        fields["active"] = schedule.active
    return fields


def _change_schedules(entry: Entry, there: Deployment, api: PrefectApi) -> bool:
    """Makes the deployment have the entry's schedules and no other; whether that took a change.

    One under another slug is the same one renamed, where it is the only one on either side. What a
    person has paused stays so, unless the entry says `active`.
    """
    left = {one.id: one for one in there.schedules}
    has_changed = False
    for wanted in entry.schedules:
        by_slug = [one for one in left.values() if one.slug == wanted.slug]
        is_alone = len(entry.schedules) == 1 and len(there.schedules) == 1
        same = next(iter(by_slug or (left.values() if is_alone else [])), None)
        if same is None:
            api.create_schedule(there.id, {"active": True, **_schedule_fields(wanted)})
            has_changed = True
            continue
        del left[same.id]
        if _differs(wanted, same):
            api.update_schedule(there.id, same.id, _schedule_fields(wanted))
            has_changed = True
    for other in left.values():
        api.delete_schedule(there.id, other.id)
        has_changed = True
    return has_changed


def _differs(wanted: EntrySchedule, there: DeploymentSchedule) -> bool:
    if wanted.active is not None and wanted.active != there.is_active:
        return True
    return (wanted.cron, wanted.timezone, wanted.slug, wanted.parameters) != (
        there.cron,
        there.timezone,
        there.slug,
        dict(there.parameters),
    )


def _active(names: list[str], api: PrefectApi, registered: Registered) -> list[Deployment]:
    """Those of the deployments that are to make runs; notes which a person has paused."""
    found = []
    for one in api.deployments(FLOWS):
        if one.full_name not in names or not one.schedules:
            continue
        if one.active_schedules:
            found.append(one)
        else:
            registered.paused.append(f"deployment {one.full_name}")
    return found


def _first_to_come(
    deployment: Deployment, after: datetime, api: PrefectApi, clock: Clock
) -> datetime:
    """When the first run is due that the server has made of the schedule since then, UTC.

    Raises:
        PrefectServerError: it makes none.
    """
    ends_at = after + timedelta(seconds=RUNS_WITHIN_S)
    while True:
        first_at = api.first_to_come(deployment.id, after)
        if first_at is not None:
            return first_at
        if clock.now() > ends_at:
            raise PrefectServerError(
                f"{deployment.full_name} is registered, but the Prefect server makes no runs of "
                f"its schedule (waited {RUNS_WITHIN_S} s): its scheduler is off or broken; look at "
                "its log; Prefect before 3.9.1 makes none with SQLAlchemy 2.1"
            )
        clock.sleep(_LOOK_S)


def _make_up(
    touched: _Touched, deployment_id: str, first_at: datetime, api: PrefectApi
) -> list[str]:
    """Asks for the runs that were due while the deployment was changed, where they are not there.

    Those are due before `first_at`, the first one that the server has made since.
    """
    asked = []
    for schedule in touched.entry.schedules:
        if schedule.active is False:
            continue
        last = first_at - timedelta(seconds=1)
        for due_at in _due_between(schedule, touched.owed_since, last):
            if api.runs(deployments=[deployment_id], due=(due_at, due_at)):
                continue
            name = f"{touched.entry.name}-{due_at:%Y-%m-%dT%H:%MZ}"
            key = f"{deployment_id} {due_at.isoformat()}"
            api.ask_for_run(
                deployment_id, name=name, key=key, due_at=due_at, parameters=schedule.parameters
            )
            asked.append(name)
    return asked


def _due_between(schedule: Schedule, after: datetime, until: datetime) -> list[datetime]:
    """The instants at which it was due, the newest first."""
    found = []
    moment = due_by(schedule, until)
    while moment >= after:
        found.append(moment)
        moment = due_by(schedule, moment - timedelta(minutes=1))
    return found
