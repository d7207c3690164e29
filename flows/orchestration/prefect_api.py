"""The Prefect API as far as it is needed here: deployments, their runs, work pools."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import PREFECT_API_URL

from schemas.errors import ConfigError, PrefectServerError, raise_as

OPEN_STATES = ("SCHEDULED", "PENDING", "RUNNING", "PAUSED", "CANCELLING")
"""A run in one of these is not over."""

WORKING_STATES = ("PENDING", "RUNNING", "CANCELLING")
"""A run in one of these has a process, or had one."""

_PAGE = 200
_LONGEST_REASON = 300
_MISSING = 404


@dataclass(frozen=True, slots=True)
class DeploymentSchedule:
    """A schedule as the server has it.

    Attributes:
        id: the server's.
        slug: its name within the deployment; None of one without.
        cron: None of one that is no cron expression.
        timezone: the zone whose clocks it goes by.
        is_active: whether it makes runs.
        parameters: what its runs get besides the deployment's.
    """

    id: str
    slug: str | None
    cron: str | None
    timezone: str
    is_active: bool
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment as the server has it.

    Attributes:
        id: the server's.
        flow: the flow's name.
        name: its own.
        created_at: UTC.
        labels: who made it says so there.
        schedules: in the server's order.
        is_paused: whether its schedules make no runs.
        parameters: what its runs get.
        fields: the rest, by the names of the API.
    """

    id: str
    flow: str
    name: str
    created_at: datetime
    labels: Mapping[str, Any]
    schedules: tuple[DeploymentSchedule, ...]
    is_paused: bool
    parameters: Mapping[str, Any]
    fields: Mapping[str, Any]

    @property
    def full_name(self) -> str:
        """What Prefect calls it."""
        return f"{self.flow}/{self.name}"

    @property
    def active_schedules(self) -> list[DeploymentSchedule]:
        """The schedules that make runs now."""
        return [] if self.is_paused else [one for one in self.schedules if one.is_active]


@dataclass(frozen=True, slots=True)
class FlowRun:
    """A run as the server has it.

    Attributes:
        id: the server's.
        name: its name.
        deployment_id: None of one without a deployment.
        state_type: `RUNNING` and so on.
        state_name: `Late`, `Submitting` and so on.
        state_at: since when it is in that state, UTC.
        due_at: when it was to begin, UTC; None where that is not known.
    """

    id: str
    name: str
    deployment_id: str | None
    state_type: str
    state_name: str
    state_at: datetime
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Pool:
    """A work pool."""

    name: str
    is_paused: bool


def api_url() -> str | None:
    """The server that the environment, or Prefect's profile, names; None where none is named."""
    return PREFECT_API_URL.value() or None


@contextmanager
def open_prefect_api() -> Iterator["PrefectApi"]:
    """The API of the server that PREFECT_API_URL, or Prefect's profile, names.

    Raises:
        ConfigError: none is named, or it does not answer.
    """
    if not api_url():
        raise ConfigError(
            "PREFECT_API_URL is not set: name a Prefect server, such as "
            "http://127.0.0.1:4200/api; `prefect server start` runs one"
        )
    with get_client(sync_client=True) as client:
        yield PrefectApi(client)


class PrefectApi:
    """An open connection; `open_prefect_api` makes one.

    Every method raises PrefectServerError where the server refuses or does not answer.
    """

    def __init__(self, client: SyncPrefectClient) -> None:
        self._client = client

    # Deployments.

    def flow_id(self, name: str) -> str:
        """The id of the flow of that name, made where it is not there."""
        return str(self._ask("POST", "/flows/", json={"name": name})["id"])

    def deployments(self, flows: Collection[str]) -> list[Deployment]:
        """The deployments of the flows of those names."""
        found: list[Deployment] = []
        for flow in sorted(flows):
            wanted = {"flows": {"name": {"any_": [flow]}}, "sort": "NAME_ASC", "limit": _PAGE}
            while True:
                page = self._ask(
                    "POST", "/deployments/filter", json={**wanted, "offset": len_of(found, flow)}
                )
                found += [_to_deployment(one, flow) for one in page]
                if len(page) < _PAGE:
                    break
        return found

    def create_deployment(self, fields: Mapping[str, Any]) -> str:
        """Makes a deployment; its id."""
        return str(self._ask("POST", "/deployments/", json=dict(fields))["id"])

    def update_deployment(self, deployment_id: str, fields: Mapping[str, Any]) -> None:
        """Changes those fields of a deployment, and no other."""
        self._ask("PATCH", f"/deployments/{deployment_id}", json=dict(fields))

    def delete_deployment(self, deployment_id: str) -> None:
        """Takes a deployment away, with the runs of it that have not begun."""
        self._ask("DELETE", f"/deployments/{deployment_id}")

    def create_schedule(self, deployment_id: str, fields: Mapping[str, Any]) -> None:
        """Gives a deployment one more schedule."""
        self._ask("POST", f"/deployments/{deployment_id}/schedules", json=[dict(fields)])

    def update_schedule(
        self, deployment_id: str, schedule_id: str, fields: Mapping[str, Any]
    ) -> None:
        """Changes those fields of a schedule."""
        self._ask(
            "PATCH", f"/deployments/{deployment_id}/schedules/{schedule_id}", json=dict(fields)
        )

    def delete_schedule(self, deployment_id: str, schedule_id: str) -> None:
        """Takes a schedule away."""
        self._ask("DELETE", f"/deployments/{deployment_id}/schedules/{schedule_id}")

    # Runs.

    def runs(
        self,
        *,
        deployments: Sequence[str] | None = None,
        ids: Sequence[str] | None = None,
        states: Sequence[str] | None = None,
        due: tuple[datetime, datetime] | None = None,
        pool: str | None = None,
    ) -> list[FlowRun]:
        """The runs that fit all that is given; `due` is from and until when, both included."""
        wanted: dict[str, Any] = {}
        if deployments is not None:
            wanted["deployment_id"] = {"any_": list(deployments)}
        if ids is not None:
            wanted["id"] = {"any_": list(ids)}
        if states is not None:
            wanted["state"] = {"type": {"any_": list(states)}}
        if due is not None:
            after, before = (moment.isoformat() for moment in due)
            wanted["expected_start_time"] = {"after_": after, "before_": before}
        body: dict[str, Any] = {"flow_runs": wanted, "sort": "EXPECTED_START_TIME_ASC"}
        if pool is not None:
            body["work_pools"] = {"name": {"any_": [pool]}}
        found: list[FlowRun] = []
        while True:
            page = self._ask(
                "POST",
                "/flow_runs/filter",
                json={**body, "limit": _PAGE, "offset": len(found)},
            )
            found += [_to_flow_run(one) for one in page]
            if len(page) < _PAGE:
                return found

    def first_to_come(self, deployment_id: str, after: datetime) -> datetime | None:
        """When the deployment's next run after that moment is due that is there; None for none."""
        wanted = {
            "deployment_id": {"any_": [deployment_id]},
            "state": {"type": {"any_": ["SCHEDULED"]}},
            "expected_start_time": {"after_": after.isoformat()},
        }
        body = {"flow_runs": wanted, "sort": "EXPECTED_START_TIME_ASC", "limit": 1}
        page = self._ask("POST", "/flow_runs/filter", json=body)
        return _to_flow_run(page[0]).due_at if page else None

    def ask_for_run(
        self,
        deployment_id: str,
        *,
        name: str,
        key: str,
        due_at: datetime,
        parameters: Mapping[str, Any] | None = None,
    ) -> FlowRun:
        """A new run of the deployment, or the one that was asked for with this key before.

        A server knows a key by the flow, not by the deployment: `key` is to name both.
        """
        body = {
            "name": name,
            "idempotency_key": key,
            "parameters": dict(parameters or {}),
            "state": {
                "type": "SCHEDULED",
                "state_details": {"scheduled_time": due_at.isoformat()},
            },
        }
        made = self._ask("POST", f"/deployments/{deployment_id}/create_flow_run", json=body)
        return _to_flow_run(made)

    def end_run(self, run_id: str, reason: str) -> None:
        """Ends a run whose process is gone: Crashed."""
        state = {"type": "CRASHED", "name": "Crashed", "message": reason}
        self._ask("POST", f"/flow_runs/{run_id}/set_state", json={"state": state, "force": True})

    # Work pools.

    def pool(self, name: str) -> Pool | None:
        """The work pool; None where there is none."""
        try:
            answer = self._client.request(
                "GET", "/work_pools/{name}", path_params={"name": name}
            ).json()
        except httpx.HTTPStatusError as error:
            if error.response.status_code == _MISSING:
                return None
            raise _refused(error) from None
        except httpx.HTTPError as error:
            raise _silent(error) from None
        return Pool(name, bool(answer["is_paused"]))

    def create_process_pool(self, name: str) -> None:
        """Makes a work pool whose workers run each flow as a process."""
        from prefect.workers.process import ProcessWorker  # noqa: PLC0415 - slow, needed once

        template = ProcessWorker.get_default_base_job_template()
        fields = {"name": name, "type": "process", "base_job_template": template}
        self._ask("POST", "/work_pools/", json=fields)

    def set_pool_paused(self, name: str, is_paused: bool) -> None:
        """Pauses a work pool, so that its workers take no further run, or lets them again."""
        self._ask("PATCH", f"/work_pools/{name}", json={"is_paused": is_paused})

    def _ask(
        self,
        method: Literal["GET", "POST", "PATCH", "DELETE"],
        path: str,
        json: object = None,
    ) -> Any:  # noqa: ANN401 - as JSON has it
        def ask() -> Any:  # noqa: ANN401 - as JSON has it
            answer = self._client.request(method, path, json=json)  # type: ignore[arg-type]
            return answer.json() if answer.content else None

        return raise_as(ask, {httpx.HTTPStatusError: _refused, httpx.HTTPError: _silent})


def len_of(found: list[Deployment], flow: str) -> int:
    """How many of the deployments are of the flow."""
    return sum(1 for one in found if one.flow == flow)


def _refused(error: httpx.HTTPStatusError) -> PrefectServerError:
    try:
        detail = error.response.json().get("detail", "")
    except (ValueError, AttributeError):
        detail = ""
    reason = " ".join(str(detail).split())[:_LONGEST_REASON]
    status = error.response.status_code
    return PrefectServerError(f"the Prefect server answers {status}: {reason or 'no reason given'}")


def _silent(error: httpx.HTTPError) -> PrefectServerError:
    return PrefectServerError(f"the Prefect server does not answer ({type(error).__name__})")


def _to_deployment(answer: Mapping[str, Any], flow: str) -> Deployment:
    return Deployment(
        answer["id"],
        flow,
        answer["name"],
        datetime.fromisoformat(answer["created"]),
        answer.get("labels") or {},
        tuple(_to_schedule(one) for one in answer.get("schedules") or []),
        bool(answer.get("paused")),
        answer.get("parameters") or {},
        answer,
    )


def _to_schedule(answer: Mapping[str, Any]) -> DeploymentSchedule:
    schedule = answer["schedule"]
    return DeploymentSchedule(
        answer["id"],
        answer.get("slug"),
        schedule.get("cron"),
        schedule.get("timezone") or "UTC",
        bool(answer.get("active", True)),
        answer.get("parameters") or {},
    )


def _to_flow_run(answer: Mapping[str, Any]) -> FlowRun:
    state = answer.get("state") or {}
    due_at = answer.get("expected_start_time")
    return FlowRun(
        answer["id"],
        answer["name"],
        answer.get("deployment_id"),
        state.get("type") or "",
        state.get("name") or "",
        datetime.fromisoformat(state.get("timestamp") or answer["created"]),
        datetime.fromisoformat(due_at) if due_at else None,
    )
