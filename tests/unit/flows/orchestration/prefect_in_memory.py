"""A Prefect server in memory, as far as the deployments and their runs are looked after."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from flows.orchestration.deploy.register import FLOWS
from flows.orchestration.prefect_api import Deployment, DeploymentSchedule, FlowRun, Pool
from flows.schedule.due import due_after
from schemas.source_file.blocks import Schedule

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=100)


@dataclass
class InMemoryPrefect:
    """What a server keeps. It makes runs of schedules as far as `makes_runs` says."""

    pools: dict[str, Pool] = field(default_factory=dict)
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    flow_runs: list[FlowRun] = field(default_factory=list)
    keys: dict[str, FlowRun] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    makes_runs: bool = True

    def flow_id(self, name: str) -> str:
        return f"flow of {name}"

    def deployments(self, flows) -> list[Deployment]:
        made = [self._deployment(key) for key in sorted(self.kept)]
        return [one for one in made if one.flow in flows]

    def create_deployment(self, fields: Mapping[str, Any]) -> str:
        flow = str(fields["flow_id"]).removeprefix("flow of ")
        assert flow in FLOWS
        key = f"{flow}/{fields['name']}"
        self.calls.append(f"make {key}")
        self.kept[key] = {**fields, "schedules": [], "paused": fields.get("paused", False)}
        for one in fields["schedules"]:
            self.create_schedule(key, one)
        return key

    def update_deployment(self, deployment_id: str, fields: Mapping[str, Any]) -> None:
        self.calls.append(f"change {deployment_id}: {', '.join(sorted(fields))}")
        self.kept[deployment_id] |= fields

    def delete_deployment(self, deployment_id: str) -> None:
        del self.kept[deployment_id]

    def create_schedule(self, deployment_id: str, fields: Mapping[str, Any]) -> None:
        schedules = self.kept[deployment_id]["schedules"]
        schedules.append({"active": True, **fields, "id": f"s{len(self.calls)}"})
        self.calls.append(f"schedule {deployment_id}")

    def update_schedule(self, deployment_id: str, schedule_id: str, fields) -> None:
        self.calls.append(f"reschedule {deployment_id}")
        [one] = [one for one in self.kept[deployment_id]["schedules"] if one["id"] == schedule_id]
        one.update(fields)

    def delete_schedule(self, deployment_id: str, schedule_id: str) -> None:
        self.calls.append(f"unschedule {deployment_id}")
        schedules = self.kept[deployment_id]["schedules"]
        self.kept[deployment_id]["schedules"] = [s for s in schedules if s["id"] != schedule_id]

    def runs(self, *, deployments=None, ids=None, states=None, due=None, pool=None):
        return [
            run
            for run in self.flow_runs
            if (deployments is None or run.deployment_id in deployments)
            and (ids is None or run.id in ids)
            and (states is None or run.state_type in states)
            and (due is None or (run.due_at and due[0] <= run.due_at <= due[1]))
        ]

    def first_to_come(self, deployment_id: str, after: datetime) -> datetime | None:
        """The server's scheduler has made all that is due from five seconds later on."""
        if not self.makes_runs:
            return None
        schedules = self._deployment(deployment_id).active_schedules
        made = (Schedule(cron=one.cron, timezone=one.timezone) for one in schedules)
        return min(due_after(schedule, after + timedelta(seconds=5)) for schedule in made)

    def ask_for_run(self, deployment_id, *, name, key, due_at, parameters=None) -> FlowRun:
        if key not in self.keys:
            self.keys[key] = self.add_run(name, deployment_id, "SCHEDULED", due_at)
        return self.keys[key]

    def end_run(self, run_id: str, reason: str) -> None:
        self.ended.append(run_id)
        self.flow_runs = [
            replace(run, state_type="CRASHED") if run.id == run_id else run
            for run in self.flow_runs
        ]

    def pool(self, name: str) -> Pool | None:
        return self.pools.get(name)

    def create_process_pool(self, name: str) -> None:
        self.pools[name] = Pool(name, is_paused=False)

    def set_pool_paused(self, name: str, is_paused: bool) -> None:
        self.pools[name] = Pool(name, is_paused)

    # What a test says of it.

    def add_run(
        self, run_id: str, deployment_id: str | None, state: str, at: datetime = NOON
    ) -> FlowRun:
        made = FlowRun(run_id, run_id, deployment_id, state, state.capitalize(), at, at)
        self.flow_runs.append(made)
        return made

    def end(self, run_id: str, state: str) -> None:
        self.flow_runs = [
            replace(run, state_type=state) if run.id == run_id else run for run in self.flow_runs
        ]

    def _deployment(self, key: str) -> Deployment:
        fields = self.kept[key]
        flow, _, name = key.partition("/")
        schedules = tuple(
            DeploymentSchedule(
                one["id"],
                one["slug"],
                one["schedule"]["cron"],
                one["schedule"]["timezone"],
                one["active"],
                one.get("parameters") or {},
            )
            for one in fields["schedules"]
        )
        limit = fields.get("concurrency_limit")
        shown = {**fields, "global_concurrency_limit": {"limit": limit} if limit else None}
        del shown["schedules"]
        return Deployment(
            key,
            flow,
            name,
            fields.get("created_at", LONG_AGO),
            fields.get("labels") or {},
            schedules,
            bool(fields["paused"]),
            fields.get("parameters") or {},
            shown,
        )
